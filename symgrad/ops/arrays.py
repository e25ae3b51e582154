"""Arrays put together, taken apart and summed over: products, concatenation, lookup, einsum.

Source: NumPy, unless a row says so. Shapes are written as they come out, with names: the parts
(N, D) and (M, D) make (M + N, D). Rules that look at shapes are macros of `symgrad.parse.shaping`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symgrad import dims, shapes
from symgrad.dims import Dim, minus, plus, times
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.reductions import OVER, added_wide
from symgrad.ops.scattering import SCATTER
from symgrad.ops.slices import weak
from symgrad.ops.spec import ANY, MISSING, MUL, OPS, letters, register, shape_text, size_text
from symgrad.ops.words import as_matrices, misspelled, of_vectors, subscripts
from symgrad.shapes import Bind, Shape, text

Params = Mapping[str, Any]


# -- products and running sums ---------------------------------------------------------------

OTHERS = '''
def others(x, axis, dtype, total=None):
    """The product of all other entries along an axis: the product of all over each, if that is
    safe; else of those before and those behind.

    Powers of two are counted apart, so that nothing overflows on the way.
    """
    if x.ndim == 1:
        total = prod(x) if total is None else total
        least = 1e-31 if dtype is np.float32 else 1e-301
        if least < abs(float(total)) < np.inf:
            return np.divide(total, x, dtype=dtype)
    x = np.moveaxis(x, axis, 0)
    part, power = np.frexp(x.astype(np.float64))
    small = np.abs(part) < 0.7
    part, power = np.where(small, 2 * part, part), power - small
    one = np.ones_like(part[:1])
    before = np.cumprod(np.concatenate((one, part[:-1])), axis=0)
    behind = np.cumprod(np.concatenate((one, part[:0:-1])), axis=0)[::-1]
    result = np.ldexp(before * behind, np.sum(power, axis=0) - power)
    return np.moveaxis(result, 0, axis).astype(dtype)
'''


def _others_portable(node: Node) -> str:
    """Multiply the rows of a square in which the entry itself is 1."""
    axis, behind = node.attrs["axis"], len(node.shape) - 1 - node.attrs["axis"]
    hot = f"np.eye({size_text(node.shape[axis])})"
    hot += f"[{', '.join(['...', *['None'] * behind])}]" if behind else ""
    return f"np.prod(np.where({hot} > 0, 1.0, np.expand_dims({{a}}, {axis})), axis={axis + 1})"


PROD = '''
@np.errstate(over="ignore", invalid="ignore")
def prod(x, axis=None, keepdims=False):
    """Product of entries; where it overflows on the way, powers of two are counted apart."""
    if x.ndim == 1 and not keepdims:
        beside, n = x, x.size
        if n > 512:
            count = n // -(-n // 512)  # so many products side by side are faster than one
            rest = n % count
            beside = np.multiply.reduce((x[rest:] if rest else x).reshape(-1, count), 0)
            if rest:
                beside[:rest] *= x[:rest]
        result = np.multiply.reduce(beside)
        if 0 < float(abs(result)) < np.inf:
            return result
    result = np.prod(x, axis=axis, keepdims=keepdims)
    if np.all(np.isfinite(result) & (result != 0)):
        return result
    part, power = np.frexp(np.asarray(x, dtype=np.float64))
    small = np.abs(part) < 0.7
    part, power = np.where(small, 2 * part, part), power - small
    total = np.prod(part, axis=axis, keepdims=keepdims)
    return np.ldexp(total, np.sum(power, axis=axis, keepdims=keepdims)).astype(np.result_type(x))
'''


def _prod(function: str) -> Any:
    def spelled(node: Node) -> str:
        axis, kept = node.attrs["axis"], node.attrs["keepdims"]
        over = "" if axis is None else f", axis={axis}"
        a = "{a}" if node.args[0].shape else "np.asarray({a})"
        return f"{function}({a}{over}{', keepdims=True' * kept})"

    return spelled


def _cumsum(node: Node) -> str:
    plain = len(node.shape) == 1
    return "np.cumsum({a})" if plain else f"np.cumsum({{a}}, axis={node.attrs['axis']})"


# -- shapes ----------------------------------------------------------------------------------

FILLS = "the sizes multiply to the number of entries; -1 stands for what is left"


def _reshaped(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    """Check the number of entries; where names are in it, `fault` checks when they have numbers."""
    shape = tuple(params["shape"])
    if not all(dims.proper(d) for d in shape):
        raise ShapeError(f"not a shape: {str(shape)[:80]}")
    before, after = times(*given[0]), times(*shape)
    if before != after and isinstance(before, int) and isinstance(after, int):
        raise ShapeError(f"{before} entries do not fill the shape {text(shape)}", hint=FILLS)
    return shape


def _place(params: Params) -> int:
    """Give the axis; refuse what nobody can type, it may come from a file."""
    axis = params["axis"]
    if type(axis) is not int:
        raise ShapeError(f"axis={axis!r} is not an axis")
    return axis


def _joined(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    axis = _place(params)
    if not given[0]:
        raise ShapeError("numbers have no axis to put them together along",
                         hint="stack((a, b)) makes a vector of numbers")  # fmt: skip
    if not 0 <= axis < len(given[0]):
        raise ShapeError(f"axis {axis} is out of range for {text(given[0])}")
    result = list(given[0])
    for shape in given[1:]:
        if len(shape) != len(result):
            raise ShapeError(f"{text(given[0])} and {text(shape)} have different numbers of axes",
                             hint="b[None] and b[:, None] give an array one axis more")  # fmt: skip
        for k, d in enumerate(shape):
            try:
                result[k] = plus(result[k], d) if k == axis else shapes.unify(result[k], d, bind)
            except ShapeError as error:
                error.message = f"{error.message} (axis {k})"
                error.hint = f"only axis {axis}, along which they are joined, may differ"
                raise
    return tuple(result)


def _stacked(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    result = list(given[0])
    for shape in given[1:]:
        if len(shape) != len(result):
            raise ShapeError(f"{text(given[0])} and {text(shape)} have different numbers of axes",
                             hint="all arrays of a stack have one shape")  # fmt: skip
        result = [shapes.unify(a, b, bind) for a, b in zip(result, shape, strict=True)]
    axis = _place(params)
    if not 0 <= axis <= len(result):
        raise ShapeError(f"axis {axis} is out of range for a stack of {text(result)}")
    result.insert(axis, len(given))
    return tuple(result)


def _several(function: str) -> Any:
    def spelled(node: Node) -> str:
        names = letters(OPS[node.op], len(node.args))
        listed = ", ".join(f"{{{n}}}" for n in names) + ("," if len(names) == 1 else "")
        axis = f", axis={node.attrs['axis']}" if node.attrs["axis"] else ""
        cast = node.dtype == "float" and any(weak(a) for a in node.args)
        return f"{function}(({listed}){axis}{', dtype={dtype}' if cast else ''})"

    return spelled


def part_text(node: Node, write: Callable[[Dim], str]) -> str:
    """Write the index of a part: `:, N:`."""
    size = node.args[0].shape[node.attrs["axis"]]
    start, stop = node.attrs["start"], node.attrs["stop"]
    ends = ("" if start == 0 else write(start), "" if stop == size else write(stop))
    return f"{':, ' * node.attrs['axis']}{':'.join(ends)}"


def _cut_out(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    axis, start, stop = _place(params), params["start"], params["stop"]
    if not (dims.proper(start) and dims.proper(stop) and 0 <= axis < len(given[0])):
        raise ShapeError("not a part of an array")
    return (*given[0][:axis], minus(stop, start), *given[0][axis + 1 :])


# -- lookup ----------------------------------------------------------------------------------


def _taken(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    table, places = given
    axis = _place(params)
    if not 0 <= axis < len(table):
        raise ShapeError(f"axis {axis} is out of range for {text(table)}")
    return (*table[:axis], *places, *table[axis + 1 :])


def _take(node: Node) -> str:
    axis = node.attrs["axis"]
    return "{a:40}[{b}]" if axis == 0 else f"np.take({{a}}, {{b}}, axis={axis})"


def _scattered(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    (g, places), axis = given, _place(params)
    return (*g[:axis], params["size"], *g[axis + len(places) :])


def _scatter(node: Node) -> str:
    axis = node.attrs["axis"]
    if not node.args[1].shape:  # one place
        return f"unslice({{a}}, {shape_text(node.shape)}, np.s_[{':, ' * axis}{{b}}], {{dtype}})"
    return f"scatter({{a}}, {{b}}, {shape_text(node.shape)}, {axis}, {{dtype}})"


def _scatter_portable(node: Node) -> str:
    """Multiply by a matrix of zeros and ones."""
    axis, count = node.attrs["axis"], len(node.args[1].shape)
    hot = f"1.0 * (np.arange({size_text(node.attrs['size'])}) == np.expand_dims({{b}}, -1))"
    axes = f"({list(range(count))}, {list(range(axis, axis + count))})"
    text_ = f"np.tensordot({hot}, {{a}}, {axes})"
    return text_ if axis == 0 else f"np.moveaxis({text_}, 0, {axis})"


# -- sums of products ------------------------------------------------------------------------


def _summed(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    fault = misspelled(params["subscripts"])
    if fault:
        raise ShapeError(fault)
    parts, result = subscripts(params["subscripts"])
    if len(parts) != len(given):
        raise ShapeError(f"{len(parts)} operands are named, {len(given)} are given",
                         hint="a group of letters for each array: einsum('ij,jk->ik', A, B)")  # fmt: skip
    found: dict[str, Dim] = {}
    for word, shape in zip(parts, given, strict=True):
        if len(word) != len(shape):
            raise ShapeError(f"'{word}' names {len(word)} axes of an array {text(shape)}",
                             hint="one letter for each axis")  # fmt: skip
        for letter, size in zip(word, shape, strict=True):
            try:
                found[letter] = shapes.unify(found.get(letter, size), size, bind)
            except ShapeError as error:
                error.message = f"the letter {letter}: {error.message}"
                error.hint = "a letter stands for one size everywhere"
                raise
    return tuple(found[letter] for letter in result)


def _einsum(node: Node) -> str:
    """Spell a sum of products; what is a product of matrices goes to BLAS."""
    names, word = letters(OPS["einsum"], len(node.args)), node.attrs["subscripts"]
    best = ", optimize=True" if len(names) > 2 else ""
    if len(names) == 2 and (pair := as_matrices(*subscripts(word))):
        k, axes = pair
        if axes:
            return f"np.tensordot({{{names[k]}}}, {{{names[1 - k]}}}, {axes})"
        best = ", optimize=True"
    if len(names) == 2 and (found := of_vectors(*subscripts(word))):
        k, first = found
        if node.args[k].op not in ("transpose", "expand"):  # those a product copies, or worse
            one, two = f"{{{names[k]}}}", f"{{{names[1 - k]}:40}}"
            if first:
                return f"np.matmul({one}, {two}[..., None])[..., 0]"
            return f"np.matmul({two}[..., None, :], {one})[..., 0, :]"
    return f'np.einsum("{word}", {", ".join(f"{{{n}}}" for n in names)}{best})'


# -- convolution -----------------------------------------------------------------------------

CONVOLUTIONS = ("full", "same", "valid")


def _vectors(given: Sequence[Shape], shorter: bool) -> tuple[Dim, Dim]:
    if any(len(shape) != 1 for shape in given):
        raise ShapeError("vectors are expected", hint="both have one axis: real[N], real[K]")
    (n,), (k,) = given
    if isinstance(n, int) and isinstance(k, int) and ((k > n and shorter) or 0 in (n, k)):
        raise ShapeError(f"a window of {k} does not fit into {n} entries",
                         hint="the second array is the shorter one")  # fmt: skip
    return n, k


def _correlated(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    n, k = _vectors(given, True)
    return (plus(minus(n, k), 1),)


def _convolved(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    mode = params["mode"]
    if mode not in CONVOLUTIONS:
        raise ShapeError(f"mode={mode!r} is not known; one of {', '.join(CONVOLUTIONS)}")
    n, k = _vectors(given, mode != "full")
    return (plus(n, k, -1) if mode == "full" else n if mode == "same" else plus(minus(n, k), 1),)


def _convolve(node: Node) -> str:
    mode = node.attrs["mode"]
    return "np.convolve({a}, {b})" if mode == "full" else f'np.convolve({{a}}, {{b}}, "{mode}")'


# fmt: off
register("prod", params=OVER, shape="reduce", vjp=("spread(g, a, axis, keepdims)*left_out(a, axis)",), numpy=_prod("prod"),
         helper=PROD, portable=_prod("np.prod"),
         glyph=r"\Pi", doc="Product over axes; the gradient is the product of the others, also where entries are 0.", source="product rule")
register("others", (1, 2), params={"axis": MISSING}, shape="like a", hidden=True, formula="punctured(a, axis)", numpy=lambda n: f"others({{a}}, {n.attrs['axis']}, {{dtype}}{', {b}' * (len(n.args) > 1)})",
         portable=_others_portable, helper=OTHERS, glyph=r"\Pi_{j\neq i}", doc="The product of all other entries along an axis.", source="product rule")
register("cumsum", params={"axis": -1}, shape="like a", vjp=("flip(cumsum(flip(g, axis), axis), axis)",), numpy=_cumsum,
         single=lambda n: added_wide(_cumsum(n)), glyph=r"\mathrm{cumsum}", doc="Running sum along an axis.", source="NumPy")
register("reshape", params={"shape": MISSING}, call="reshape(x, (N, -1))", shape=_reshaped, dtype="join", masks=True, vjp=("shaped(g, a)",),
         numpy=lambda n: f"np.reshape({{a}}, {shape_text(n.shape)})", glyph=r"\mathrm{reshape}",
         doc="The same entries, row by row, in another shape; one -1 is worked out.", source="NumPy")
register("concatenate", (1, ANY), params={"axis": 0}, call="concatenate((a, b, …), axis=0)", shape=_joined, dtype="join", masks=True, vjp=("piece(g, y, k)",),
         numpy=_several("np.concatenate"), glyph=r"\mathrm{concat}", doc="Arrays one behind the other along an axis.", source="NumPy")
register("part", params={"axis": MISSING, "start": MISSING, "stop": MISSING}, shape=_cut_out, dtype="join", masks=True, hidden=True, vjp=("put_back(g, a, axis, start, stop)",),
         numpy=lambda n: "{a:40}[" + part_text(n, size_text) + "]", glyph=r"\mathrm{slice}", doc="A part along one axis.", source="the adjoint of concatenate")
register("stack", (1, ANY), params={"axis": 0}, call="stack((a, b, …), axis=0)", shape=_stacked, dtype="join", masks=True, vjp=("layer(g, y, k)",),
         numpy=_several("np.stack"), glyph=r"\mathrm{stack}", doc="Arrays of one shape along a new axis.", source="NumPy")
register("take", 2, params={"axis": 0}, call="take(x, k, axis=0)", shape=_taken, dtype="join", vjp=("scattered(g, b, a, axis)", None), numpy=_take,
         glyph=r"\mathrm{take}", doc="The parts at integer places along an axis: rows of an embedding.", source="NumPy")
register("scatter", 2, params={"axis": MISSING, "size": MISSING}, shape=_scattered, hidden=True, vjp=("take(g, b, axis)", None), numpy=_scatter,
         portable=_scatter_portable, helper=SCATTER, glyph=r"\mathrm{scatter}", doc="Parts added up at their places along an axis.", source="the adjoint of take")
register("einsum", (1, ANY), params={"subscripts": MISSING}, call='einsum("ij,jk->ik", a, b, …)', shape=_summed, vjp=("einsum_back(g, y, k)",), numpy=_einsum,
         glyph=r"\Sigma", doc="Sum of products over the letters that the result does not have.", source="Einstein 1916; NumPy")
register("correlate", 2, shape=_correlated, vjp=("convolve(g, b)", "correlate(a, g)"), numpy='np.correlate({a}, {b}, "valid")',
         latex=r"{a:21} \star {b:21}", plain="{a:21} ⋆ {b:21}", level=MUL, glyph=r"\star",
         doc="Slide a window b over a vector a: y_i is the sum of a_(i+j) b_j; what deep learning calls a convolution.", source="signal processing")
register("convolve", 2, params={"mode": "full"}, shape=_convolved, vjp=("correlate(widened(g, b, mode), b)", "against(g, a, b, mode)"), numpy=_convolve,
         glyph="*", doc="Convolution of two vectors, in NumPy's modes full, same and valid.", source="signal processing")
# fmt: on
