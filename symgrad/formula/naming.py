"""Choose names: the user's own first, then canonical ones for what stands more than once."""

from collections.abc import Iterable, Iterator, Mapping

from symgrad.dims import names_in
from symgrad.formula.names import distinct
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, dim
from symgrad.rewrite.cost import FREE, tree_size

LONG = 40  # a part of more operations than this gets a name of its own
SHORT = 6  # operations of a quotient whose derivative is written without it
NESTED = 3  # abstract functions in one another that are printed as often as they stand
RESERVED = ("np", "m", "math", "sigmoid", "softmax", "erf", "dtype")
ALWAYS = ("softmax", "normal_cdf", "normal_pdf", "standardize")  # named wherever they appear
UNEVEN = ("matmul", "outer", "inv", "solve")
PRODUCTS = ("matmul", "outer")
COMBINED = ("add", "sub", "mul", "div", "neg", "pow", "where", "matmul")
STEMS = {"diag": "D", "winner": "e"}  # X^T D X
UNNAMED = ("const", "dim", "input", "arange")


def users_names(graph: Graph) -> dict[Node, str]:
    """Map the nodes that the user has named (inputs and numbers aside) to their names.

    An output that is a maximum is left out: its gradient speaks of 1[1 - y f > 0], not of 1[L > 0].
    So is a quotient of numbers: the derivative of x/y is -x/y^2, not -L/y.
    """
    found: dict[Node, str] = {}
    for name, node in graph.names.items():
        if node.op not in UNNAMED and not (node is graph.output and _plain(graph)):
            found.setdefault(node, name)
    return found


def _plain(graph: Graph) -> bool:
    """Say whether the output is written out in its own derivative."""
    node = graph.output
    if node.op == "div":
        names = [name for name, n in graph.names.items() if n is node]
        plain = all(not n.shape and n.op != "dim" for n in graph.order())
        return len(names) < 2 and plain and tree_size(node, graph.names.values()) <= SHORT
    return node.op == "relu"


def is_mask(node: Node) -> bool:
    """Say whether a value is an indicator, or a product of indicators."""
    return node.dtype == "bool" or (node.op == "mul" and all(a.dtype == "bool" for a in node.args))


def _unit(operands: Iterable[Node]) -> bool:
    """Say whether a unit vector e_y, of one class, is among some operands."""
    return "onehot" in [a.op for a in operands if len(a.shape) == 1]


def _over_size(node: Node) -> bool:
    """Say whether a value is divided by a size: (P - Y)/N."""
    if node.op == "mul":
        return any(not a.shape and a.op == "div" and _over_size(a) for a in node.args)
    below = topological([node.args[1]]) if node.op == "div" else ()
    return (
        bool(below)
        and all(n.op in ("dim", "const", "mul") for n in below)
        and any(n.op == "dim" for n in below)
    )


class Names:
    """Name the parts of formulas; the same part has the same name in every formula."""

    def __init__(self, graph: Graph) -> None:
        self.given = users_names(graph)
        self.chosen = dict(self.given)
        inputs = [n.attrs["name"] for n in graph.order() if n.op == "input"]
        shapes = dict.fromkeys(n.shape for n in graph.order())
        dims = [name for shape in shapes for d in shape for name in names_in(d)]
        sizes = [d for n in graph.inputs for d in (*n.shape, n.attrs.get("classes", 1))]
        self.dims = tuple(dict.fromkeys(sizes))  # in the order in which they are declared
        self._sizes = [d for d in self.dims if isinstance(d, str) and d.isidentifier()]
        self.forward = dict.fromkeys(graph.order())
        self.taken = dict.fromkeys([*graph.names, *inputs, *dims, *graph.functions, *RESERVED])
        self.seen: dict[Node, None] = {}
        self.own = dict.fromkeys([*inputs, *graph.names])  # what the user has named
        self._texts: tuple[dict[str, str], ...] = ()
        self._texts_for = -1  # how many names there were then
        self._typeset: dict[bool, tuple[int, dict[Node, str]]] = {}
        self.numbers: dict[str, int] = {}  # how far each stem has been counted

    def prepare(self, roots: Iterable[Node]) -> None:
        """Choose names for what the formulas of `roots` share or what is too long to print."""
        todo = [r for r in roots]
        while todo:
            root = todo.pop()
            if root in self.seen:
                continue
            self.seen[root] = None
            todo += self._within(root)

    def _within(self, root: Node) -> list[Node]:
        """Name parts of one printed formula; return the named nodes that it mentions."""
        order = (*topological(root.args, stop=self.chosen.__contains__), root)
        parts = [n for n in order if n is not root and n not in self.chosen]
        if root.op != "softmax" and all([n.op in FREE for n in parts]):  # which get no names
            return [n for n in order if n in self.chosen and n is not root]
        uses: dict[Node, int] = {}
        for node in order:
            if node is root or node not in self.chosen:
                for arg in node.args:
                    uses[arg] = uses.get(arg, 0) + 1
        size: dict[Node, int] = {}
        factors = self._factors(root, order)
        flat: dict[Node, bool] = {}  # no product of matrices inside, below names
        nested: dict[Node, int] = {}  # f(g(h(x))): as short as a name
        for node in order:
            if node in self.chosen and node is not root:
                size[node], flat[node] = 0, True
                continue
            flat[node] = node.op not in UNEVEN and all([flat[a] for a in node.args])
            size[node] = (node.op not in FREE) + sum([size[a] for a in node.args])
            if node.op == "apply":
                within = nested.get(node.args[0], 0 if not size[node.args[0]] else NESTED)
                if within < NESTED:
                    nested[node] = within + 1
            back = self._back(node)
            # x^T B x and B x, of which no more is computed, stay as they are
            long = size[node] > 1 or (node.op in UNEVEN and back and not self._plain(node))
            repeated = uses.get(node, 0) > 1 and long and node not in nested
            # p - y, not softmax(s) - y; W^T e for the row of W that has the largest score
            always = node.op in ALWAYS or (node.op == "winner" and node in factors)
            # delta = (o - t) o (1 - o), where it multiplies a matrix
            adjoint = back and node in factors and self._layer(node, flat, size[node], factors)
            wanted = repeated or always or adjoint or size[node] > LONG
            # p, where p = softmax(z/T)
            whole = node.op == "softmax" and size[node] > 1 and node not in self.chosen
            if wanted and (node is not root or whole) and node.op not in FREE:
                self.name(node, STEMS.get(node.op) or ("delta" if adjoint else ""))
                size[node], flat[node] = 0, True
        return [n for n in order if n in self.chosen and n is not root]

    def _factors(self, root: Node, order: tuple[Node, ...]) -> dict[Node, bool]:
        """Map what multiplies a matrix, or is summed, to whether it stands inside another product.

        In x (V delta * h')^T the factor with h' is outermost and is printed as it stands; where
        several such terms are added, one for each time step, all of them get names.
        """
        found: dict[Node, bool] = {}
        terms = list(self._terms(root))
        steps = [t for t in terms if self._step(t)]
        outermost = dict.fromkeys(t for t in terms if t.op in PRODUCTS)
        if steps:  # the last step's is no product with a matrix
            steps += [t for t in terms if t.op == "mul" and self._back(t) and t not in steps]
        several = len(steps) + sum(1 for t in outermost if t.shape) > 1
        for node in order:
            if node in self.chosen and node is not root:
                continue
            if _unit(node.args):  # e_u (r P[u] - Q[i])^T has one row, and no layer below it
                continue
            if node.op in PRODUCTS or (node.op == "sum" and _over_size(node.args[0])):
                for a in node.args:
                    plain = a.args[0] if a.op == "transpose" else a
                    if not node.shape and plain.op not in COMBINED:  # r^T sin(w t)
                        continue
                    inside = several or node not in outermost
                    found[plain] = found.get(plain, False) or inside
        if several:
            found.update(dict.fromkeys(steps, True))
        return found

    def _step(self, node: Node) -> bool:
        """Say whether a term is an adjoint passed through a layer: (W^T delta) * h'."""
        if node.op != "mul" or node in self.chosen or not all(a.shape for a in node.args):
            return False
        order = topological([node], stop=lambda n: n in self.chosen)
        passed = [n for n in order if n.op in PRODUCTS and n.shape and n not in self.chosen]
        return any(self._back(n) for n in passed)

    def _terms(self, root: Node) -> Iterable[Node]:
        """List the terms of a sum, without signs and scalar factors; names stay whole."""
        todo = [root]
        seen: dict[Node, None] = {}
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen[node] = None
            whole = node in self.chosen and node is not root
            if not whole and node.op in ("add", "sub"):
                todo += reversed(node.args)
            elif not whole and node.op == "neg":
                todo.append(node.args[0])
            elif not whole and node.op in ("mul", "div") and not all(a.shape for a in node.args):
                todo.append(max(node.args, key=lambda a: len(a.shape)))
            else:
                yield node

    def _layer(
        self, node: Node, flat: Mapping[Node, bool], size: int, factors: Mapping[Node, bool]
    ) -> bool:
        """Say whether a value is the adjoint of a layer, from which those below are computed."""
        if _unit(node.args):
            return False
        if flat[node]:
            return size > 2 or (size > 1 and _over_size(node))
        return factors[node] and size > 2 and node.op in ("mul", "where")

    def _plain(self, node: Node) -> bool:
        """Say whether a product is one of a matrix and a vector that are given."""
        bare = [a.args[0] if a.op == "transpose" else a for a in node.args]
        given = all(a.op == "input" or a in self.given for a in bare)
        return node.op == "matmul" and given and len(node.shape) == 1

    def _back(self, node: Node) -> bool:
        """Say whether a value belongs to the backward pass."""
        return node not in self.forward and not is_mask(node)

    def _fresh(self, node: Node) -> str:
        """Give a new name, canonical for the operator where there is one."""
        row = OPS[node.op]
        stem = row.canonical or ("M" if is_mask(node) else "t")
        if stem == "P" and len(node.shape) < 2:
            stem = "p"
        return self.reserve(stem, "t_1" if stem == "t" else stem)

    def name(self, node: Node, stem: str = "") -> None:
        """Name a node, canonically if no stem is given."""
        self.chosen[node] = self.reserve(stem) if stem else self._fresh(node)

    def reserve(self, stem: str, first: str = "") -> str:
        """Take a name that nothing else has: the stem itself, or the stem with a number."""
        k = self.numbers.get(stem, 1)
        name = (first or stem) if k == 1 else f"{stem}_{k}"
        while name in self.taken:
            k += 1
            name = f"{stem}_{k}"
        self.numbers[stem] = k
        self.taken[name] = None
        return name

    def typeset(self, latex: bool = True) -> dict[Node, str]:
        """Map inputs and named values to their LaTeX or Unicode, no two alike."""
        known = self._typeset.get(latex)
        if known is None or known[0] != len(self.chosen):
            inputs = {n: str(n.attrs["name"]) for n in self.forward if n.op == "input"}
            found = {n: self.called(t, latex) for n, t in {**inputs, **self.chosen}.items()}
            found.update(self.sizes(latex))
            known = self._typeset[latex] = len(self.chosen), found
        return known[1]

    def called(self, name: str, latex: bool = True) -> str:
        """Typeset a name so that no other name of the program looks like it."""
        if self._texts_for != len(self.chosen):
            known = dict.fromkeys([*self.own, *self.chosen.values(), *self._sizes])
            self._texts_for = len(self.chosen)
            self._texts = tuple(distinct(known, latex=tex) for tex in (False, True))
        return self._texts[latex].get(name) or distinct([name], latex)[name]

    def sizes(self, latex: bool = True) -> dict[Node, str]:
        """Typeset the dimensions that would look like something else: #N beside a variable N."""
        found: dict[Node, str] = {}
        for name in self._sizes:
            text = self.called(name, latex)
            if name in self.own or name in self.chosen.values():
                text = ("\\#" if latex else "#") + text
            elif text == distinct([name], latex)[name]:
                continue
            found[dim(name)] = text
        return found

    def mentioned_in(self, root: Node) -> list[Node]:
        """List the named nodes that one printed formula shows."""
        return self._next(root)

    def mentioned(self, root: Node) -> list[Node]:
        """List the named nodes that a formula needs, in dependency order."""
        direct: dict[Node, None] = {}
        stack = [root]
        while stack:
            for node in self._next(stack.pop()):
                if node not in direct:
                    direct[node] = None
                    stack.append(node)
        return [n for n in topological([root]) if n in direct]

    def _next(self, start: Node) -> list[Node]:
        """List the named nodes that one printed formula shows."""
        order = topological([start], stop=lambda n: n in self.chosen and n is not start)
        return [n for n in order if n in self.chosen and n is not start]

    def view(self, root: Node) -> Mapping[Node, str]:
        """Give the names for printing one formula: all but its own."""
        return self.chosen if root not in self.chosen else _Others(self.chosen, root)


class _Others(Mapping[Node, str]):
    """Show a mapping without one of its keys, and without a copy."""

    def __init__(self, whole: Mapping[Node, str], without: Node) -> None:
        self.whole, self.without = whole, without

    def __getitem__(self, node: Node) -> str:
        if node is self.without:
            raise KeyError(node)
        return self.whole[node]

    def __contains__(self, node: object) -> bool:
        return node is not self.without and node in self.whole

    def __iter__(self) -> Iterator[Node]:
        return (n for n in self.whole if n is not self.without)

    def __len__(self) -> int:
        return len(self.whole) - (self.without in self.whole)
