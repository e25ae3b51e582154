"""Named or numeric dimensions: broadcasting, reductions, products. The only broadcasting code.

A dimension is an `int`, a name such as `"N"`, or made of names, such as `"N - 1"`; a shape is a
tuple of them. A name against a number other than 1 is reported to `bind`, which remembers what
the name stands for (and objects when it already stands for another number).

>>> broadcast([("N", "H"), ("H",)])
('N', 'H')
"""

from collections.abc import Callable, Iterable, Sequence

from symgrad.dims import Dim as Dim
from symgrad.dims import evaluated, names_in, solved, terms
from symgrad.errors import ShapeError

Shape = tuple[Dim, ...]
Bind = Callable[[str, int], None]
Axis = int | tuple[int, ...] | None


FAR = 2**40  # no array has so many entries along an axis


def free(name: str, size: int) -> None:
    """Accept any size for any name: the `bind` of a caller that keeps no account."""


class Bindings(dict[str, int]):
    """Remember which number each dimension name stands for.

    >>> sizes = Bindings(); sizes.bind("N", 5); sizes["N"], sizes["2*N"]
    (5, 10)
    """

    later: tuple[tuple[str, int], ...] = ()  # sizes that do not tell yet what is in them

    def __missing__(self, made: str) -> int:
        """Give the number of a dimension that is made of names: 2*N."""
        found = None if made.isidentifier() else evaluated(made, self)
        if found is None:
            raise KeyError(made)
        return found

    def agrees(self, made: str, size: int) -> bool:
        """Take note that 2*M is 6; say whether that is so for what is known of M."""
        unknown = [name for name in names_in(made) if name not in self]
        if len(unknown) > 1 or (unknown and solved(made, unknown[0]) is None):
            self.later = (*self.later, (made, size))
            return True
        try:
            self._solve(made, size)
        except ShapeError:
            return False
        return True

    def settled(self) -> bool:
        """Look again at what could not be told before; say whether all agrees."""
        before: tuple[tuple[str, int], ...] = ()
        while self.later and self.later != before:
            before, self.later = self.later, ()
            if not all([self.agrees(made, size) for made, size in before]):
                return False
        return True

    def bind(self, name: str, size: int) -> None:
        """Record that `name` is `size`; raise ShapeError if it is already something else."""
        if not name.isidentifier():
            self._solve(name, size)
            return
        known = self.setdefault(name, size)
        if known != size:
            raise ShapeError(f"dimension {name} is both {known} and {size}")

    def _solve(self, made: str, size: int) -> None:
        """Find the one unknown name in `made`, from what it comes to: N - 1 is 4, so N is 5."""
        unknown = [n for n in names_in(made) if n not in self]
        if not unknown:
            known = evaluated(made, self)
            if known != size:
                raise ShapeError(f"the dimension {made} is both {known} and {size}")
            return
        slope = [c for m, c in terms(made) if m == (unknown[0],)]
        at_zero = evaluated(made, {**self, unknown[0]: 0}) if len(unknown) == 1 else None
        found = -1
        if at_zero is not None and len(slope) == 1 and not (size - at_zero) % slope[0]:
            found = (size - at_zero) // slope[0]
        if at_zero is not None and evaluated(made, {**self, unknown[0]: max(found, 0)}) != size:
            found = self._searched(made, unknown[0], size)
        if found < 0:
            raise ShapeError(f"nothing says that the dimension {made} is {size}",
                             hint="give the sizes of its names in shapes=")  # fmt: skip
        self.bind(unknown[0], found)
        self._solve(made, size)

    def _searched(self, made: str, name: str, size: int) -> int:
        """Find the only number for a name in M//2 + M, which grows with it; -1 for none."""

        def at(number: int) -> int:
            return evaluated(made, {**self, name: number}) or 0

        low, high = -1, 0
        while at(high) < size and high < FAR:
            low, high = high, 2 * high + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if at(middle) < size else (low, middle)
        alone = at(high) == size < at(high + 1) and (not high or at(high - 1) < size)
        return high if alone else -1


def text(shape: Sequence[Dim]) -> str:
    """Write a shape as people do.

    >>> text(("N", 3)), text((4,)), text(())
    ('(N, 3)', '(4,)', '()')
    """
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def unify(a: Dim, b: Dim, bind: Bind = free) -> Dim:
    """Give the dimension that `a` and `b` share; raise ShapeError if they differ."""
    if a == b:
        return a
    if isinstance(a, int) and isinstance(b, int):
        raise ShapeError(f"sizes {a} and {b} differ")
    if isinstance(a, str) and isinstance(b, str):
        raise ShapeError(f"dimensions {a} and {b} differ")
    name, size = (a, b) if isinstance(a, str) else (b, a)
    assert isinstance(name, str) and isinstance(size, int)
    bind(name, size)
    return name


def broadcast(shapes: Iterable[Sequence[Dim]], bind: Bind = free) -> Shape:
    """Broadcast shapes against each other as NumPy does, aligned at the right."""
    distinct = [*dict.fromkeys(filter(None, map(tuple, shapes)))]
    if len(distinct) < 2:  # as of most operations
        return distinct[0] if distinct else ()
    result: list[Dim] = []
    for shape in distinct:
        rev = list(reversed(shape))
        for k, dim in enumerate(rev):
            if k == len(result):
                result.append(dim)
            elif result[k] == 1:
                result[k] = dim
            elif dim != 1:
                result[k] = unify(result[k], dim, bind)
    return tuple(reversed(result))


def axes_of(axis: Axis, rank: int) -> tuple[int, ...]:
    """Normalise an axis argument to increasing non-negative axes; None means all.

    >>> axes_of(-1, 2), axes_of(None, 2)
    ((1,), (0, 1))
    """
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple) else (axis,)
    for k in given:
        if type(k) is not int:
            raise ShapeError(f"axis={k!r} is not an axis", hint="an axis is a whole number")
        if not -rank <= k < rank:
            hint = f"axes go from 0 to {rank - 1}, or from {-rank} to -1"
            hint = hint if rank else "a number has no axes; declare an array:  x: real[N]"
            raise ShapeError(f"axis {k} is out of range for {rank} dimension{'s' * (rank != 1)}",
                             hint=hint)  # fmt: skip
    axes = sorted(k % rank for k in given)
    if len(set(axes)) != len(axes):
        raise ShapeError(f"axis {given} names a dimension twice", hint="name each axis once")
    return tuple(axes)


def reduced(shape: Sequence[Dim], axis: Axis, keepdims: bool) -> Shape:
    """Give the shape after a reduction over `axis`."""
    axes = axes_of(axis, len(shape))
    if keepdims:
        return tuple(1 if k in axes else d for k, d in enumerate(shape))
    return tuple(d for k, d in enumerate(shape) if k not in axes)


def expanded(shape: Sequence[Dim], axes: Sequence[int]) -> Shape:
    """Insert length-1 axes so that they stand at positions `axes` of the result."""
    result = list(shape)
    for k in sorted(axes):
        result.insert(k, 1)
    return tuple(result)


def product(a: Sequence[Dim], b: Sequence[Dim], bind: Bind = free) -> Shape:
    """Give the shape of the matrix product `a @ b` (NumPy's rules, leading axes broadcast)."""
    if not a or not b:
        raise ShapeError("@ needs vectors or matrices, not a scalar; write * for a scalar factor")
    inner_b = b[0] if len(b) == 1 else b[-2]
    try:
        unify(a[-1], inner_b, bind)
    except ShapeError:
        raise ShapeError(
            f"{text(a)} @ {text(b)}: the inner dimensions {a[-1]} and {inner_b} differ"
        ) from None
    lead = broadcast([a[:-2], b[:-2]], bind)
    return lead + (() if len(a) == 1 else (a[-2],)) + (() if len(b) == 1 else (b[-1],))


def summed_axes(given: Sequence[Dim], wanted: Sequence[Dim]) -> tuple[tuple[int, ...], bool]:
    """Say which axes of `given` a broadcast from `wanted` has created or stretched.

    Returns the axes to sum, and whether any of them has to stay with length 1.

    >>> summed_axes(("N", "H"), ("H",)), summed_axes(("N", "H"), (1, "H"))
    (((0,), False), ((0,), True))
    """
    lead = len(given) - len(wanted)
    stretched = tuple(lead + k for k, d in enumerate(wanted) if d == 1 and given[lead + k] != 1)
    return tuple(range(lead)) + stretched, bool(stretched)


def fits(actual: Sequence[int], declared: Sequence[Dim], sizes: Bindings) -> bool:
    """Match an array's shape with a declared one, binding the names in `sizes`.

    >>> sizes = Bindings()
    >>> fits((6, 2), ("2*M", "H"), sizes), fits((5,), ("M + H",), sizes), fits((4,), ("M",), sizes)
    (True, True, False)
    """
    if len(actual) != len(declared):
        return False
    for size, dim in zip(actual, declared, strict=True):
        if isinstance(dim, int):
            if dim != size:
                return False
        elif dim.isidentifier():
            if sizes.setdefault(dim, size) != size:
                return False
        elif not sizes.agrees(dim, size):
            return False
    return not sizes.later or sizes.settled()


def spelled(word: str, shapes: Sequence[Sequence[Dim]], bind: Bind = free) -> Shape:
    """Apply an einsum-like shape word; `...` stands for any leading axes.

    >>> spelled("n, m -> n m", [("N",), (3,)])
    ('N', 3)
    """
    left, right = (part.strip() for part in word.split("->"))
    found: dict[str, Dim] = {}
    lead: Shape = ()
    for letters, shape in zip(left.split(","), shapes, strict=True):
        names = letters.split()
        if names[:1] == ["..."]:
            names = names[1:]
            cut = len(shape) - len(names)
            lead, shape = broadcast([lead, shape[: max(cut, 0)]], bind), shape[max(cut, 0) :]
        if len(names) != len(shape):
            raise ShapeError(f"a shape like ({', '.join(names)}) is expected, not {text(shape)}")
        for letter, dim in zip(names, shape, strict=True):
            known = found.get(letter)
            found[letter] = dim if known is None else unify(known, dim, bind)
    names = right.split()
    head = lead if names[:1] == ["..."] else ()
    return head + tuple(found[n] for n in names if n != "...")
