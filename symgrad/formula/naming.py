"""Choose names: the user's own first, then canonical ones for what stands more than once."""

from collections.abc import Iterable, Mapping

from symgrad.dims import names_in
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS
from symgrad.rewrite.cost import FREE

LONG = 40  # a part of more operations than this gets a name of its own
NESTED = 3  # abstract functions in one another that are printed as often as they stand
RESERVED = ("np", "m", "math", "sigmoid", "softmax", "erf", "dtype")
ALWAYS = ("softmax", "normal_cdf", "normal_pdf")  # named wherever they appear
UNEVEN = ("matmul", "outer", "inv", "solve")
UNNAMED = ("const", "dim", "input", "arange")


def users_names(graph: Graph) -> dict[Node, str]:
    """Map the nodes that the user has named (inputs and numbers aside) to their names.

    An output that is a maximum is left out: its gradient speaks of 1[1 - y f > 0], not of 1[L > 0].
    """
    found: dict[Node, str] = {}
    for name, node in graph.names.items():
        if node.op not in UNNAMED and not (node is graph.output and node.op == "relu"):
            found.setdefault(node, name)
    return found


def _mask(node: Node) -> bool:
    """Say whether a value is an indicator, or a product of indicators."""
    return node.dtype == "bool" or (node.op == "mul" and all(a.dtype == "bool" for a in node.args))


class Names:
    """Name the parts of formulas; the same part has the same name in every formula."""

    def __init__(self, graph: Graph) -> None:
        self.chosen = users_names(graph)
        inputs = [n.attrs["name"] for n in graph.order() if n.op == "input"]
        dims = [name for n in graph.order() for d in n.shape for name in names_in(d)]
        self.forward = dict.fromkeys(graph.order())
        self.taken = dict.fromkeys([*graph.names, *inputs, *dims, *graph.functions, *RESERVED])
        self.seen: dict[Node, None] = {}
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
        order = topological([root], stop=lambda n: n in self.chosen and n is not root)
        uses: dict[Node, int] = {}
        for node in order:
            if node is root or node not in self.chosen:
                for arg in node.args:
                    uses[arg] = uses.get(arg, 0) + 1
        size: dict[Node, int] = {}
        factors = {a for n in order if n.op in ("matmul", "outer") for a in n.args}
        flat: dict[Node, bool] = {}  # no product of matrices inside, below names
        nested: dict[Node, int] = {}  # f(g(h(x))): as short as a name
        for node in order:
            if node in self.chosen and node is not root:
                size[node], flat[node] = 0, True
                continue
            flat[node] = node.op not in UNEVEN and all(flat[a] for a in node.args)
            size[node] = (node.op not in FREE) + sum(size[a] for a in node.args)
            if node.op == "apply":
                within = nested.get(node.args[0], 0 if not size[node.args[0]] else NESTED)
                if within < NESTED:
                    nested[node] = within + 1
            repeated = uses.get(node, 0) > 1 and size[node] > 1 and node not in nested
            always = node.op in ALWAYS  # p - y, not softmax(s) - y
            # delta = (o - t) o (1 - o), where it multiplies a matrix
            adjoint = node in factors and flat[node] and size[node] > 2 and self._back(node)
            wanted = repeated or always or adjoint or size[node] > LONG
            if wanted and node is not root and node.op not in FREE:
                self.name(node, "delta" if adjoint else "")
                size[node], flat[node] = 0, True
        return [n for n in order if n in self.chosen and n is not root]

    def _back(self, node: Node) -> bool:
        """Say whether a value belongs to the backward pass."""
        return node not in self.forward and not _mask(node)

    def _fresh(self, node: Node) -> str:
        """Give a new name, canonical for the operator where there is one."""
        row = OPS[node.op]
        stem = row.canonical or ("M" if _mask(node) else "t")
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
        return (
            self.chosen
            if root not in self.chosen
            else {n: t for n, t in self.chosen.items() if n is not root}
        )
