"""Write the module of style fast: a workspace for the inputs' sizes, then calls into its arrays."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from textwrap import wrap

from symgrad.codegen import blas
from symgrad.codegen.fast import pool
from symgrad.codegen.fast.buffers import Kind
from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.deep import Deep, Names, Written
from symgrad.codegen.fast.freeing import freed
from symgrad.codegen.fast.lowering import Lowered, lowered
from symgrad.codegen.fast.notes import Notes
from symgrad.codegen.fast.schedule import Schedule
from symgrad.codegen.fast.sizes import TEXTS
from symgrad.codegen.fast.storage import Storage
from symgrad.codegen.fast.tables import filled
from symgrad.codegen.fast.texts import OWN as CARRIED
from symgrad.codegen.fast.texts import carried
from symgrad.codegen.fast.workspace import Workspace
from symgrad.codegen.fast.writing import Statements
from symgrad.codegen.numpy import BUILTIN, VIEWS
from symgrad.codegen.plan import Plan
from symgrad.dims import plus, times
from symgrad.formula.code import Writer
from symgrad.graph import Node
from symgrad.rewrite.distances import OF_POINTS
from symgrad.shapes import Dim, Shape

WORD = re.compile(r"\w+")
OWN = ("IDLE", "workspace", "range", "len", "zip", "NARROW")  # what the function itself reads


class FastModule(Workspace):
    """Write one program with a workspace; `source` is its text, `name` its function."""

    taken = (
        *BUILTIN,
        *OWN,
        *TEXTS,
        *(name for name in CARRIED if name not in pool.TEXTS),
        *("parts_of", "BITS", "BRANCHES", "ONES", "slice"),
    )
    numbers = False
    in_order = True  # the tiles of a loop are computed one after the other
    statements_of: type[Statements] = Statements
    rolling = True  # repeated layers become loops

    def __init__(
        self,
        plan: Plan,
        dtype: str,
        accurate: bool = False,
        costs: Costs = DEFAULTS,
        reuse: bool = False,
        mkl: bool = False,
    ) -> None:
        self.original, self.costs, self.mkl = plan, costs, mkl
        if mkl:
            self.taken = (*self.taken, *blas.NAMES)
            self.needs = "NumPy, and MKL's wheel for its products"
        self.low: Lowered = lowered(plan, accurate, dtype, costs)
        named = {n: t for n, t in self.low.names.items() if n is not self.low.value}
        fast = replace(
            plan, value=self.low.value, grads=self.low.grads, lines=tuple(named), names=named
        )
        super().__init__(fast, dtype, accurate)
        self.schedule = Schedule([fast.value, *fast.grads.values()], self.in_order, accurate)
        self.storage = Storage(self.schedule, reuse)
        self.rolled: list[str] = []  # what loops over layers hold
        self._next: dict[str, int] = {}  # the number that a name had last
        self._used = dict.fromkeys(
            [*self.taken, *self.called.values(), *self.results.values(), *self.dims.values()]
        )

    @property
    def made(self) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
        """List the shapes of arrays that a call makes, a row of tiles, and of what is in tiles."""
        s, tile = self.schedule, self.storage.tile
        real = (n for n in s.order if s.kinds[n] not in ("leaf", "view") and n not in s.absorbed)
        shapes = dict.fromkeys(n.shape[1:] if n in tile else n.shape for n in real)
        passed = dict.fromkeys(n.shape for n in s.order if n in tile)
        return tuple(shape for shape in shapes if shape), tuple(passed)

    # -- text ----------------------------------------------------------------------------------

    def source(self) -> str:
        """Give the text of the module."""
        writer = Writer(
            dtype=f"np.{self.dtype}", portable=False, sizes=self.dims, accurate=self.accurate
        )
        called = dict(self.called)
        for name, node in self.plan.grads.items():
            called.setdefault(node, self.results[name])
        self.notes = self._notes()
        self.statements = self.statements_of(
            self.schedule, self.storage, writer, called, self._fresh_name, self.notes
        )
        self.statements.mkl = self.mkl
        self._sizes_name, self._held_name = self._fresh_name("sizes"), self._fresh_name("held")
        lines = self.statements.write()
        self._arrays = self._made()
        self._numbers = self._of_sizes()
        if not self._arrays:  # there is no workspace that could keep numbers
            lines = [*(f"{name} = {made}" for name, made in self._numbers), *lines]
        lines, returned = self._layered(lines, self._results())
        if not self.rolled:  # lists would hold the arrays
            lines = freed(lines, self.statements.passing, "\n".join(returned))
        self._arrays = self._roomed(self._arrays)
        text = "\n".join([*lines, *returned])
        read = text + self._workspace_text()
        head = self._sizes(read)
        body = [*self._signed(), *self._indented([*head, *self._held(), *lines, *returned])]
        helpers = self._helpers(writer)
        constants, texts = carried(self._called_texts(read), self.costs, self.dtype)
        parts = [f'"""{self._title()}\n', *self._work(), '"""', "", *self._imports(helpers), ""]
        parts += [blas.TEXT.strip("\n"), ""] if "mkl_product" in text else []
        parts += [*constants, *self._constants()]
        for block in [*helpers, *texts, *self._workspace()]:
            parts += ["", block.strip("\n"), ""]
        return "\n".join([*parts, "", *body]).rstrip("\n") + "\n"

    def _work(self) -> list[str]:
        """Say what a call does, and how many entries its workspace holds, by the sizes' names."""
        loops = sum(unit.looped for unit in self.schedule.units)
        text = f"A call makes {self.statements.operations:,} array operations"
        text += f", in {loops:,} loops over tiles of rows" * (loops > 1)
        text += ", in a loop over tiles of rows" * (loops == 1)
        written = self.statements
        dims = {text: dim for dim, text in written.sizes.items()}
        more = [*((dims[size],) for size in written.ones), *(s for s, _ in written.sums.values())]
        whole = self._entries([*self.storage.wholes, *(Kind(s, "float") for s in more)])
        tiled = self._entries([kind for loop in self.storage.loops for kind in loop.slots])
        held = [f"at most {whole}"] * bool(whole)
        held += [f"{tiled} for each row of a tile"] * bool(tiled)
        text += f"; its workspace holds {', and '.join(held)}" * bool(held)
        return wrap(f"{text}.", 98)

    def _entries(self, kinds: Iterable[Kind]) -> str:
        """Count the entries of buffers, or of a row of them, by their types."""
        entries: dict[str, Dim] = {}
        for (dtype, size), n in Counter((k.dtype, times(*k.shape)) for k in kinds).items():
            named = dict.fromkeys(("float", "ones", "ones_or_none"), self.dtype)
            named |= {"int": "int64", "seat": "int64"}
            kind = named.get(dtype, dtype)
            entries[kind] = plus(entries.get(kind, 0), times(n, size))
        return " and ".join(f"{size} {'entry' if size == 1 else 'entries'} of {kind}"
                            for kind, size in entries.items())  # fmt: skip

    @staticmethod
    def _indented(lines: list[str]) -> list[str]:
        return ["    " + line if line else "" for line in lines]

    def _signed(self) -> list[str]:
        signature = self._signature(self.name, "*" if self.inputs else "")
        return [*self._decorators(), signature, *self._document(), *self._converted()]

    def _number(self, node: Node, name: str) -> str:
        """Write the conversion of an input; numbers are computed in double precision."""
        if not node.shape and node.dtype == "float":
            return f"np.float64({name})"
        return super()._number(node, name)

    def _constants(self) -> list[str]:
        made = [
            f"{name} = np.array({value}, dtype=np.{self.dtype})"
            for value, name in self.statements.constants.items()
        ]
        used = [f"{name} = np.{ufunc}" for ufunc, name in self.statements.functions.items()]
        return [*made, *used, ""]

    def _called_texts(self, read: str) -> list[str]:
        found = ["tiles"] if self.storage.loops else []
        found += ["NARROW"] if "NARROW" in read else []
        found += ["distances"] if any(n.op in OF_POINTS for n in self.schedule.order) else []
        found += ["with_rows"] if self.statements.joined else []
        found += ["aligned"] if self.storage.wholes else []
        return [*found, *self.statements.carried]

    def _notes(self) -> Notes:
        """Note the formulas that the statements compute, as in the readable style."""
        plan, shown = self.original, {}
        self._typeset([*self.called.values(), *plan.names.values()])
        for node in self.inputs:
            shown[node] = self._text(self.called[node])
        of = self._text(plan.of)
        for node in plan.lines:
            head = plan.heads.get(node)
            shown[node] = f"∂{of}/∂{self._text(head)}" if head else self._text(plan.names[node])
        shown.setdefault(plan.value, of)
        notes = Notes(shown)
        for node in [*plan.lines, plan.value]:
            image = self.low.image.get(node)
            if image is not None and node.op != "input":
                notes.note(image, shown[node], node)
        for name, node in plan.grads.items():
            image = self.low.image.get(node)
            if image is not None and image.op not in ("input", "const"):
                left = f"∂{of}/∂{self._text(name)}"
                notes.note(image, left, node, named=False)
        return notes

    def _layered(self, lines: list[str], returned: list[str]) -> tuple[list[str], list[str]]:
        """Write repeated layers as loops, and the formulas of the lines that are left."""
        if self.rolling:
            taken = dict.fromkeys(self.taken)
            known = [name for name in self._used if name not in taken]
            inputs = [self.called[node] for node in self.inputs]
            names = Names.of(self.statements, inputs, known, self._fresh_name)
            written = Deep(names, self.notes.line).write(lines, returned, self._arrays)
            lines, returned, self._arrays = written.lines, written.returned, written.made
            self.rolled = written.loops
        else:
            written = Written([self.notes.line(line) for line in lines], returned, [], [])
            lines = written.lines
        self._read = written.names
        first = next(k for k, line in enumerate(returned) if line.endswith("{"))
        head, listed = returned[first], returned[first + 1 :]
        last = filled(head, listed, "}") if self.rolled else [f"{head}{', '.join(listed)}}}"]
        return lines, [*returned[:first], *last]

    # -- workspace -----------------------------------------------------------------------------

    def _handed(self) -> list[str]:
        """List what the workspace hands to a call: what the call reads."""
        return [name for name, _ in [*self._arrays, *self._numbers] if name in self._read]

    def _workspace_text(self) -> str:
        return "\n".join(text for _, text in [*self._numbers, *self._arrays])

    def _parameters(self) -> list[str]:
        words = dict.fromkeys(WORD.findall(self._workspace_text()))
        return [n for n in self.dims.values() if n in words]

    def _workspace(self) -> list[str]:
        if not self._arrays:
            return []
        lines = [f"def workspace({', '.join(self._parameters())}):"]
        lines.append('    """Make the arrays of one call; they are used again by later ones."""')
        lines += ["    if len(IDLE) > 7:", "        IDLE.clear()"]
        lines += [f"    {name} = {text}" for name, text in [*self._arrays, *self._numbers]]
        lines.append(f"    return {self._tuple(self._handed())}")
        return ["IDLE = {}  # workspaces by sizes; a call takes one out, so calls may overlap",
                "\n".join(lines)]  # fmt: skip

    @staticmethod
    def _tuple(names: list[str]) -> str:
        return f"({', '.join(names)}{',' if len(names) == 1 else ''})"

    def _held(self) -> list[str]:
        if not self._arrays:
            return []
        sizes, handed = self._tuple(self._parameters()), self._handed()
        key, held = self._sizes_name, self._held_name
        taken = [f"{', '.join(handed)}{',' * (len(handed) == 1)} = {held}"] if handed else []
        return [f"{key} = {sizes}", f"{held} = IDLE.pop({key}, None) or workspace(*{key})", *taken]

    # -- results -------------------------------------------------------------------------------

    def _results(self) -> list[str]:
        """List what is returned, the value first, after giving the workspace back."""
        lines, listed = [], []
        if self._arrays:
            lines.append(f"IDLE[{self._sizes_name}] = {self._held_name}")
        seen: dict[Node, None] = {}
        for name, node in self.plan.grads.items():
            listed.append(f'"{name}": {self._result(node, seen)}')
        return [*lines, f"return {self._result(self.plan.value, seen)}, {{", *listed]

    def _result(self, node: Node, seen: dict[Node, None]) -> str:
        text = self.statements.whole(node)
        if not node.shape:
            kind = self.schedule.kinds[node]  # a number with a name is one of NumPy's
            computed = kind in ("scalar", "reduce", "matmul")
            named = computed and text == self.statements.text.get(node)
            double = named and self.dtype == "float64" and node.dtype != "bool"
            plain = node.dtype == "int" or double
            return text if plain else f"np.{self.dtype}({text})"
        kept = node in self.storage.kept and node in self.storage.whole
        own = kept or self.storage.own(node) or self._made_anew(node)
        own = own and node not in seen and node.dtype == "float"
        seen[node] = None
        return text if own else f'np.array({text}, dtype=np.{self.dtype}, order="C")'

    def _made_anew(self, node: Node) -> bool:
        """Say whether a text gives an array of its own, of the program's type."""
        other = self.schedule.kinds[node] == "other" and node.op not in VIEWS
        return other and self.statements.writer.strong(node)
