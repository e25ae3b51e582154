"""Compute a program for each example of a batch alone, and for all examples at once.

A value has an image for each node of a program over N examples. Where N is an axis of the node, the
image keeps it: row n belongs to example n. Where N was summed over, each example keeps its own term
and the image has N in front: X.T @ delta becomes X[:, :, None]*delta[:, None, :]. What no data
enter stays as it is, and the number N itself becomes 1.
"""

from collections.abc import Callable, Iterable

from symgrad.dims import names_in
from symgrad.errors import SymgradError
from symgrad.graph import Node, topological
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.shapes import Shape, axes_of

ONE = ("sum", "mean", "amax", "amin", "prod", "logsumexp")  # of one entry: the entry
ALONG = ("softmax", "shares", "log_softmax", "softmax_rest", "winner", "cumsum", "others",
         "standardize")  # fmt: skip


class Mixed(SymgradError):
    """Say that a program has no image, as far as is known here: its examples are mixed."""


def images(roots: Iterable[Node], size: str) -> dict[Node, Node]:
    """Give the image of every node below `roots` for the examples counted by `size`.

    Raises Mixed for an operator whose examples cannot be told apart here.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N", "D")); total = make("sum", x, axis=0)
    >>> images([total], "N")[total] is x
    True
    """
    work = _Images(size)
    for node in topological(roots):
        work.found[node] = work.image(node)
    return work.found


class _Images:
    """Hold the images found so far; `found[node]` is made from those of its operands."""

    def __init__(self, size: str) -> None:
        self.size = size
        self.found: dict[Node, Node] = {}
        self.rules: dict[str, Callable[[Node], Node]] = dict.fromkeys(ALONG, self._along)
        self.rules |= {
            "matmul": self._matmul, "outer": self._outer, "transpose": self._transpose,
            "expand": self._expand, "broadcast": self._broadcast, "onehot": self._rows,
            "pick": self._rows,
        }  # fmt: skip

    def image(self, node: Node) -> Node:
        """Make the image of a node from those of its operands."""
        if node.op == "dim":
            return const(1) if node.attrs["name"] == self.size else node
        mentioned = [d for d in node.shape if self.size in names_in(d)]
        if len(mentioned) > 1 or mentioned not in ([], [self.size]):
            raise Mixed(f"{node.op} has the shape {node.shape}")
        if not node.args:
            if node.op == "arange" and mentioned:
                raise Mixed("the examples are counted")
            return node
        if not any(map(self._varies, node.args)) and self.size not in node.shape:
            return remake(node, tuple(self.found[a] for a in node.args))
        row = OPS[node.op]
        rule = self.rules.get(node.op)
        if rule is None and row.shape == "elementwise":
            rule = self._elementwise
        if rule is None and row.shape == "reduce":
            rule = self._reduce
        if rule is None:
            raise Mixed(f"{node.op} over the examples")
        made = rule(node)
        expected = node.shape if self.size in node.shape else (self.size, *node.shape)
        if made.shape != expected:
            raise Mixed(f"{node.op} has an image of the shape {made.shape}")
        return made

    # -- what an image looks like --------------------------------------------------------------

    def _varies(self, node: Node) -> bool:
        return self.size in node.shape or self._leads(node)

    def _leads(self, node: Node) -> bool:
        """Say whether the image has the examples in front of the node's own axes."""
        return self.size not in node.shape and self.found[node].shape != node.shape

    def _front(self, image: Node) -> Node:
        """Bring the axis of the examples to the front."""
        k = image.shape.index(self.size)
        if k == 0:
            return image
        if image.op == "transpose" and len(image.shape) == 2:
            return image.args[0]
        order = (k, *(j for j in range(len(image.shape)) if j != k))
        return make("transpose", image, axes=order)

    def _aligned(self, node: Node, out: Shape) -> Node:
        """Give an operand's image axes such that it broadcasts against a result of shape `out`."""
        image = self.found[node]
        if self.size in node.shape:
            place = len(node.shape) - node.shape.index(self.size)
            if self.size not in out or place != len(out) - out.index(self.size):
                raise Mixed("the examples stand against another axis")
            return image
        if not self._leads(node):
            return image
        behind = len(out) - 1 - out.index(self.size) if self.size in out else len(out)
        if len(node.shape) > behind:
            raise Mixed("one entry stands against the examples")
        new = tuple(range(1, 1 + behind - len(node.shape)))
        return make("expand", image, axes=new) if new else image

    # -- rules ---------------------------------------------------------------------------------

    def _elementwise(self, node: Node) -> Node:
        args = [self._aligned(a, node.shape) for a in node.args]
        if node.op in ("mul", "div", "over") and value_of(args[1]) == 1:
            return args[0]
        if node.op == "mul" and value_of(args[0]) == 1:
            return args[1]
        return make(node.op, *args, **node.attrs)

    def _reduce(self, node: Node) -> Node:
        """Leave out the sum over the examples."""
        operand, keep = node.args[0], node.attrs["keepdims"]
        image = self.found[operand]
        axes = axes_of(node.attrs["axis"], len(operand.shape))
        if self._leads(operand):
            return make(node.op, image, axis=tuple(k + 1 for k in axes), keepdims=keep)
        at = operand.shape.index(self.size)
        if at not in axes:
            return make(node.op, image, **node.attrs)
        if node.op not in ONE:
            raise Mixed(f"{node.op} over the examples")
        rest = tuple(k for k in axes if k != at)
        made = make(node.op, image, axis=rest, keepdims=keep) if rest else image
        made = self._front(made)
        return make("expand", made, axes=(at + 1,)) if keep else made

    def _along(self, node: Node) -> Node:
        """Apply what works along an axis, which must not be that of the examples."""
        operand = node.args[0]
        axes = axes_of(node.attrs["axis"], len(operand.shape))
        if self._leads(operand):
            if len(axes) != 1 or len(node.args) != 1:
                raise Mixed(f"{node.op} of sums over the examples")
            return make(node.op, self.found[operand], axis=axes[0] + 1)
        if operand.shape.index(self.size) in axes:
            raise Mixed(f"{node.op} over the examples")
        args = [self._aligned(a, operand.shape) for a in node.args]
        return make(node.op, *args, **node.attrs)

    def _rows(self, node: Node) -> Node:
        """Apply what treats row after row: labels to rows, or an entry of each row."""
        if any(a.shape[:1] != (self.size,) for a in node.args):
            raise Mixed(f"{node.op} of other rows than the examples")
        return make(node.op, *(self.found[a] for a in node.args), **node.attrs)

    def _matmul(self, node: Node) -> Node:
        a, b = node.args
        x, y = self.found[a], self.found[b]
        if len(a.shape) > 2 or len(b.shape) > 2:
            raise Mixed("a product of stacks of matrices")
        if a.shape[-1] == self.size and b.shape[0] == self.size:  # the sum over the examples
            x = self._front(x)
            if len(b.shape) == 2:
                x = make("expand", x, axes=(len(a.shape),))
            if len(a.shape) == 2:
                y = make("expand", y, axes=(1,))
            return make("mul", x, y)
        many = self._leads(a) or self.size in a.shape, self._leads(b)
        if self.size in b.shape:
            if many[0] or len(b.shape) == 1:
                raise Mixed("a product with the examples as columns")
            return make("matmul", x, y)
        if not many[1]:
            return make("matmul", x, y)
        if not many[0]:  # (R, K) and (N, K): the transposed product
            if len(b.shape) == 2:
                return make("matmul", x, y)
            return make("matmul", y, make("transpose", x) if len(a.shape) == 2 else x)
        rows = len(a.shape) == 2 and self.size not in a.shape  # an axis of its own beside K
        if rows and len(b.shape) == 2:
            return make("matmul", x, y)
        x = make("expand", x, axes=(2,)) if len(b.shape) == 2 else x
        y = make("expand", y, axes=(1,)) if rows else y
        return make("sum", make("mul", x, y), axis=1 if len(b.shape) == 2 else -1)

    def _outer(self, node: Node) -> Node:
        a, b = node.args
        x, y = self.found[a], self.found[b]
        if self.size in b.shape:
            if self._leads(a):
                raise Mixed("an outer product with the examples as columns")
            return make("outer", x, y)
        if self._leads(b):
            across = y if self.size in a.shape else make("expand", y, axes=(1,))
            down = make("expand", x, axes=(len(x.shape),))
            return make("mul", down, across)
        return make("mul", make("expand", x, axes=(len(x.shape),)), y)

    def _transpose(self, node: Node) -> Node:
        operand = node.args[0]
        if not self._leads(operand):
            return make("transpose", self.found[operand], **node.attrs)
        axes = node.attrs["axes"]
        axes = tuple(reversed(range(len(operand.shape)))) if axes is None else axes
        return make("transpose", self.found[operand], axes=(0, *(k + 1 for k in axes)))

    def _expand(self, node: Node) -> Node:
        shift = int(self._leads(node.args[0]))
        axes = tuple(k + shift for k in node.attrs["axes"])
        return make("expand", self.found[node.args[0]], axes=axes)

    def _broadcast(self, node: Node) -> Node:
        shape = node.shape if self.size in node.shape else (self.size, *node.shape)
        return make("broadcast", self._aligned(node.args[0], node.shape), shape=shape)
