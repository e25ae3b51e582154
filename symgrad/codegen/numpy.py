"""Write a NumPy module, readable style: line for line the printed formulas.

The text is made of the rows' templates, checked names and repr of numbers, nothing else. Targets
whose libraries follow NumPy's derive from `Module` and change what their library does differently.
"""

import re
from collections.abc import Iterable

from symgrad import shapes
from symgrad.codegen.dimensions import sizes_of
from symgrad.codegen.entries import Entries
from symgrad.codegen.numeric import counted
from symgrad.codegen.overmath import SINGLE, dispatch, single
from symgrad.codegen.placed import placed
from symgrad.codegen.plan import Plan
from symgrad.dims import names_in
from symgrad.evaluate import helpers
from symgrad.formula import plain as plain_form
from symgrad.formula import plain_name
from symgrad.formula.code import Writer, number
from symgrad.formula.names import distinct
from symgrad.graph import Node, topological
from symgrad.ops import OPS
from symgrad.shapes import Shape

VIEWS = ("input", "transpose", "expand", "broadcast", "slice", "reshape", "part", "diag", "windows",
         "skewed")  # fmt: skip
BUILTIN = ("np", "math", "m", "float", "abs", "max", "min", "map", "dict", "args", "value", "grads",
           "SINGLE")  # fmt: skip
TARGET = "NumPy"
LAZY = ("float32", "float64")  # numbers are Python's floats; only the branch taken is evaluated
WIDE = 96
NOTE_COLUMN = 44


class Module:
    """Write one program as a module; `source` is its text, `name` its function."""

    taken: tuple[str, ...] = BUILTIN  # what no name of the program may be called
    needs = "NumPy only"
    places = True  # parts of an array may be changed
    numbers = True  # a program of numbers is written over math
    writer: type[Writer] = Writer

    def __init__(
        self, plan: Plan, dtype: str, accurate: bool = False, parts: Entries | None = None
    ) -> None:
        self.plan, self.dtype, self.accurate, self.parts = plan, dtype, accurate, parts
        self.inputs = parts.given.inputs if parts else plan.graph.inputs
        self.order = topological([plan.value, *plan.grads.values()])
        arrays = any(n.shape or n.dtype == "int" for n in (*self.order, *plan.graph.inputs))
        self.scalar = self.numbers and not arrays
        if not self.scalar:  # math or NumPy, which a program of arrays does not choose between
            self.taken = tuple(name for name in self.taken if name != "m")
        self.name = "value_and_grad" if plan.grads else "value"
        self.numeric = frozenset() if self.scalar else counted(plan, self.order)
        self._choose_names()

    # -- names ---------------------------------------------------------------------------------

    def _choose_names(self) -> None:
        """Give every input, line, gradient and dimension a name that nothing else has."""
        taken = dict.fromkeys([*self.taken, *helpers(), self.name, f"_{self.name}"])

        def fresh(name: str) -> str:
            while name in taken or name.startswith("__"):
                name = f"v{name}" if name.startswith("_") else f"{name}_"
            taken[name] = None
            return name

        self.called: dict[Node, str] = {n: fresh(n.attrs["name"]) for n in self.inputs}
        self.parameters = {n.attrs["name"]: self.called[n] for n in self.inputs}
        if self.parts:
            self.called |= self.parts.called(self.called)
        for node in self.plan.lines:
            self.called[node] = fresh(self.plan.names[node])
        if self.plan.value not in self.called:
            self.value = self.called[self.plan.value] = fresh(self.plan.of)
        else:
            self.value = self.called[self.plan.value]
        self.results: dict[str, str] = {}
        for name, node in self.plan.grads.items():
            also = name in self.plan.also
            there = node.op not in ("input", *VIEWS) if also else not node.shape
            known = node in self.called and (also or self.plan.heads.get(node) == name)
            stem = name if also else f"grad_{name}"
            self.results[name] = self.called[node] if there and known else fresh(stem)
        self.dims = {d: fresh(d) for d in self._sizes_named()}
        self._typeset([*self.called.values(), *self.results.values()])
        of_ = self._text(self.plan.of)
        self.shown = {n: self._text(t) for n, t in self.called.items()}
        for node, head in self.plan.heads.items():
            if node in self.shown:
                self.shown[node] = f"∂{of_}/∂{self._text(head)}"

    def _typeset(self, names: Iterable[str]) -> None:
        """Choose the texts of names in comments: of x1 and x_1 only one is written x₁."""
        more = [*self.plan.heads.values(), *self.plan.grads, self.plan.of]
        known = dict.fromkeys(name for name in [*names, *more] if name)
        self._texts = distinct(known, latex=False)

    def _text(self, name: str) -> str:
        return self._texts.get(name) or plain_name(name)

    def _sizes_named(self) -> dict[str, None]:
        """List the names of dimensions; nodes without parameters have those of their shapes."""
        found: dict[str, None] = {}
        seen: dict[Shape, None] = {}
        for node in (*self.order, *self.inputs):
            if node.shape not in seen or (node.attrs and node.op != "input"):
                seen[node.shape] = None
                found |= dict.fromkeys(self._dims(node))
        return found

    @staticmethod
    def _dims(node: Node) -> list[str]:
        found = [*node.shape, *node.attrs.get("shape", ())]
        if node.op != "input":
            found += [node.attrs.get(k, 0) for k in ("name", "size", "start", "stop")]
        return [name for d in found for name in names_in(d)]

    @property
    def made(self) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
        """List the shapes of the arrays that a call makes, and of those that live in tiles."""
        real = (n.shape for n in self.order if n.op not in VIEWS)
        return tuple(dict.fromkeys(shape for shape in real if shape)), ()

    # -- text ----------------------------------------------------------------------------------

    def source(self) -> str:
        """Give the text of the module."""
        writer = self.writer(
            dtype="np.float64" if self.scalar else f"np.{self.dtype}",
            portable=False,
            scalar=self.scalar,
            sizes=self.dims,
            numeric=self.numeric,
            accurate=self.accurate,
        )
        body = self._body(writer)
        helpers = self._helpers(writer)
        parts = ['"""' + self._title() + '"""', "", *self._imports(helpers)]
        parts += [line for helper in helpers for line in ("", helper.strip("\n"), "")]
        parts += ["", *body]
        return "\n".join(parts).rstrip("\n") + "\n"

    @property
    def _rounds(self) -> bool:
        """Say whether results are rounded to float32 where they are returned."""
        return self.scalar and self.dtype == "float32" and not self.parts

    def _helpers(self, writer: Writer) -> list[str]:
        """List the functions that the text calls, and those that they call."""
        todo = [*writer.used]
        for op in todo:
            writer.called(re.sub(r'(?s)""".*?"""', "", self._helper(op)))
            todo += [used for used in writer.used if used not in todo]
        return [self._helper(op) for op in OPS if op in writer.used]

    def _helper(self, op: str) -> str:
        row = OPS[op]
        if self.accurate and row.precise_helper:
            return row.precise_helper
        return row.scalar_helper if self.scalar and row.scalar_helper else row.helper

    def _imports(self, helpers: list[str]) -> list[str]:
        math_too = self.scalar or any("math." in h for h in helpers)
        made = ["", SINGLE, ""] if self._rounds else [""]
        return [*(["import math", ""] if math_too else []), "import numpy as np", *made]

    def _title(self) -> str:
        grads = self.parts.asked if self.parts else self.plan.grads
        wrt = ", ".join(n for n in grads if n not in self.plan.also)
        what = f"{self.plan.of} and its gradient in {wrt}" if wrt else self.plan.of
        return f"Compute {what}; generated by symgrad, needs {self.needs}."

    def _signature(self, name: str, first: str) -> str:
        listed = ", ".join(self.called[n] for n in self.inputs)
        return f"def {name}({first}{', ' if first and listed else ''}{listed}):"

    def _body(self, writer: Writer) -> list[str]:
        steps = self._statements(writer)
        text = "\n".join(steps)
        lines = ["    " + line if line else "" for line in [*self._sizes(text), *steps]]
        lines.append("    return " + self._returned())
        document = self._document()
        if not self.scalar:
            signature = self._signature(self.name, "*" if self.inputs else "")
            return [*self._decorators(), signature, *document, *self._converted(), *lines]
        return [
            self._signature(f"_{self.name}", "m"),
            '    """Compute over m, which is math or numpy."""',
            *lines, "", "",
            self._signature(self.name, "*" if self.inputs else ""),
            *document,
            *(self.parts.dispatch(self.name, self.parameters, self.dtype) if self.parts else
              dispatch(self.name, list(self.parameters.values()), self.dtype)),
        ]  # fmt: skip

    def _decorators(self) -> list[str]:
        # far out exp and squares overflow on the way to finite results: no warning
        return ['@np.errstate(over="ignore")']

    def _document(self) -> list[str]:
        """Say what goes in and what comes out, with shapes."""
        rows = ["    Inputs:"]
        width = max((len(self.called[n]) for n in self.inputs), default=0)
        for node in self.inputs:
            kind = node.attrs["kind"]
            shape = shapes.text(node.shape) if node.shape else "a number"
            rows.append(f"        {self.called[node]:<{width}}  {shape}, {kind}")
        if not self.inputs:
            rows[0] += " none"
        result = f"{self.plan.of}, {{name: gradient}}"
        found = {n: g.shape for n, g in self.plan.grads.items()}
        found = self.parts.shapes if self.parts else found
        sized = {n: f"{n} {shapes.text(shape)}" if shape else n for n, shape in found.items()}
        listed = ", ".join(t for n, t in sized.items() if n not in self.plan.also)
        text = f"    Returns {result}" + (f" for {listed}" if listed else " with no names")
        values = ", ".join(sized[n] for n in self.plan.also)
        rows += ["", text + (f", and {{name: value}} for {values}." if values else ".")]
        first = f'    """Compute {self.plan.of}' + (" and its gradients." if listed else ".")
        return [first, "", *rows, *self._remarks(), '    """']

    def _remarks(self) -> list[str]:
        """Say more in the docstring of the function."""
        return []

    def _converted(self) -> list[str]:
        """Convert the inputs once, so that everything has one float type."""
        named = [(n, self.called[n]) for n in self.inputs]
        return [f"    {name} = {self._number(node, name)}" for node, name in named]

    def _number(self, node: Node, name: str) -> str:
        """Write the conversion of an input."""
        kind = "np.int64" if node.dtype == "int" else f"np.{self.dtype}"
        return f"np.asarray({name}, dtype={kind})" if node.shape else f"{kind}({name})"

    def _sizes(self, text: str) -> list[str]:
        """Read off the dimensions that the text uses."""
        inputs = [(self.called[node], node.shape) for node in self.inputs]
        return sizes_of(text, self.dims, inputs, self.plan.graph.dims)

    def _statements(self, writer: Writer) -> list[str]:
        forward = dict.fromkeys(topological([self.plan.value]))
        before = [n for n in self.plan.lines if n in forward and n is not self.plan.value]
        after = [n for n in self.plan.lines if n not in forward]
        lines = [self._line(n, self.called[n], writer) for n in before]
        if self.plan.value.op != "input":
            lines.append(self._line(self.plan.value, self.value, writer))
        if self.plan.grads:
            lines.append("")
        todo = [(self.called[n], n, self.plan.heads.get(n, "")) for n in after]
        done: list[tuple[str, Node, str]] = []
        position = {n: k for k, n in enumerate(self.order)}
        for name, node in self.plan.grads.items():
            if self.results[name] != self.called.get(node):
                done.append((self.results[name], node, "" if name in self.plan.also else name))
        both = sorted([*todo, *done], key=lambda item: position[item[1]])
        seen: dict[Node, str] = {}
        for name, node, of in both:
            lines.append(self._gradient(name, node, of, seen, writer))
        return lines

    def _gradient(
        self, name: str, node: Node, of: str, seen: dict[Node, str], writer: Writer
    ) -> str:
        """Write a line of the backward pass; what is returned is a fresh array of full shape."""
        known = self.called.get(node)
        returned = (known != name or self.results.get(of) == name) and name in self.results.values()
        known = known if returned and known != name else None
        if known is not None or node in seen:
            text = known or seen[node]
            code = text if self.scalar or not node.shape else self._copied(text)
        else:
            code = self._written(node, name, writer)
            if returned:
                code = self._fresh(node, code, writer)
        if returned:
            seen.setdefault(node, name)
            if not node.shape and not self.scalar and not writer.strong(node) and known is None:
                code = f"np.{self.dtype}({code})"
            elif not node.shape and self.scalar and node.op == "const":
                code = number(float(node.attrs["value"]))
            elif node.dtype == "bool" and known is None:
                code = writer.as_number(node, code)
            elif node.dtype == "bool":
                code = f"float({known})" if self.scalar else f"{known}.astype(np.{self.dtype})"
            elif self.scalar and not writer.strong(node):
                code = f"float({code})"
        return self._commented(name, code, node, of)

    def _written(self, node: Node, name: str, writer: Writer) -> str:
        """Write what a line computes."""
        parts = placed(node, name, writer, self.called) if self.places else None
        code = parts or writer.write(node, self.called)
        return writer.as_number(node, code) if node in self.numeric else code

    def _line(self, node: Node, name: str, writer: Writer) -> str:
        code = self._written(node, name, writer)
        if node is self.plan.value:
            if node.dtype == "bool":
                code = writer.as_number(node, code)
            elif not node.shape and not writer.strong(node) and node.dtype == "float":
                code = f"float({code})" if self.scalar else f"np.{self.dtype}({code})"
            else:
                code = self._fresh(node, code, writer)
        return self._commented(name, code, node, "")

    def _fresh(self, node: Node, code: str, writer: Writer) -> str:
        """Make a returned array one of its own, of the program's float type."""
        if not node.shape or node.dtype == "bool" or code.startswith("np.full"):
            return code
        if node.dtype == "int" or not writer.strong(node):
            return f"np.array({code}, dtype=np.{self.dtype})"
        return f"np.array({code})" if node.op in VIEWS else code

    def _copied(self, code: str) -> str:
        """Copy what is returned a second time, or belongs to the caller."""
        return f"{code}.copy()"

    def _spelled(self, code: str) -> str:
        """Say in the words of the library what is written in NumPy's."""
        return code

    def _commented(self, name: str, code: str, node: Node, of: str) -> str:
        """Put the formula beside its line, or above it where both do not fit."""
        left = f"∂{self._text(self.plan.of)}/∂{self._text(of)}" if of else self._text(name)
        note = f"# {left} = {plain_form.write(node, self.shown)}"
        statement = f"{name} = {self._spelled(code)}"
        padded = f"{statement:<{NOTE_COLUMN}}  {note}"
        return padded if len(padded) <= WIDE and "\n" not in code else f"{note}\n    {statement}"

    def _returned(self) -> str:
        rounded = single if self._rounds else str
        results = self.parts.returned(self.results) if self.parts else self.results
        listed = [f'"{name}": {rounded(text)}' for name, text in results.items()]
        copied = self.plan.value.op == "input" and self.plan.value.shape
        value = self._copied(self.value) if copied else rounded(self.value)
        return f"{value}, {{{', '.join(listed)}}}"


def write(
    plan: Plan, dtype: str = "float64", accurate: bool = False, parts: Entries | None = None
) -> tuple[str, Module]:
    """Write a plan as module text; its numbers may be `parts` of arrays."""
    module = Module(plan, dtype, accurate, parts)
    return module.source(), module
