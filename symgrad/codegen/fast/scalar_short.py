"""Write a short program of numbers from its plan: simplified, a formula beside each line."""

from collections.abc import Iterable, Mapping

from symgrad.codegen.entries import Entries
from symgrad.codegen.fast.scalar import Scalar, floating, spelt
from symgrad.codegen.lists import MANY
from symgrad.codegen.plan import Plan
from symgrad.formula import plain as plain_form
from symgrad.formula import plain_name
from symgrad.formula.code import Writer, number
from symgrad.graph import Node, topological

NOTE_COLUMN = 44
WIDE = 96


def short(
    plan: Plan, accurate: bool = False, dtype: str = "float64", parts: Entries | None = None
) -> Scalar | None:
    """Write a short program of numbers, each value that is used twice on a line with its formula.

    None where it is no program of numbers, or has to leave a branch uncomputed.
    """
    graph, value = plan.graph, plan.value
    roots = [value, *plan.grads.values()]
    order = topological([*plan.grads.values(), value])
    if (len(graph.inputs) > MANY and not parts) or not value.args or value.dtype != "float":
        return None
    if any(n.dtype == "bool" for n in roots) or not graph.inputs:
        return None
    if any(n.shape for n in graph.inputs):  # an array that nothing uses is no number
        return None
    titles = {n: plan.names[n] for n in plan.lines if n in order}
    titles = {n: f"v{t}" if t.startswith("__") else t for n, t in titles.items()}  # _, numbered
    titles.setdefault(value, plan.of)
    program = spelt(graph, order, [], accurate, titles, roots, parts)
    if program is None or program.runs:
        return None
    program.forward()
    shown = {n: plain_name(t) for n, t in {**program.called, **program.titles}.items()}
    for k, node in program.noted.items():
        shown.setdefault(node, plain_name(program.lines[k].partition(" = ")[0]))
    body = [_noted(line, program.noted.get(k), shown) for k, line in enumerate(program.lines)]
    results, writer = {}, Writer(scalar=True)
    for name, node in plan.grads.items():
        if node.op == "const":
            results[name] = number(float(node.attrs["value"]))
            continue
        text = program.operand(node)[0]
        results[name] = floating(writer, node, text)
        if results[name] == text and node in program.inline:
            results[name] = title = _free(f"grad_{name}", [*shown.values(), *results.values()])
            note = f"∂{plain_name(plan.of)}/∂{plain_name(name)}"
            body.append(_noted(f"{title} = {text}", node, {**shown, node: note}))
    returned = floating(writer, value, program.text(value))
    return Scalar(graph, plan.trace, program.called, results, body, returned, program.calls,
                  dtype, parts=parts)  # fmt: skip


def _free(name: str, taken: Iterable[str]) -> str:
    """Give a name that is not taken."""
    used = dict.fromkeys(taken)
    while name in used:
        name += "_"
    return name


def _noted(line: str, node: Node | None, shown: Mapping[Node, str]) -> str:
    """Put the formula of a value beside its line."""
    if node is None:
        return line
    left = shown.get(node) or line.partition(" = ")[0]
    note = f"# {left} = {plain_form.write(node, {n: t for n, t in shown.items() if n is not node})}"
    padded = f"{line:<{NOTE_COLUMN}}  {note}"
    return padded if len(padded) <= WIDE else line
