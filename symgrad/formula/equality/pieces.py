"""Arrays put together: an entry of them, and sums along the axis where they meet."""

from fractions import Fraction

from symgrad.formula.equality.build import power
from symgrad.formula.equality.terms import Atom, Index, Poly, atom, mode, number


def pieces(
    axis: int, sizes: tuple[int | str, ...], parts: tuple[Poly, ...], idx: tuple[Index, ...]
) -> Poly:
    """Give an entry of arrays one behind the other along an axis."""
    made = Atom("array", ("pieces", axis, sizes), idx, parts)
    place = idx[axis]
    if not isinstance(place, str) or place[0] != "#":
        return atom(made)
    left = int(place[1:])
    for k, size in enumerate(sizes):
        if not isinstance(size, int):
            return atom(made)
        if left < size:
            return piece(made, k, f"#{left}")
        left -= size
    return atom(made)


def piece(a: Atom, k: int, index: Index) -> Poly:
    """Give an entry of piece k of concatenated arrays, at an index along the axis."""
    axis, sizes = a.tag[1], a.tag[2]
    assert isinstance(axis, int) and isinstance(sizes, tuple)
    moves: dict[str, Index] = {}
    for i in a.parts[k].free:
        j = int(i[1:].split(":")[0])
        moves[i] = index if j == axis else a.idx[j]
    from symgrad.formula.equality.sums import replaced

    return replaced(a.parts[k], moves)


def split_pieces(part: list[tuple[Atom, Fraction]], index: str) -> Poly | None:
    """Sum over an axis along which arrays are concatenated, piece by piece."""
    sizes: object = None
    for a, _ in part:
        if a.head != "array" or a.tag[0] != "pieces" or a.idx[int(str(a.tag[1]))] != index:
            return None
        if sizes is not None and a.tag[2] != sizes:
            return None
        sizes = a.tag[2]
    from symgrad.formula.equality.sums import total_of

    assert isinstance(sizes, tuple)
    result = Poly({})
    for k, dim in enumerate(sizes):
        t = "#0" if dim == 1 else mode().fresh(dim)
        value = number(1)
        for a, e in part:
            value = value * power(piece(a, k, t), e)
        result = result + (value if t[0] == "#" else total_of(value, [t]))
    return result
