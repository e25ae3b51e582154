"""Write what a module alone checks of its inputs: shapes, labels, and what is declared of them.

NumPy broadcasts shapes that were never meant, and takes a label of -1 for the last class: without a
check a module would answer wrongly without a word. A compiled function has checks of its own, so
only the text that goes into a file has these. They stand at its end, behind the mathematics.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from textwrap import fill

from symgrad.codegen.direct import END
from symgrad.codegen.lists import WIDE, wrapped
from symgrad.dims import names_in
from symgrad.graph import Graph, Node
from symgrad.ops.declared import FACTS, MEANING, SLACK
from symgrad.ops.numbers import scores
from symgrad.ops.spec import size_text, sized
from symgrad.ops.windows import slides
from symgrad.shapes import Dim

VERIFY = '''

{shapes}
FITTING = {{}}  # the sizes, by shapes that fit together


def {name}(**inputs):
    """Raise ValueError for shapes, labels or entries that are not as declared."""
    shapes = tuple(["None" if v is None else np.shape(v) for v in inputs.values()])
    if shapes not in FITTING:
        FITTING[shapes] = verify_shapes(dict(zip(inputs, shapes)))
'''
NUMBERS = '''

def {name}(**inputs):
    """Raise ValueError for None, which NumPy takes for NaN."""
    for name, value in inputs.items():
        if value is None:
            raise ValueError(f"{{name}} is None; expected is a number")
'''
FITS = '''

def verify_shapes(shapes):
    """Find the size that each letter of SHAPES stands for; raise ValueError if there is none."""
    sizes = {}
    for name, shape in shapes.items():
        dims = SHAPES[name]
        known = dict(sizes)
        found = [sizes.setdefault(d, n) if type(d) is str else d for d, n in zip(dims, shape)]
        if len(shape) != len(dims) or tuple(found) != shape:
            wanted = ", ".join([f"{d} = {known[d]}" if d in known else str(d) for d in dims])
            raise ValueError(f"{name} has the shape {shape}; expected is ({wanted})")
'''
MADE = """    made = {listed}
    for dim, size in made.items():
        if sizes[dim] != size:
            raise ValueError(f"{{dim}} is {{size}}; an array has {{sizes[dim]}}")
"""
SLIDING = """    for window, size in {listed}:
        if window > size:
            raise ValueError(f"a window of {{window}} does not fit into {{size}} entries")
"""
CALLED = """    for name, classes in CLASSES.items():
        verify_labels(name, inputs[name], FITTING[shapes].get(classes, classes))
"""
LABEL = '''

def verify_labels(name, value, count):
    """Raise ValueError for what is no whole number from 0 to count - 1."""
    labels = np.asarray(value)
    if labels.dtype == np.int64 and labels.size:  # as unsigned numbers, those below 0 are greatest
        unsigned = labels.view(np.uint64)
        if unsigned.item(unsigned.argmax()) < count:
            return
    with np.errstate(invalid="ignore"):
        wrong = ~((labels >= 0) & (labels < count) & (labels == np.floor(labels)))
    if wrong.any():
        where = [k.item() for k in np.argwhere(wrong)[0]]
        raise ValueError(f"{name}{where or ''} is {labels[wrong][0]}; expected is 0 to {count - 1}")
'''
DECLARED = """    for name, holds in DECLARED.items():
        if not holds(np.asarray(inputs[name])).all():
            raise ValueError(f"{name} must be {holds.__doc__}")
"""
FACT = '''

def is_{kind}(a):
    """{meaning}"""
    return {test}
'''
ROWS = f"(np.abs(a.sum(-1) - 1) <= {SLACK})"
NEAR = f"np.abs(np.abs(a - 0.5) - 0.5) <= {SLACK}"  # to 0 or 1; of truth values, too
TESTS = {  # none of them overflows, or takes infinity from infinity where it should not pass
    "sign": f"np.abs(np.abs(a) - 1) <= {SLACK}",
    "binary": NEAR,
    "positive": "~(a <= 0)",
    "symmetric": f"~(np.abs(1.0 * a - a.T) > {SLACK} * np.max(np.abs(a), initial=1,"
                 " where=np.isfinite(a)))",
    "simplex": f"(a >= -{SLACK}).all(-1) & {ROWS}",
    "onehot": f"({NEAR}).all(-1) & {ROWS}",
}  # fmt: skip


MOVED = "    DECLARED.clear()  # the steps of differences leave what is declared\n"


def verified(program: str, nodes: Mapping[str, Node], function: str) -> str:
    r"""Have a module's `function`, which takes the values of these input `nodes`, check them.

    Of numbers of which nothing is declared, None alone is looked for: NumPy takes it for NaN.

    >>> from symgrad.ops import leaf
    >>> head = 'def f(*, w, x):\n    \"\"\"Multiply.\n    \"\"\"\n'
    >>> nodes = {name: leaf(name, ("N",), "real") for name in ("w", "x")}
    >>> print(verified(head + "    return w @ x\n", nodes, "f").splitlines()[3].strip())
    verify(w=w, x=x)
    """
    start = re.search(rf"^def {function}\(", program, re.MULTILINE)
    place = program.find(END, start.start()) + len(END) if start else 0
    if place < len(END) or not nodes:
        return program
    if not _plain(nodes):
        call = wrapped(f"    {_called(program)}(", [f"{k}={k}" for k in nodes], ")")
    else:
        call = _unless_numbers(program, [*nodes], listed=f"{function}(**inputs)" in program)
    return program[:place] + call + "\n" + program[place:]


def _plain(nodes: Mapping[str, Node]) -> bool:
    """Say whether all inputs are numbers of which nothing is declared."""
    return not any(n.shape or n.dtype == "int" or n.attrs["kind"] in FACTS for n in nodes.values())


def _unless_numbers(program: str, names: list[str], listed: bool) -> str:
    """Write the call of the check for None among numbers, which otherwise need none."""
    if listed:
        return f"    if None in inputs.values():\n        {_called(program)}(**inputs)"
    tests = " or ".join(f"{k} is None" for k in names)
    if len(tests) > WIDE - len("    if :"):
        tests = fill(f"({tests})", WIDE - len("    if "), subsequent_indent=" " * 8)
    call = wrapped(f"        {_called(program)}(", [f"{k}={k}" for k in names], ")")
    return f"    if {tests}:\n{call}"


def _called(program: str) -> str:
    """Choose a name that the program has not."""
    name = "verify"
    while re.search(rf"\b{name}\b", program):
        name += "_"
    return name


def checks(program: str, nodes: Mapping[str, Node], graph: Graph) -> str:
    """Write the function that `verified` has called, and what it calls itself."""
    name = _called(program)
    if _plain(nodes):
        return NUMBERS.format(name=name)
    classes, kinds = declared(nodes, graph)
    text = VERIFY.format(name=name, shapes=shapes_of(nodes))
    if classes:
        listed = _table("CLASSES", [f'"{k}": {_dim(c)}' for k, c in classes.items()])
        text = text.replace("FITTING = ", f"{listed}\nFITTING = ") + CALLED
    text += DECLARED * bool(kinds) + fitting(nodes, graph) + LABEL * bool(classes)
    text += facts(kinds.values())
    if kinds:
        text += "\n\n" + _table("DECLARED", [f'"{k}": is_{v}' for k, v in kinds.items()]) + "\n"
    return text


def declared(nodes: Mapping[str, Node], graph: Graph) -> tuple[dict[str, Dim], dict[str, str]]:
    """Map labels to how many classes there are, and inputs to the facts that they keep to."""
    used = scores(graph)
    known = {d for n in nodes.values() for d in n.shape}
    found = {k: n.attrs.get("classes", used.get(n.attrs["name"])) for k, n in nodes.items()
             if n.dtype == "int"}  # fmt: skip
    classes = {k: c for k, c in found.items() if isinstance(c, int) or c in known}
    return classes, {k: n.attrs["kind"] for k, n in nodes.items() if n.attrs["kind"] in FACTS}


def shapes_of(nodes: Mapping[str, Node]) -> str:
    """Write the table SHAPES of the declared shapes."""
    return _table("SHAPES", [f'"{k}": {_listed(n.shape)}' for k, n in nodes.items()])


def fitting(nodes: Mapping[str, Node], graph: Graph) -> str:
    """Write the function `verify_shapes`, which compares shapes with SHAPES."""
    known = {d for n in nodes.values() for d in n.shape}
    return FITS + _made(known) + _sliding(graph, known) + "    return sizes\n"


def facts(kinds: Iterable[str]) -> str:
    """Write a function for each kind that says of each entry, or row, whether it is as declared."""
    return "".join(
        FACT.format(kind=kind, meaning=MEANING[kind], test=TESTS[kind])
        for kind in dict.fromkeys(kinds)
    )


def _sliding(graph: Graph, known: Collection[Dim]) -> str:
    """Write the comparison of windows with what they slide along, which NumPy takes either way."""
    listed = []
    for pair in dict.fromkeys(map(slides, graph.order())):
        names = [name for dim in pair or () for name in names_in(dim)]
        if pair and names and all(name in known for name in names):
            listed.append(f"({', '.join(map(_sized, pair))})")
    return SLIDING.format(listed=f"({', '.join(listed)},)") if listed else ""


def _sized(dim: Dim) -> str:
    return sized(size_text(dim), 'sizes["{}"]'.format)


def _made(known: Collection[Dim]) -> str:
    """Write the comparison of sizes that are made of names, as 4*H, where the names are known."""
    listed = []
    for dim in sorted(d for d in known if isinstance(d, str) and not d.isidentifier()):
        if all(name in known for name in names_in(dim)):
            listed.append(f'"{dim}": {_sized(dim)}')
    return MADE.format(listed="{" + ", ".join(listed) + "}") if listed else ""


def _table(name: str, entries: list[str]) -> str:
    one = f"{name} = {{" + ", ".join(entries) + "}"
    return one if len(one) <= WIDE else wrapped(f"{name} = {{", entries, "\n}")


def _listed(shape: tuple[Dim, ...]) -> str:
    return "(" + ", ".join(map(_dim, shape)) + "," * (len(shape) == 1) + ")"


def _dim(dim: Dim) -> str:
    return str(dim) if isinstance(dim, int) else f'"{dim}"'
