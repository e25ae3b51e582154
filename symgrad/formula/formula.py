"""`Formula`: one gradient (or one named part of it), printed in any notation."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symgrad.arguments import checked
from symgrad.errors import UsageError
from symgrad.formula import heads, latex, plain
from symgrad.formula.code import Writer, apart, typed
from symgrad.formula.folding import index_forms
from symgrad.formula.index import BY_ENTRY, IndexForm, Pen
from symgrad.formula.names import portable
from symgrad.formula.naming import Names
from symgrad.graph import Graph, Node, depends, topological
from symgrad.indexed.symbols import below
from symgrad.ops import OPS, letters
from symgrad.ops.spec import typed_name
from symgrad.rewrite import operations
from symgrad.rewrite.normal import equal_forms

if TYPE_CHECKING:
    from symgrad.formula.derivation import Derivation
    from symgrad.formula.equality import Equality
    from symgrad.formula.notation import Notation
    from symgrad.formula.steps import Step

FORMS = ("matrix", "index")


def known_form(form: str) -> str:
    """Give the form; raise UsageError if there is none of that name."""
    if form not in FORMS:
        raise UsageError(f"the form {form!r} is not known", hint=f"one of {', '.join(FORMS)}")
    return form


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
        kind: str = "gradient",
        second: str = "",
        inner: int = 0,
    ) -> None:
        self.node, self.names, self.of, self.wrt = node, names, of, wrt
        self.derivation = derivation
        self.kind, self.second, self.inner = kind, second, inner

    @property
    def shape(self) -> tuple[int | str, ...]:
        """Give the shape of the value, named or numeric dimensions."""
        return self.node.shape

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was recognised before differentiating, and whether a matrix form is lacking."""
        recognised = self.derivation.graph.notes if self.derivation else ()
        if self.has_matrix_form:
            return recognised
        return *recognised, f"{self.head} has no matrix form; its entries are given"

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
            name: Formula(n, self.names, wrt=name, derivation=self.derivation, kind="name")
            for n in parts
            for name in [apart(self.names.chosen[n], self.names)]
        }

    @property
    def entry_where(self) -> Mapping[str, "Formula"]:
        """Map the names that the index form uses to their formulas: those of `where`, or fewer."""
        used: dict[str, None] = {}
        todo = [self]
        while todo:
            form = todo.pop()
            bases = {n.args[0] for n in below(form.index.root) if n.op == "entry"}
            for name, part in self.where.items():
                if name not in used and part.node in bases and part.node is not form.node:
                    used[name] = None
                    todo.append(part)
        return {name: part for name, part in self.where.items() if name in used}

    @property
    def _is_name(self) -> bool:
        """Say whether a gradient is simply a named value."""
        return bool(self.of) and self.node in self.names.chosen

    def latex(self, form: str = "matrix", notation: "Notation | None" = None) -> str:
        r"""Print in LaTeX; a `notation` says what names and matrices look like.

        >>> import symgrad as sg
        >>> sg.gradient("s: real[C]\ny: label[C]\np = softmax(s)\nL = -log(p[y])")["s"].latex()
        'p - e_{y}'
        """
        checked(Formula.latex, locals())
        if notation is not None:
            return self._noted(form, notation)[1]
        if known_form(form) == "index" or not self.has_matrix_form:
            return portable(self.index.written(self._pen(True)))
        if self._is_name:
            return portable(self.names.called(self.names.chosen[self.node]))
        return portable(latex.write(self.node, self.names.typeset()))

    @property
    def has_matrix_form(self) -> bool:
        """Say whether products of matrices can say it; if not, both forms print the entry."""
        order = topological([self.node], stop=self._named)
        lacking = (*BY_ENTRY, "arange") if self.kind in ("jacobian", "hessian") else BY_ENTRY
        return len(self.node.shape) <= 2 and not any(n.op in lacking for n in order)

    def _named(self, node: Node) -> bool:
        return node in self.names.chosen and node is not self.node

    @cached_property
    def index(self) -> IndexForm:
        """Give the entry at free indices, as `form="index"` prints it."""
        return self._index_forms[0]

    @property
    def index_names(self) -> dict[Node, str]:
        """Map the atoms of the index form to their names."""
        return self._index_forms[1]

    @cached_property
    def _index_forms(self) -> tuple[IndexForm, dict[Node, str]]:
        return index_forms(self.node, self.names, self.names.chosen if self._is_name else {})

    def typeset(self) -> dict[Node, str]:
        r"""Map inputs and named values to their LaTeX, no two alike; `read_latex` takes it turned.

        >>> import symgrad as sg
        >>> sorted(sg.gradient("x1*x_1*lam", "lam")["lam"].typeset().values())
        ['\\lambda', '\\mathrm{x\\_1}', 'x_{1}']
        """
        shown = self.names.typeset().items()
        return {n: t for n, t in shown if n is not self.node or n.op == "input"}

    def _noted(self, form: str, notation: "Notation") -> tuple[str, str]:
        from symgrad.formula.notation import noted

        return noted(self, notation, known_form(form))

    def unicode(self, form: str = "matrix", notation: "Notation | None" = None) -> str:
        """Print in Unicode; form "index" gives the entry, with sums, deltas and cases.

        >>> import symgrad as sg
        >>> sg.gradient("mean((p - t)**2)", wrt="p")["p"].unicode()
        '2(p − t)'
        >>> sg.gradient("X: data[N, D]; w: param[D]; L = sum((X@w)**2)")["w"].unicode("index")
        '2 Σᵢ Xᵢⱼ Σₖ Xᵢₖ wₖ'
        """
        checked(Formula.unicode, locals())
        if notation is not None:
            return self._noted(form, notation)[0]
        if known_form(form) == "index" or not self.has_matrix_form:
            return self.index.written(self._pen(False))
        if self._is_name:
            return self.names.called(self.names.chosen[self.node], False)
        return plain.write(self.node, self.names.typeset(False))

    def _pen(self, tex: bool) -> Pen:
        """Write index form with names that look different."""
        inputs = {n: str(n.attrs["name"]) for n in self.names.forward if n.op == "input"}
        texts = {n: self.names.called(t, tex) for n, t in {**inputs, **self.index_names}.items()}
        texts.update(self.names.sizes(tex))
        return Pen(tex, texts, "delta" not in self.names.taken)

    def numpy(self) -> str:
        """Print as an expression over np, inputs, dimensions, the names of `where`.

        The only other functions in it are sigmoid, softmax and erf. A variable of such a name is
        called apart from it: np_.

        >>> import symgrad as sg
        >>> sg.gradient("tanh(x)")["x"].numpy()
        '1 - np.tanh(x) ** 2'
        """
        if self._is_name:
            return apart(self.names.chosen[self.node], self.names)
        writer = Writer(sizes=self._sizes())
        known = typed(self.node, self.names)
        text = known.get(self.node) or writer.write(self.node, known)
        return text if self.kind == "name" else writer.as_number(self.node, text)  # may be a mask

    def sympy(self) -> Any:
        """Write as a SymPy expression; of an array, the entry at the indices i, j, k, l.

        Numbers are symbols, arrays `IndexedBase`s, dimensions positive integer symbols; the names
        of `where` stay names. The indices (`Idx`, counted from 0) belong to the axes in this order.
        Raises UsageError for what has no form that speaks of entries, such as an inverse.

        >>> import symgrad as sg
        >>> sg.gradient("X: data[N, D]; w: param[D]; L = sum((X@w)**2)/2")["w"].sympy()
        Sum(X[k, i]*Sum(X[k, l]*w[l], (l, 0, D - 1)), (k, 0, N - 1))
        """
        from symgrad.formula.sympy import export

        return export(self.node, {} if self._is_name else self.names.view(self.node))

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

    @cached_property
    def equal_forms(self) -> "tuple[Formula, ...]":
        """Give other ways to write the same: over one denominator, or term by term.

        >>> import symgrad as sg
        >>> F = sg.gradient("p: real; y: binary; L = -(y*log(p) + (1 - y)*log(1 - p))")["p"]
        >>> F.unicode(), [G.unicode() for G in F.equal_forms]
        ('(1 − y)/(1 − p) − y/p', ['(p − y)/(p(1 − p))'])
        """
        names = dict.fromkeys(n for n in self.names.chosen if n is not self.node)
        # without the derivation, whose steps end with the form that was chosen
        return tuple(
            Formula(node, self.names, of=self.of, wrt=self.wrt, kind=self.kind, second=self.second,
                    inner=self.inner)
            for node in equal_forms(self.node, names)
        )  # fmt: skip

    def equals(self, text: str) -> "Equality":
        """Say whether an expression is equal to this formula; see `symgrad.equal`.

        >>> import symgrad as sg
        >>> sg.gradient("x**3", "x")["x"].equals("3*x*x").verdict
        'proved'
        """
        checked(Formula.equals, locals())
        from symgrad.formula.equality import equal

        return equal(self, text)

    def count_ops(self) -> int:
        """Count operations, names being atoms.

        >>> import symgrad as sg
        >>> sg.gradient("(x + y)*z")["z"].count_ops()
        1
        """
        return 0 if self._is_name else operations([self.node], self.names.view(self.node))

    def steps(
        self,
        detail: int = 2,
        *,
        staged: bool | None = None,
        delta: "bool | Mapping[str, str]" = False,
        at: "Mapping[str, Any] | None" = None,
        notation: "Notation | None" = None,
    ) -> "list[Step]":
        """Derive it step by step; the last step ends with the printed formula.

        `detail` is 1 (named values only), 2 (also what lies between), 3 (also each operator's own
        rule, before simplification). With `staged` the program is followed as it is written, in
        the names that it gives; that is what happens by itself where recognition has merged such
        values. `delta` calls the gradients before activations δ, or those of the values that it
        maps to names. `at` puts numbers into every line. Every line is checked at random points;
        SymgradError names one that is not true.

        >>> import symgrad as sg
        >>> for step in sg.gradient("p = sigmoid(z); L = (p - y)**2", "z")["z"].steps()[-3:]:
        ...     print(step.rule, "|", step.before, "=", step.after)
        chain rule | ∂L/∂p = 2(p − y)
        chain rule | ∂L/∂z = ∂L/∂p · p(1 − p)
        fill in | ∂L/∂z = 2p(1 − p)(p − y)
        """
        checked(Formula.steps, locals())
        from symgrad.formula.steps import derive

        return derive(self, detail, staged=staged, delta=delta, at=at, notation=notation)

    @property
    def head(self) -> str:
        """Name the left side in Unicode: ∂L/∂W."""
        return heads.head(self, False)

    @property
    def latex_head(self) -> str:
        """Name the left side in LaTeX."""
        return portable(heads.head(self, True))

    def entry_head(self, tex: bool = True) -> str:
        """Name the left side of the index form: ∂L/∂W_ij."""
        return heads.entry_head(self, tex)

    def __str__(self) -> str:
        from symgrad.formula.report import results

        return results([self], "unicode")

    def __repr__(self) -> str:
        return f"<Formula {self.head} = {self.unicode()}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex_head} = {self.latex()}$"
