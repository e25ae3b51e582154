"""Group lowered nodes into units: loops over row tiles, and single statements between them.

Row k of an elementwise result needs row k of its operands only. All nodes whose rows can be
computed together make one loop; what needs a finished array (a product of matrices, a sum over the
rows) waits for the next `time`. Sums over the rows grow along in the loop that makes the rows.
"""

from collections.abc import Iterable

from symgrad.codegen.fast.delaying import beside_parts, delayed
from symgrad.codegen.fast.dots import products
from symgrad.codegen.fast.kinds import below_views, kinds, powers_of_two
from symgrad.codegen.fast.marks import marks
from symgrad.codegen.fast.reading import growing
from symgrad.codegen.fast.stencils import base_of, rows_of_parts, terms_of
from symgrad.codegen.fast.units import units
from symgrad.graph import Node, topological
from symgrad.graph.walk import consumers
from symgrad.shapes import Dim, axes_of

FAR = 12  # so many operators are looked back at, to move a value to its use


class Schedule:
    """Decide for every node below `roots` when, in which loop and from what it is computed."""

    def __init__(
        self, roots: Iterable[Node], gathering: bool = True, accurate: bool = False
    ) -> None:
        self.gathering = gathering  # parts may be added in a loop: its tiles come in their order
        self.roots = dict.fromkeys(roots)
        self.order = topological(self.roots)
        self.users = dict(consumers(self.order))
        self.kinds = kinds(self.order, self.users)
        self.dots = products(self.order, self.users, self.roots, accurate)  # sum(a*b) -> (a, b)
        self.absorbed: dict[Node, None] = {n.args[0]: None for n in self.dots}
        self.time: dict[Node, int] = {}
        self.local: dict[Node, Dim] = {}  # its rows are computed in a loop
        self.grown: dict[Node, Dim] = {}  # it is summed up in a loop
        self.placed: dict[Node, tuple[Node, ...]] = {}  # a sum of parts put at their places
        self.less: dict[Node, None] = {}  # those of them that are subtracted
        self._absorb_parts()
        # P - onehot(t): 1 is subtracted at the labels
        self.hot, needless = marks(self.order, self.users, self.roots, self.absorbed)
        self.absorbed |= needless
        self.kinds |= {n: "marked" for n, mark in self.hot.items() if mark.columns}
        self._operands = {n: self._read(n) for n in self.order}
        self.floor: dict[Node, int] = {}  # when a sum may begin
        for node in self.order:
            self._place(node)
        self.floor = delayed(self) | beside_parts(self)
        for node in self.order if self.floor else ():
            self._place(node)
        self._sink()
        self.full = {n: None for n in self.order if n in self.local and self.needed_whole(n)}
        self.units = units(self)

    # -- operands ------------------------------------------------------------------------------

    def _absorb_parts(self) -> None:
        """Write parts into a sum where they belong, without arrays that are zero elsewhere."""
        for node in reversed(self.order):
            if node in self.absorbed or not node.shape or node.op not in ("add", "unslice"):
                continue
            used = [u for u, _ in self.users[node]]
            inner_sum = len(used) == 1 and used[0].op == "add" and used[0].shape == node.shape
            if inner_sum and node not in self.roots and len(node.shape) < 2:  # its top lists it
                continue
            terms, inner = terms_of(node, self.users, self.roots)
            if any(t.op == "unslice" for t in terms):
                self.placed[node] = tuple(terms)
                self.kinds[node] = "placed"
                self.absorbed |= dict.fromkeys(inner)
                self._subtracted(node, terms)
                for k, term in enumerate(terms):
                    if term.op == "unslice" and term is not node and term not in inner:
                        part = term.args[0]  # it is read here too
                        self.users[part] = [*self.users[part], (node, k)]

    def _subtracted(self, node: Node, terms: list[Node]) -> None:
        """Take the opposite of a part that is read here only as a part less."""
        for term in terms:
            part = term.args[0] if term.op == "unslice" else term
            alone = all(len(self.users[n]) == 1 and n not in self.roots for n in (part, term))
            if part is not term is not node and part.op == "neg" and part.shape and alone:
                self.less[term] = None
                self.absorbed[part] = None

    def part(self, term: Node) -> Node:
        """Give what a term of a sum of parts is made of."""
        inner = term.args[0] if term.op == "unslice" else term
        return inner.args[0] if term in self.less else inner

    def operands(self, node: Node) -> tuple[Node, ...]:
        """List what a statement reads: the factors of a dot product, a matrix untransposed."""
        return self._operands[node]

    def _read(self, node: Node) -> tuple[Node, ...]:
        if node in self.dots:
            return self.dots[node]
        if node in self.hot:
            return self.hot[node].operands
        if node in self.placed:
            return tuple(map(self.part, self.placed[node]))
        if self.kinds[node] == "matmul":
            a, b = node.args
            return a.args[0] if turned(a) else a, b.args[0] if turned(b) else b
        if self.kinds[node] == "ufunc" and powers_of_two(node):
            return node.args[1:]
        return node.args

    def overwrites(self, node: Node) -> bool:
        """Say whether a result may replace an operand; sign in place takes 6 times as long."""
        return node in self.hot or (self.kinds[node] == "ufunc" and node.op != "sign")

    def joins(self, node: Node) -> bool:
        """Say whether a number may be written inside the statement of its only user, later on."""
        users = self.users[node]
        alone = len(users) == 1 and node not in self.roots and self.kinds[node] == "scalar"
        return alone and self.kinds[users[0][0]] == "scalar"

    def sliced(self, node: Node, k: int) -> bool:
        """Say whether a loop takes operand k of a node row by row, not whole."""
        operand = self._operands[node][k]
        dim = self.local.get(node) or self.grown.get(node)
        if dim is None or not operand.shape or operand.shape[0] != dim:
            return False
        if self.kinds[node] == "matmul" and node in self.local:
            return k == 0  # X w: rows of X, all of w
        if self.kinds[node] == "gathered":
            return k == 1  # rows of labels, all of the table
        if node in self.hot:
            return True
        if node in self.grown or self.kinds[node] in ("reduce", "rows", "rowwise", "view"):
            return True
        return len(operand.shape) == len(node.shape)

    def _ready(self, node: Node, dim: Dim | None, k: int) -> int:
        """Give the first time at which operand k can be read."""
        operand = self._operands[node][k]
        if dim is not None and self.local.get(operand) == dim and self.sliced(node, k):
            return self.time[operand]
        return self.done(operand)

    def done(self, node: Node) -> int:
        """Give the time from which the whole value is there."""
        return self.time[node] + (node in self.local or node in self.grown)

    # -- placing -------------------------------------------------------------------------------

    def _place(self, node: Node) -> None:
        where = self.kinds[node]
        dim: Dim | None = None
        if where == "view":
            inner = node.args[0]
            if node.op == "expand" and min(node.attrs["axes"]) > 0 and inner in self.local:
                self.local[node] = self.local[inner]
                self.time[node] = self.time[inner]
                return
        elif where in ("ufunc", "elementwise", "rows", "rowwise", "gathered"):
            if node.shape and node.shape[0] != 1 and not growing(node, self.users):
                dim = self.local[node] = node.shape[0]
        elif where == "reduce":
            dim = self._place_reduction(node)
        elif where == "matmul":
            dim = self._place_product(node)
        elif where == "placed" and self.gathering:
            dim = self._rows_of_parts(self.placed[node])
            if dim is not None:
                self.grown[node] = dim
        time = self.floor.get(node, 0)
        for k in range(len(self._operands[node])):
            time = max(time, self._ready(node, dim, k))
        self.time[node] = time

    def _rows_of_parts(self, terms: tuple[Node, ...]) -> Dim | None:
        """Give how many rows parts have that a loop adds up; beside a whole, it makes them, too."""
        parts = [t for t in terms if t.op == "unslice"]
        if len(terms) - len(parts) > 1:
            return None
        dim = rows_of_parts(parts)
        made = all(self.local.get(below_views(self.part(t), self.kinds)) == dim for t in parts)
        return dim if len(parts) == len(terms) or made else None

    def base(self, node: Node) -> Node | None:
        """Give the whole array that the parts of a sum are added to."""
        return base_of(self.placed.get(node, ()))

    def _place_reduction(self, node: Node) -> Dim | None:
        inner = node.args[0]
        axes = axes_of(node.attrs["axis"], len(inner.shape))
        dim = inner.shape[0]
        if dim == 1:
            return None
        if 0 not in axes:
            self.local[node] = dim
            return dim
        if node.op != "sum" or (node.shape and self._whole_anyway(inner)):
            return None
        self.grown[node] = dim
        return dim

    def _place_product(self, node: Node) -> Dim | None:
        a, b = node.args
        if len(a.shape) == 2 and len(b.shape) == 1:
            if turned(a):
                self.grown[node] = b.shape[0]
                return b.shape[0]
            if a.shape[0] == 1 or a.op == "transpose":
                return None
            self.local[node] = a.shape[0]
            return a.shape[0]
        if len(a.shape) == 1 and len(b.shape) <= 2 and not turned(b) and a.shape[0] != 1:
            self.grown[node] = a.shape[0]
            return a.shape[0]
        return None

    def _whole_anyway(self, node: Node) -> bool:
        """Say whether an array has to be stored whole because a product reads it."""
        if node in self.roots or node not in self.local:
            return True
        return any(
            (self.kinds[u] == "matmul" and len(u.shape) > 1)
            or self.kinds[u] == "other"
            or (self.kinds[u] == "view" and u.op != "expand")
            for u, _ in self.users[node]
        )

    # -- sinking -------------------------------------------------------------------------------

    def _sink(self) -> None:
        """Compute late what only needs values that are there anyway: no array waits for its use."""
        for node in reversed(self.order):
            if node in self.roots or node in self.grown:
                continue
            read = [u for u, _ in self.users[node]]
            if not read or self.kinds[node] == "view":
                continue
            if "view" in [self.kinds[n] for n in read]:
                read = self._beyond_transposes(read)
                if not read or "view" in [self.kinds[n] for n in read]:
                    continue
            if node not in self.local:  # such as x[k] @ W in a network over time
                inputs = (below_views(a, self.kinds).op == "input" for a in self.operands(node))
                if self.kinds[node] != "matmul" or not node.shape or not all(inputs):
                    continue
            latest = min(self._latest(node, u) for u in read)
            if latest > self.time[node] and (node not in self.local or self._movable(node, latest)):
                self.time[node] = latest

    def _beyond_transposes(self, read: list[Node]) -> list[Node]:
        """List what reads a value; of a transpose, the products, if nothing else does."""
        found: list[Node] = []
        for user in read:
            turns = user not in self.roots and turned(user)
            beyond = [u for u, _ in self.users[user]] if turns else []
            products = all(self.kinds[u] == "matmul" and u not in read for u in beyond)
            found += beyond if beyond and products else [user]
        return found

    def _movable(self, node: Node, time: int) -> bool:
        """Say whether a value can be computed later: from what is kept, or moves along."""
        todo, seen = [(node, a) for a in self.operands(node)], 0
        while todo:
            user, operand = todo.pop()
            seen += 1
            if self._there(operand, user, time):
                continue
            users = dict.fromkeys(u for u, _ in self.users[operand])  # a square is one
            alone = len(users) == 1 and operand not in self.roots
            if not (
                alone and seen < FAR and operand in self.local and operand not in self.absorbed
            ):
                return False
            if self.kinds[operand] == "view":
                return False
            todo += [(operand, a) for a in dict.fromkeys(self.operands(operand))]
        return True

    def _there(self, operand: Node, node: Node, time: int) -> bool:
        """Say whether an operand is kept whole up to a time, or is a vector that may be."""
        if not operand.shape or below_views(operand, self.kinds).op == "input":
            return True
        whole = operand not in self.local or self.needed_whole(operand)
        if not whole or operand in self.absorbed or self.done(operand) > time:
            return False
        others = [self._used_at(u) for u, _ in self.users[operand] if u is not node]
        return len(operand.shape) < len(node.shape) or max(others, default=-1) >= time

    def beyond(self, user: Node) -> list[Node]:
        """List what reads a product that is not computed itself; else the user alone."""
        if user not in self.absorbed:
            return [user]
        return [v for u in dict.fromkeys(u for u, _ in self.users[user]) for v in self.beyond(u)]

    def _used_at(self, user: Node) -> int:
        if user in self.absorbed:
            return max((self._used_at(u) for u in self.beyond(user)), default=-1)
        if self.kinds[user] == "view":
            return max((self.time[u] for u, _ in self.users[user]), default=-1)
        return self.time[user]

    def _latest(self, node: Node, user: Node) -> int:
        users = self.beyond(user)
        if node not in self.local:  # single statements of a time come before its loops
            return min(self.time[u] - (u not in self.local and u not in self.grown) for u in users)
        return min([self.time[u] - (not self._inside(node, u, timed=False)) for u in users])

    # -- what is whole -------------------------------------------------------------------------

    def _inside(self, node: Node, user: Node, timed: bool = True) -> bool:
        """Say whether a use reads rows in the loop that makes them."""
        dim = self.local.get(user) or self.grown.get(user)
        if dim is None or dim != self.local[node] or (timed and self.time[user] != self.time[node]):
            return False
        places = [k for k, a in enumerate(self.operands(user)) if a is node]
        return bool(places) and all(self.sliced(user, k) for k in places)

    def needed_whole(self, node: Node) -> bool:
        if self.kinds[node] == "view" or node in self.absorbed:
            return False
        if node in self.roots:
            return True
        todo = [(node, u) for u, _ in self.users[node]]
        while todo:
            value, user = todo.pop()
            if user in self.absorbed:
                todo += [(value, u) for u in self.beyond(user)]
                continue
            if user in self.hot and node in self.operands(user):
                value = node  # through the views that the mark does without
            if self.kinds[user] == "view" and user in self.roots:
                return True
            if self.kinds[user] == "view" and user in self.local:
                todo += [(user, u) for u, _ in self.users[user]]
            elif self.kinds[user] == "view" and turned(user):
                if not all(self._inside(value, u) for u, _ in self.users[user]):
                    return True
            elif not self._inside(value, user):
                return True
        return False


def turned(node: Node) -> bool:
    """Say whether a node is the transpose of a matrix."""
    return node.op == "transpose" and len(node.shape) == 2 and node.attrs["axes"] in (None, (1, 0))
