"""`Formula`: one gradient (or one named part of it), printed in any notation."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from symgrad.errors import UsageError
from symgrad.formula import latex, plain
from symgrad.formula.code import Writer
from symgrad.formula.names import distinct, plain_name
from symgrad.formula.naming import Names
from symgrad.graph import Graph, Node, depends
from symgrad.ops import OPS, letters
from symgrad.ops.spec import typed_name
from symgrad.rewrite import operations

if TYPE_CHECKING:
    from symgrad.formula.derivation import Derivation
    from symgrad.formula.steps import Step

FORMS = ("matrix",)


class Formula:
    """Hold a closed form; made by `symgrad.gradient`.

    `node` is the expression, `graph` the same as a graph of its own (to differentiate again, to
    compile), `where` the names that it uses, `notes` what recognition has done.
    """

    def __init__(
        self,
        node: Node,
        names: Names,
        *,
        of: str = "",
        wrt: str = "",
        derivation: "Derivation | None" = None,
    ) -> None:
        self.node, self.names, self.of, self.wrt = node, names, of, wrt
        self.derivation = derivation

    @property
    def shape(self) -> tuple[int | str, ...]:
        """Give the shape of the value, named or numeric dimensions."""
        return self.node.shape

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was recognised before differentiating."""
        return self.derivation.graph.notes if self.derivation else ()

    @property
    def footnotes(self) -> tuple[str, ...]:
        """Say which derivative is taken at the kinks on the way.

        >>> import symgrad as sg
        >>> sg.gradient("sum(relu(w*x))", "w")["w"].footnotes
        ('relu(a) at a = 0: derivative 0',)
        """
        if self.derivation is None or self.wrt not in self.derivation.targets:
            return ()
        order = self.derivation.graph.order()
        below = depends(order, [self.derivation.targets[self.wrt]])
        found: dict[str, None] = {}
        for node in below:
            row = OPS.get(node.op)
            if row is not None and row.kinks and node.args:
                name = typed_name(row.name)
                found[f"{name}({', '.join(letters(row)[: len(node.args)])}) at {row.kinks}"] = None
        return tuple(found)

    @cached_property
    def graph(self) -> Graph:
        """Give the formula as a graph whose output is its value."""
        names = {t: n for n, t in self.names.chosen.items() if n is not self.node}
        return Graph.of([self.node], names=names)

    @cached_property
    def where(self) -> Mapping[str, "Formula"]:
        """Map every name that the formula uses and that is no input to its own formula.

        Complete and in dependency order: a name uses only inputs and names before it.
        """
        parts = self.names.mentioned(self.node)
        if self._is_name:
            parts.append(self.node)
        return {
            self.names.chosen[n]: Formula(n, self.names, wrt=self.names.chosen[n]) for n in parts
        }

    @property
    def _is_name(self) -> bool:
        """Say whether a gradient is simply a named value."""
        return bool(self.of) and self.node in self.names.chosen

    def latex(self, form: str = "matrix") -> str:
        r"""Print in LaTeX.

        >>> import symgrad as sg
        >>> sg.gradient("s: real[C]\ny: label[C]\np = softmax(s)\nL = -log(p[y])")["s"].latex()
        'p - e_{y}'
        """
        if form not in FORMS:
            raise UsageError(f"the form {form!r} is not known", hint=f"one of {', '.join(FORMS)}")
        if self._is_name:
            name = self.names.chosen[self.node]
            return distinct([name])[name]
        return latex.write(self.node, self._typeset())

    def _typeset(self) -> dict[Node, str]:
        view = self.names.view(self.node)
        shown = distinct(view.values())
        return {n: shown[t] for n, t in view.items()}

    def unicode(self) -> str:
        """Print in Unicode.

        >>> import symgrad as sg
        >>> sg.gradient("mean((p - t)**2)", wrt="p")["p"].unicode()
        '2(p − t)'
        """
        if self._is_name:
            return plain_name(self.names.chosen[self.node])
        view = self.names.view(self.node)
        return plain.write(self.node, {n: plain_name(t) for n, t in view.items()})

    def numpy(self) -> str:
        """Print as an expression over np, inputs, dimensions, the names of `where`.

        The only other functions in it are sigmoid, softmax and erf.

        >>> import symgrad as sg
        >>> sg.gradient("tanh(x)")["x"].numpy()
        '1 - np.tanh(x) ** 2'
        """
        if self._is_name:
            return self.names.chosen[self.node]
        writer = Writer(sizes=self._sizes())
        text = writer.write(self.node, self.names.view(self.node))
        return writer.as_number(self.node, text)

    def _sizes(self) -> dict[str, str]:
        """Say how a dimension is called whose name a variable has taken: X.shape[0]."""
        if self.derivation is None:
            return {}
        graph = self.derivation.graph
        variables = {*graph.names, *(n.attrs["name"] for n in graph.inputs)}
        found: dict[str, str] = {}
        for node in graph.inputs:
            for k, d in enumerate(node.shape):
                if isinstance(d, str) and d in variables:
                    found.setdefault(d, f"{node.attrs['name']}.shape[{k}]")
        return found

    def count_ops(self) -> int:
        """Count operations, names being atoms.

        >>> import symgrad as sg
        >>> sg.gradient("(x + y)*z")["z"].count_ops()
        1
        """
        return 0 if self._is_name else operations([self.node], self.names.view(self.node))

    def steps(self, detail: int = 2) -> "list[Step]":
        """Derive it step by step; the last step ends with the printed formula.

        `detail` is 1 (named values only), 2 (also what lies between), 3 (also the forms before
        simplification).

        >>> import symgrad as sg
        >>> sg.gradient("(x + y)*z")["x"].steps()[-1].after
        'z'
        """
        from symgrad.formula.steps import derive

        if self.derivation is None:
            raise UsageError("only a gradient has steps")
        return derive(self, detail)

    @property
    def head(self) -> str:
        """Name the left side in Unicode: ∂L/∂W."""
        if not self.of:
            return plain_name(self.wrt)
        return f"∂{plain_name(self.of)}/∂{plain_name(self.wrt)}"

    @property
    def latex_head(self) -> str:
        """Name the left side in LaTeX."""
        from symgrad.formula.names import latex_name

        if not self.of:
            return latex_name(self.wrt)
        return rf"\frac{{\partial {latex_name(self.of)}}}{{\partial {latex_name(self.wrt)}}}"

    def __str__(self) -> str:
        from symgrad.formula.report import results

        return results([self], "unicode")

    def __repr__(self) -> str:
        return f"<Formula {self.head} = {self.unicode()}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex_head} = {self.latex()}$"
