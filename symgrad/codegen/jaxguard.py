"""Write what a JAX module checks of its inputs: shapes and types when it is traced, else its value.

Traced code knows shapes, and cannot raise for what an array holds. JAX takes a label of -1 for the
last class, and one above all for the last, too. So a value is NaN where labels or entries are not
as declared: a training that goes wrong stops, and says so.
"""

from collections.abc import Callable, Mapping

from symgrad.codegen.guard import declared, facts, fitting, shapes_of
from symgrad.codegen.jaxtext import translated
from symgrad.codegen.lists import wrapped
from symgrad.graph import Graph, Node
from symgrad.ops.spec import size_text, sized

NAMES = ("SHAPES", "verify", "verify_shapes", "whole_numbers")
VERIFY = '''

{shapes}


def verify(**inputs):
    """Raise ValueError for shapes that are not as declared."""
    verify_shapes({{name: value.shape for name, value in inputs.items()}})
'''
WHOLE = '''

def whole_numbers(name, value):
    """Convert labels; raise ValueError for what are none by its type."""
    labels = jnp.asarray(value)
    if labels.size and not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(f"{name} has the type {labels.dtype}; labels are whole numbers")
    return labels.astype(jnp.int32)
'''


def called(nodes: Mapping[str, Node]) -> list[str]:
    """Write the call of `verify`, if there is anything to verify."""
    if not any(n.shape or n.dtype == "int" for n in nodes.values()):
        return []
    return wrapped("    verify(", [f"{k}={k}" for k in nodes], ")").split("\n")


def checks(nodes: Mapping[str, Node], graph: Graph) -> str:
    """Write the functions that are called, for the end of the module."""
    text = VERIFY.format(shapes=shapes_of(nodes)) + fitting(nodes, graph) if called(nodes) else ""
    text += WHOLE * any(n.dtype == "int" for n in nodes.values())
    return text + translated(facts(declared(nodes, graph)[1].values()))


def poisoned(
    value: str, nodes: Mapping[str, Node], graph: Graph, name_of: Callable[[str], str]
) -> list[str]:
    """Write the lines that make a value NaN where labels or entries are not as declared.

    `name_of` says what the module calls a dimension.
    """
    classes, kinds = declared(nodes, graph)
    tests = []
    for label, count in classes.items():
        size = count if isinstance(count, int) else sized(size_text(count), name_of)
        tests.append(f"jnp.all(({label} >= 0) & ({label} < {size}))")
    tests += [f"jnp.all(is_{kind}({name}))" for name, kind in kinds.items()]
    if not tests:
        return []
    named = ", ".join([*classes, *kinds])
    return [f"# NaN where {named} {'are' if len(tests) > 1 else 'is'} not as declared",
            *(f"{value} = jnp.where({test}, {value}, jnp.nan)" for test in tests)]  # fmt: skip
