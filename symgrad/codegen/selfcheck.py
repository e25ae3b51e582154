"""Write the end of a generated module: `python model.py --check` compares its gradients.

The text depends on the declarations alone, so it serves every style and float type.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.autodiff import point
from symgrad.graph import Graph, Node, dimensions
from symgrad.shapes import Bindings, Dim, fits

WIDE = 96
LARGE = 20_000  # nodes above which no point is tried out
SIZES = (4, 3, 5, 2, 6, 7)
# steps h, of which differences are wrong by about h^2 + eps/h, and what is taken for agreement
TOLERANCES = {"float64": ("1e-5", "1e-6"), "float32": ("4e-3", "1e-2")}
NUMBERS = ("param", "data", "real", "scalar")
_MAIN = """

if __name__ == "__main__":
    import sys

    if sys.argv[1:] == ["--check"]:
        sys.exit(check())
    print(f"usage: python {sys.argv[0]} --check   compare the gradients with OTHERS")
    sys.exit(2 if sys.argv[1:] else 0)
"""
OTHERS = "differences"  # what gradients are compared with
MAIN = _MAIN.replace("OTHERS", OTHERS)
NOTHING = '''

def check():
    """Say that there is nothing to check: no gradient is asked for."""
    print("nothing to check: no gradient is asked for")
    return 0
'''
INNER = """    for name in {names}:
        print(f"{{name}}: not checked, a value on the way")
"""
ALL_INNER = '''

def check():
    """Say that no gradient is checked: differences of inputs do not tell those of other values."""
{inner}    return 0
'''
DIFFERENCE = '''

def difference(name, rng, h={step}):
    """Compare one gradient at a random point with differences of the value, along 5 directions."""
{drawn}
{called}    worst = 0.0
    with np.errstate(all="ignore"):  # a point outside of the domain gives nan
        _, grads = {function}(**at)
        for _ in range(5):
            d = rng.normal(size=np.shape(at[{key}]))
            up, down = ({function}(**{{**at, {key}: at[{key}] + s * d}})[0] for s in (h, -h))
            along = np.sum(grads[name] * d)
            worst = np.maximum(worst, abs((up - down) / (2 * h) - along) / max(1, abs(along)))
    return worst
'''
CHECK = '''

def check():
    """Check every gradient at the better half of 6 points; return 0 if all agree, else 1."""
{before}    failed = 0
    for name in {names}:
        found = [difference(name, np.random.default_rng(seed)) for seed in range(6)]
        error = np.sort(found)[2]  # {doubt}
        good = error < {tolerance}
        failed += not good
        print(f"{{name}}: {{'ok' if good else 'WRONG'}}, largest relative difference {{error:.1e}}")
{inner}    return int(failed > 0)
'''


@dataclass(frozen=True, slots=True)
class Comparison:
    """Say what a target's check compares gradients with, see `DIFFERENCE` for the slots.

    `before` are statements before the first call, by float type.
    """

    text: str = DIFFERENCE
    others: str = OTHERS
    doubt: str = "near a kink, differences are no derivative"
    tolerances: Mapping[str, tuple[str, str]] = field(default_factory=lambda: TOLERANCES)
    before: Mapping[str, str] = field(default_factory=dict)


def section(
    graph: Graph,
    wrt: Iterable[str],
    parameters: Mapping[str, str],
    function: str,
    dtype: str,
    compared: Comparison = Comparison(),
) -> str:
    """Write the check of a module whose `function` calls the inputs as `parameters` says.

    >>> from symgrad.parse import parse
    >>> text = section(parse("w*x"), ["w"], {"w": "w", "x": "x"}, "value_and_grad", "float64")
    >>> print(text.splitlines()[4])
        at = {name: rng.normal() for name in ("w", "x")}
    """
    names = [name for name in wrt if name in parameters]
    main = _MAIN.replace("OTHERS", compared.others)
    others = [f'"{name}"' for name in wrt if name not in parameters]
    inner = INNER.format(names=_wrapped(others, 8)) if others else ""
    if not names:
        return (ALL_INNER.format(inner=inner) if inner else NOTHING) + main
    renamed = {name: parameters[name] for name in names if parameters[name] != name}
    listed = ", ".join(f'"{k}": "{v}"' for k, v in renamed.items())
    step, tolerance = compared.tolerances[dtype]
    text = (compared.text + CHECK).format(
        step=step,
        tolerance=tolerance,
        function=function,
        drawn=_drawn(graph, parameters),
        called=f"    key = {{{listed}}}.get(name, name)\n" if renamed else "",
        key="key" if renamed else "name",
        symmetric=_symmetric(graph, names),
        inner=inner,
        names=_wrapped([f'"{name}"' for name in names], 8),
        doubt=compared.doubt,
        before=compared.before.get(dtype, ""),
    )
    return text + main


def _symmetric(graph: Graph, names: Iterable[str]) -> str:
    """Keep what moves along symmetric matrices, where `own` and `grads` are compared whole."""
    kept = [n.attrs["name"] for n in graph.inputs if n.attrs["kind"] == "symmetric"]
    listed = ", ".join(f'"{name}"' for name in names if name in kept)
    if not listed:
        return ""
    return (f"    if name in ({listed},):  # along symmetric matrices alone\n"
            "        own, grads[name] = own + own.T, grads[name] + grads[name].T\n")  # fmt: skip


def _drawn(graph: Graph, parameters: Mapping[str, str]) -> str:
    """Write the inputs at random; those of one sort in one line."""
    sizes, positive = _sizes(graph)
    groups: dict[str, list[str]] = {}
    symmetric = []
    for node in graph.inputs:
        name = parameters[node.attrs["name"]]
        shape = tuple(sizes[d] if isinstance(d, str) else d for d in node.shape)
        groups.setdefault(_value(node, shape, sizes, positive), []).append(f'"{name}"')
        if node.attrs["kind"] == "symmetric":
            symmetric.append(f'    at["{name}"] = at["{name}"] + at["{name}"].T')
    lines = []
    for value, names in groups.items():
        if len(names) == 1:
            lines.append(f"{names[0]}: {value}")
        else:
            lines.append(f"name: {value} for name in {_wrapped(names, 8)}")
    shown = ", ".join(f"{d} = {n}" for d, n in sizes.items())
    note = f"  # {shown}" if shown and len(shown) < WIDE - 12 else ""
    if len(lines) == 1:
        return "\n".join([f"    at = {{{lines[0]}}}{note}", *symmetric])
    listed = [f"        **{{{x}}}," if " for name in " in x else f"        {x}," for x in lines]
    return "\n".join([f"    at = {{{note}", *listed, "    }", *symmetric])


def _sizes(graph: Graph) -> tuple[Bindings, bool]:
    """Choose small sizes with which the program runs, and say whether it wants positive numbers."""
    free = Graph.of(graph.outputs, names=graph.names, extra_inputs=graph.inputs)
    names = dimensions(graph.inputs)
    sizes = Bindings()
    positive = False
    if len(graph.order()) <= LARGE:
        at = point(free)
        for node in graph.inputs:
            fits(_shape(at[node.attrs["name"]]), node.shape, sizes)
        drawn = [at[n.attrs["name"]] for n in graph.inputs if n.attrs["kind"] in NUMBERS]
        positive = bool(drawn) and all((v > 0) is True or (v > 0).all() for v in drawn)
    for k, name in enumerate(names):
        sizes.setdefault(name, SIZES[k % len(SIZES)])
    return Bindings({name: sizes[name] for name in names}), positive


def _shape(value: object) -> Sequence[int]:
    found: Sequence[int] = getattr(value, "shape", ())
    return found


def _value(node: Node, shape: tuple[int, ...], sizes: Mapping[str, int], positive: bool) -> str:
    """Write one input at random, of its declared kind."""
    kind = node.attrs["kind"]
    size = f"size={_text(shape)}" if shape else ""
    behind, sized = (f", {_text(shape)}", f", size={_text(shape)}") if shape else ("", "")
    if node.dtype == "int":
        classes: Dim = node.attrs["classes"]
        below = sizes[classes] if isinstance(classes, str) else classes
        return f"rng.integers({below}{sized})"
    if kind == "integer":
        return f"rng.integers(2{sized})"
    if kind == "onehot":
        lead = f", size={_text(shape[:-1])}" if shape[:-1] else ""
        return f"np.eye({shape[-1]})[rng.integers({shape[-1]}{lead})]"
    if kind == "simplex":
        lead = f", {_text(shape[:-1])}" if shape[:-1] else ""
        return f"rng.dirichlet(np.ones({shape[-1]}){lead})"
    if kind in ("sign", "binary"):
        return f"rng.choice([{'-1.0' if kind == 'sign' else '0.0'}, 1.0]{behind})"
    if kind == "positive" or positive:
        return f"rng.uniform(0.2, 0.9{behind})"
    return f"rng.normal({size})"


def _text(shape: tuple[int, ...]) -> str:
    return str(shape) if len(shape) > 1 else str(shape[0])


def _wrapped(texts: list[str], indent: int) -> str:
    """Write a tuple over as many lines as it needs."""
    lines, line = [], ""
    for text in texts:
        if len(line) + len(text) > WIDE - 50:
            lines.append(line.rstrip())
            line = ""
        line += text + ", "
    lines.append(line.rstrip() if len(texts) == 1 else line.rstrip(", "))
    return "(" + ("\n" + " " * (indent + 4)).join(lines) + ")"
