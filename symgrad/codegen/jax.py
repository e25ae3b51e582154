"""Write a JAX module: the lines of the NumPy module, as a pure function.

The operators' rows hold NumPy text; `jaxtext.translated` says the same to JAX. A row whose text
cannot be said so is written by its portable template or by its formula.
"""

import re
from dataclasses import replace
from functools import lru_cache

from symgrad.codegen import jaxguard
from symgrad.codegen.guard import declared
from symgrad.codegen.jaxtext import UntranslatableError, translated
from symgrad.codegen.numpy import BUILTIN
from symgrad.codegen.numpy import Module as NumpyModule
from symgrad.codegen.plan import Plan
from symgrad.codegen.selfcheck import Comparison
from symgrad.errors import UsageError
from symgrad.formula.code import Writer
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, remake
from symgrad.ops.declared import FACTS
from symgrad.ops.spec import sized, spelled
from symgrad.parse import formula

TARGET = "JAX"
SWITCH = "jax.config.update('jax_enable_x64', True)"
NUMPY = "    import numpy as np\n\n"
COMPARED = Comparison(
    text='''

def difference(name, rng):
    """Compare one gradient at a random point with what JAX derives from the value alone."""
    import numpy as np

{drawn}
{called}    _, grads = compiled(**at)
    own = jax.grad(lambda x: {function}(**{{**at, {key}: x}})[0])(jnp.asarray(at[{key}], {step}))
{symmetric}    return float(jnp.max(abs(own - grads[name])) / max(1, jnp.max(abs(own))))
''',
    others="JAX's own", doubt="at a kink both may choose another slope",
    tolerances={"float64": ("float", "1e-9"), "float32": ("jnp.float32", "1e-3")},
    before={"float64": f"{NUMPY}    {SWITCH}\n", "float32": NUMPY},
)  # fmt: skip
ALONG = ("max_along", "sum_along")
SLOT = re.compile(r"\{(\w+)(?::\d+)?\}")


@lru_cache(maxsize=2048)
def _fault(text: str) -> str:
    """Say what in a text cannot be translated, "" if nothing."""
    try:
        translated(text)
    except UntranslatableError as error:
        return str(error)
    return ""


class JaxWriter(Writer):
    """Write nodes as NumPy text that can be translated."""

    widens = False  # XLA adds in pairs
    decides = False  # a traced number has no value yet
    inner = False  # XLA makes no array of the products

    def _template(self, node: Node) -> str:
        return self.spelling(node)[0]

    def spelling(self, node: Node) -> tuple[str, str]:
        """Choose the template of a node, and say what in it cannot be translated, "" if nothing."""
        row, used = OPS[node.op], dict(self.used)
        text = super()._template(node)
        fault = self._fault(text)
        if not fault or not row.portable:
            return text, fault
        self.used = used
        text = spelled(row.portable, node)
        self.called(text)
        text = sized(text, lambda name: self.sizes.get(name, name))
        return text, fault and self._fault(text)

    def _fault(self, template: str) -> str:
        called = (_helper(op, self.accurate) for op in self._calls.findall(template))
        return next(filter(None, map(_fault, (SLOT.sub(r"\1", template), *called))), "")


def _helper(op: str, accurate: bool) -> str:
    row = OPS[op]
    text = row.precise_helper if accurate and row.precise_helper else row.helper
    if op in ALONG:  # the last line alone: XLA knows no slow axes
        text = "\n".join([*text.strip().split("\n")[:2], text.strip().split("\n")[-1]])
    # the widest float that JAX has: without 64 bits it would warn of float64 and take float32
    return re.sub(r"\bnp\.float64\b(?!\()", "float", text or row.precise_helper)


class Module(NumpyModule):
    """Write one program as a JAX module."""

    taken = (*BUILTIN, "jax", "jnp", *jaxguard.NAMES, *(f"is_{kind}" for kind in FACTS))
    needs = "JAX only"
    places = False
    numbers = False
    writer = JaxWriter

    def source(self) -> str:
        """Give the text of the module."""
        checks = jaxguard.checks(self._called, self.plan.graph)
        return f"{super().source()}\n\ncompiled = jax.jit({self.name})\n{checks}"

    @property
    def _called(self) -> dict[str, Node]:
        return {self.called[n]: n for n in self.inputs}

    def _statements(self, writer: Writer) -> list[str]:
        lines = super()._statements(writer)
        if self.plan.value.dtype != "float":
            return lines
        return lines + jaxguard.poisoned(
            self.value, self._called, self.plan.graph, lambda name: self.dims.get(name, name)
        )

    def _title(self) -> str:
        wide = f"64-bit floats must be on in JAX: {SWITCH}\n"
        return super()._title() + (f"\n\n{wide}" if self.dtype == "float64" else "")

    def _imports(self, helpers: list[str]) -> list[str]:
        return ["import jax", "import jax.numpy as jnp", ""]

    def _helper(self, op: str) -> str:
        return translated(_helper(op, self.accurate))

    def _decorators(self) -> list[str]:
        return []

    def _remarks(self) -> list[str]:
        found = ["", "    A pure function for jax.jit, jax.vmap and sharded arrays; `compiled` is"
                     " jitted."]  # fmt: skip
        if any(declared(self._called, self.plan.graph)):
            found += [f"    {self.value} is NaN for labels that are no class, and entries that are"
                      " not as declared."]  # fmt: skip
        return found

    def _converted(self) -> list[str]:
        check = ["    if jnp.result_type(float) != jnp.float64:",
                 f'        raise ValueError("float64 is off in JAX: {SWITCH}")']  # fmt: skip
        wide = check if self.dtype == "float64" else []
        return [*wide, *super()._converted(), *jaxguard.called(self._called)]

    def _number(self, node: Node, name: str) -> str:
        if node.dtype == "int":
            return f'whole_numbers("{name}", {name})'
        return f"jnp.asarray({name}, dtype=jnp.{self.dtype})"

    def _copied(self, code: str) -> str:
        return code

    def _spelled(self, code: str) -> str:
        return translated(code)

    def _fresh(self, node: Node, code: str, writer: Writer) -> str:
        number = node.dtype == "int" or (node.dtype == "float" and not writer.strong(node))
        return f"np.asarray({code}, dtype=np.{self.dtype})" if node.shape and number else code


def _translatable(plan: Plan, accurate: bool) -> Plan:
    """Write the operators that cannot be translated by their formulas."""
    writer = JaxWriter(portable=False, accurate=accurate)

    def fault(node: Node) -> str:
        return "" if node.op in ("input", "const", "dim") else writer.spelling(node)[1]

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = fault(fresh)
        if not found:
            return fresh
        inner = formula(fresh)
        if inner is None:
            raise UsageError(
                f"the operator {node.op} cannot be written for JAX: {found}",
                hint=f"its row needs a formula or a portable template: {OPS[node.op].place}",
            )
        return rebuild([inner], change, {a: a for a in fresh.args})[inner]

    roots = [plan.value, *plan.grads.values()]
    if not any(map(fault, topological(roots))):
        return plan
    memo = rebuild(roots, change)

    def moved(table: dict[Node, str]) -> dict[Node, str]:
        return {memo.get(n, n): name for n, name in table.items()}

    grads = {name: memo[n] for name, n in plan.grads.items()}
    lines = tuple(dict.fromkeys(memo[n] for n in plan.lines))
    return replace(plan, value=memo[plan.value], grads=grads, lines=lines,
                   names=moved(plan.names), heads=moved(plan.heads))  # fmt: skip


def write(plan: Plan, dtype: str = "float64", accurate: bool = False) -> tuple[str, Module]:
    """Write a plan as the text of a JAX module."""
    module = Module(_translatable(plan, accurate), dtype, accurate)
    return module.source(), module
