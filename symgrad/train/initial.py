"""Initial values of parameters, chosen from the activation that a layer feeds.

Every choice is one NumPy expression. Generated modules write it, and the arrays are what it
computes. Each parameter has a random generator of its own, seeded with the seed and a checksum of
its name: a layer that is added changes no other.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad import shapes
from symgrad.dims import evaluated
from symgrad.errors import DataError, ShapeError, UsageError, near
from symgrad.graph import Graph, Node, line_of
from symgrad.ops.spec import shape_text, size_text, sized
from symgrad.shapes import Shape
from symgrad.train.behaviour import Behaviour
from symgrad.train.layers import Feeds, Layers
from symgrad.train.schemes import Scheme, scheme_of
from symgrad.train.uses import Use, use

Array = NDArray[Any]
AUTO = {"rectifier": "he", "selfnormal": "lecun"}  # what is neither of them: Glorot
POSITIVE = 0.01  # a small positive bias keeps a unit of the ReLU family alive at first
TITLES = {"he": "He", "lecun": "LeCun", "glorot": "Glorot"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Say how one parameter starts, and why.

    `role` is weight, rows, bias, scale, start or none; `scheme` the name of the scheme, or
    "given"; `feeds` what the layer feeds; `template` the NumPy expression, with its dimensions
    marked (see `source`); `fan_in` and `fan_out` are dimensions to be multiplied.
    """

    name: str
    shape: Shape
    role: str
    scheme: str
    why: str
    template: str
    feeds: str = ""
    kind: str = "linear"
    fan_in: Shape = ()
    fan_out: Shape = ()
    line: int | None = None
    given: Any = None


def choices(
    graph: Graph,
    params: Iterable[str] | None = None,
    scheme: Any = "auto",
    positive_biases: bool = False,
) -> dict[str, Choice]:
    """Choose how each parameter starts.

    `scheme` is a name (`symgrad.train.schemes.SCHEMES`), which goes for all weights, or maps
    parameters to names, numbers or arrays, the others being chosen. Raises `UsageError` for a
    scheme or a parameter that is not known.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: labels[N, C]; W: param[D, H]; b: param[H]; V: param[H, C];"
    ...           "cross_entropy(relu(X @ W + b) @ V, y)")
    >>> for c in choices(g).values():
    ...     print(c.name, "|", c.why)
    W | feeds relu: He, 2/fan_in
    b | a bias: 0
    V | feeds the output: Glorot, 1/fan_avg
    """
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    names = _known(inputs, params)
    wanted = _wanted(scheme, names)
    walk = Layers(graph)
    found = {}
    for name in names:
        node = inputs[name]
        part = use(walk, node)
        ahead = walk.feeds(part.node) if part.node is not None else None
        found[name] = _choice(graph, node, part, ahead, wanted[name], positive_biases)
    return found


def initialise(
    graph: Graph,
    names: Iterable[str] | None,
    sizes: Mapping[str, int],
    rng: "int | np.random.Generator" = 0,
    scheme: Any = "auto",
    dtype: Any = "float64",
    positive_biases: bool = False,
) -> dict[str, Array]:
    """Draw the initial values of parameters; `names=None` means all that are declared `param`.

    `sizes` gives every dimension a number. Of `rng` only the seed is used, nothing is drawn from
    it. Raises `UsageError` for a dimension without a number.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: data[N]; w: param[D]; b: param; mse(X @ w + b, y)")
    >>> start = initialise(g, ["w", "b"], {"D": 3}, rng=0)
    >>> start["w"].shape, float(start["b"])
    ((3,), 0.0)
    """
    found = choices(graph, names, scheme, positive_biases)
    sizes = {**graph.dims, **sizes}
    seed = entropy(rng)
    return {name: value(choice, sizes, seed).astype(dtype) for name, choice in found.items()}


def source(found: Mapping[str, Choice], called: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write for each parameter the NumPy expression that `initialise` computes.

    It uses `np`, the dimensions by name (`called` may say how a module calls them) and `rng`, the
    parameter's own generator, `np.random.default_rng([seed, key(name)])`.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: data[N]; w: param[D]; b: param; mse(X @ w + b, y)")
    >>> source(choices(g))
    {'w': 'rng.standard_normal(D) * np.sqrt(2 / (D + 1))', 'b': '0.0'}
    """
    names = called or {}
    return {k: sized(c.template, lambda d: names.get(d, d)) for k, c in found.items()}


def key(name: str) -> int:
    """Give the number that seeds a parameter's generator, beside the seed: its name's CRC-32.

    >>> key("W1")
    3858618710
    """
    return zlib.crc32(name.encode())


def entropy(rng: "int | np.random.Generator") -> tuple[int, ...]:
    """Give the seed of a generator as numbers, however much has been drawn from it.

    >>> entropy(np.random.default_rng(7)), entropy(7)
    ((7,), (7,))
    """
    if not isinstance(rng, np.random.Generator):
        return (int(rng),)
    sequence: Any = rng.bit_generator.seed_seq
    start = sequence.entropy
    start = (start,) if isinstance(start, int) else tuple(start)
    return (*start, *sequence.spawn_key)


def value(choice: Choice, sizes: Mapping[str, int], seed: tuple[int, ...]) -> Array:
    """Compute one parameter's initial value in float64."""
    for d in choice.shape:
        if evaluated(d, sizes) is None:
            shape = ", ".join(map(str, choice.shape))
            other = ", ".join("64" if e == d else str(e) for e in choice.shape)
            raise UsageError(
                f"{choice.name}: param[{shape}] needs a number for {d}; the data do not say it",
                hint=f"sizes={{'{d}': 64}} gives it one, or declare {choice.name}: param[{other}]",
            )
    want = tuple(evaluated(d, sizes) or 0 for d in choice.shape)
    if choice.scheme == "given":
        return _fitting(choice, want)
    rng = np.random.default_rng([*seed, key(choice.name)])
    text = sized(choice.template, lambda d: str(int(sizes[d])))
    result = eval(text, {"np": np, "rng": rng})  # the expression of a scheme, never a user's text
    return np.asarray(result, dtype=np.float64)


def _fitting(choice: Choice, want: tuple[int, ...]) -> Array:
    """Check an array that is given as an initial value."""
    try:
        array = np.array(choice.given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"the initial value of '{choice.name}' is not a number or an array",
                        hint="give a scheme's name, a number or an array") from None  # fmt: skip
    if array.ndim == 0 and want:
        array = np.full(want, float(array))
    if array.shape != want:
        raise ShapeError(f"'{choice.name}' is {shapes.text(want)}; the initial value given is "
                         f"{shapes.text(array.shape)}")  # fmt: skip
    if not np.all(np.isfinite(array)):
        raise DataError(f"the initial value of '{choice.name}' is not finite")
    return array


def _known(inputs: Mapping[str, Node], params: Iterable[str] | None) -> list[str]:
    declared = [k for k, n in inputs.items() if n.attrs["kind"] == "param"]
    names = declared if params is None else list(params)
    for name in names:
        if name not in inputs:
            there = f"there are {', '.join(declared) or 'none'}"
            raise UsageError(f"'{name}' is no parameter of the model",
                             hint=near(name, declared) + there)  # fmt: skip
    return names


def _wanted(scheme: Any, names: list[str]) -> dict[str, Any]:
    """Say for each parameter which scheme or value is asked for; check the schemes' names."""
    if not isinstance(scheme, Mapping):
        one = scheme_of(scheme)
        return dict.fromkeys(names, one)
    for name in scheme:
        if name not in names:
            raise UsageError(f"an initial value is given for '{name}', which is no parameter",
                             hint=near(name, names) + f"there are {', '.join(names)}")  # fmt: skip
    asked = {k: scheme_of(v, alone=True) if isinstance(v, str) else v for k, v in scheme.items()}
    return {k: asked.get(k, scheme_of("auto")) for k in names}


def _choice(
    graph: Graph, node: Node, part: Use, ahead: Feeds | None, asked: Any, positive: bool
) -> Choice:
    """Put one choice together."""
    name, kind = str(node.attrs["name"]), ahead.behaviour.kind if ahead else "linear"
    line = line_of(graph.spans, part.node) if part.node is not None else None
    feeds = ahead.label if ahead else ""

    def made(scheme: str, why: str, template: str, given: Any = None) -> Choice:
        return Choice(name, node.shape, part.role, scheme, why, template, feeds, kind,
                      part.fan_in, part.fan_out, line, given)  # fmt: skip

    if not isinstance(asked, Scheme):
        return made("given", "given", f"{name}", asked)
    weighty = part.role in ("weight", "rows") or (part.role == "none" and len(node.shape) > 1)
    if asked.name != "auto" and (weighty or asked.alone):
        template = asked.template(node.shape, _fans(part, node.shape), _power(ahead))
        return made(asked.name, f"asked for: {asked}", admissible(node, template))
    if not weighty:
        start, why = _start(part, kind, feeds, positive)
        return made("constant", why, constant(node, start))
    if part.role == "rows":
        template = scheme_of("normal").template(node.shape, ((), ()), 1.0)
        return made("normal", "rows that are looked up: variance 1", admissible(node, template))
    chosen = AUTO.get(kind, "glorot")
    power = _power(ahead)
    template = scheme_of(chosen).template(node.shape, _fans(part, node.shape), power)
    return made(chosen, _why(chosen, ahead, power), admissible(node, template))


def _fans(part: Use, shape: Shape) -> tuple[Shape, Shape]:
    """Give the fans; without a layer, those of X @ W."""
    if part.role == "weight":
        return part.fan_in, part.fan_out
    return (shape[-2:-1], shape[-1:]) if len(shape) > 1 else (shape, ())


def _power(ahead: Feeds | None) -> float:
    """Give l² + r² of a function that passes a side on, 1 where it says nothing."""
    found = ahead.behaviour if ahead else Behaviour("linear")
    return found.power if found.kind == "rectifier" and found.power else 1.0


def _why(chosen: str, ahead: Feeds | None, power: float) -> str:
    """Say which activation led to a scheme."""
    where = f"feeds {ahead.label}" if ahead else "no layer was found"
    variance = {"he": "2/fan_in", "lecun": "1/fan_in", "glorot": "1/fan_avg"}[chosen]
    if chosen == "he" and ahead and power != 1:
        slope = min(abs(ahead.behaviour.left), abs(ahead.behaviour.right))
        one = max(abs(ahead.behaviour.left), abs(ahead.behaviour.right))
        squares = f"{one:g}²" if one != 1 else "1"
        variance = f"2/(({squares}{f' + {slope:g}²' if slope else ''}) fan_in)"
    return f"{where}: {TITLES[chosen]}, {variance}"


def _start(part: Use, kind: str, feeds: str, positive: bool) -> tuple[float, str]:
    """Choose the constant at which a parameter starts that is no weight."""
    if part.role == "bias":
        if positive and kind == "rectifier":
            return POSITIVE, f"a bias before {feeds}: {POSITIVE}"
        return 0.0, "a bias: 0"
    if part.role == "scale":
        return 1.0, "a factor: 1"
    if part.role == "start" and part.node is not None:
        called = f"{part.operand or 'operand'} of {part.node.op}"
        return part.start, f"{called}: {part.start:g}"
    return 0.0, "no layer was found: 0"


def constant(node: Node, start: float) -> str:
    """Write an array of one number; what has to be positive starts at 1 instead of 0."""
    start = 1.0 if node.attrs["kind"] == "positive" and start <= 0 else float(start)
    if not node.shape:
        return repr(start)
    size = size_text(node.shape[0]) if len(node.shape) == 1 else shape_text(node.shape)
    named = {0.0: "np.zeros({})", 1.0: "np.ones({})"}.get(start, f"np.full({{}}, {start!r})")
    return named.format(size)


def admissible(node: Node, template: str) -> str:
    """Make a drawn array suit the kind of its input: positive or symmetric."""
    if node.attrs["kind"] == "positive":
        return f"np.abs({template}) + 0.01"
    if node.attrs["kind"] == "symmetric":
        return f"((a := {template}) + a.T) / np.sqrt(2)"
    return template
