"""The last touch on a gradient: where its scalar factors stand, and inner products.

In a network, the factor 1/N belongs to the output layer's G = (P - Y)/N, with which everything
below is written; in a model of one layer it stands outside, X^T (P - Y)/N.
"""

from collections.abc import Collection

from symgrad.graph import Node, having, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.adjoining import adjoined
from symgrad.rewrite.depths import Depths
from symgrad.rewrite.products import scalar_parts, scaled
from symgrad.rewrite.tidy import fit, kind, printed
from symgrad.rewrite.turning import flipped, sums_as_typed, turned_round

PRODUCTS = ("matmul", "outer")
FLAT = ("sub", "mul", "div")
LAYERS = 2  # matrix products inside one another that make a network
PATH = 24  # operations between a gradient's root and its output layer
LARGE = 600  # nodes below a gradient that are looked at
layers = Depths(("matmul",))  # products of matrices inside one another, below names too


def finish(root: Node, named: Collection[Node]) -> Node:
    """Write inner products and powers of roots; gather factors in the output layer's gradient."""
    order = topological([root], stop=named.__contains__)
    if len(order) > LARGE:
        return root
    ops = dict.fromkeys([n.op for n in order])
    if ("sum" in ops or "pow" in ops) and any(map(_shortens, order)):
        root = _shorter(root, named)
    if "sub" in ops and any(_reads_wrong(n) for n in having(order, "sub")):
        root = _upright(root, named)
    root = _side_by_side(root, named, ops)
    if printed() and "sub" in ops and kind(root) == "neg":  # -sum(m - x), of a normal form
        root = flipped(root.args[0], numbers=True) or root
    if ("sub" in ops or "neg" in ops) and printed():
        root = sums_as_typed(root)
    return gathered(root, named) if "div" in ops else root


def joined_parts(root: Node, named: Collection[Node]) -> Node:
    """Join parts that lie side by side, which no digit is lost by; the rest stays as it is."""
    order = topological([root], stop=named.__contains__) if root.shape else ()
    return _side_by_side(root, named, {n.op for n in order}) if len(order) <= LARGE else root


def _side_by_side(root: Node, named: Collection[Node], ops: Collection[str]) -> Node:
    parts = "unslice" in ops or "concatenate" in ops
    return adjoined(root, named) if parts and ("add" in ops or "sub" in ops) else root


def _shortens(node: Node) -> bool:
    """Say whether `_shorter` might write a node in another way."""
    if node.op == "sum":
        return node.shape in ((), (1,))
    return node.op == "pow" and node.args[0].op == "sqrt"


def _shorter(root: Node, named: Collection[Node]) -> Node:
    """Write the sum of u v over all entries of two vectors as u^T v, a cubed root as a power."""
    images: dict[Node, Node] = {}
    for node in topological([root], stop=named.__contains__):
        if node in named or not node.args:
            images[node] = node
            continue
        image = remake(node, tuple([images[a] for a in node.args]))
        if image.op == "sum" and image.args[0] not in named and image.shape in ((), (1,)):
            product = image.args[0]
            if product.op == "mul" and all(_vector(a, product, named) for a in product.args):
                image = make("matmul", *product.args)
        elif image.op == "pow" and image.args[0].op == "sqrt" and image.args[0] not in named:
            power = value_of(image.args[1])
            if power is not None and power > 1 and power % 2 == 1:  # (v + eps)^(3/2)
                image = make("pow", image.args[0].args[0], const(power / 2))
        elif image.shape != node.shape:
            return root
        images[node] = image
    return fit(images[root], root.shape)


def _upright(root: Node, named: Collection[Node]) -> Node:
    """Turn two differences of a product round where one of them reads h - 1."""
    found: list[list[tuple[Node, int]]] = []
    todo: list[tuple[Node, list[tuple[Node, int]]]] = [(root, [])]
    while todo:
        node, path = todo.pop()
        if node in named or len(path) > PATH:
            continue
        if node.op == "sub":
            found.append(path)
        elif node.op in (*PRODUCTS, "mul", "neg", "div", "transpose", "sum"):
            count = 2 if node.op in (*PRODUCTS, "mul") else 1
            todo += [(node.args[k], [*path, (node, k)]) for k in reversed(range(count))]
    for path in found:
        if _reads_wrong(_end(root, path)):
            others = [p for p in found if p is not path]
            wrong = [p for p in others if _reads_wrong(_end(root, p))]
            wrong += [p for p in others if value_of(_end(root, p).args[0]) != 1]
            if wrong:
                once = _turned(root, path)
                return _turned(once, _again(once, wrong[0]))
    return root


def _reads_wrong(node: Node) -> bool:
    return value_of(node.args[1]) == 1


def _end(root: Node, path: list[tuple[Node, int]]) -> Node:
    return path[-1][0].args[path[-1][1]] if path else root


def _again(root: Node, path: list[tuple[Node, int]]) -> list[tuple[Node, int]]:
    """Follow the same way through a graph that was rebuilt."""
    result = []
    node = root
    for _, k in path:
        result.append((node, k))
        node = node.args[k]
    return result


def _turned(root: Node, path: list[tuple[Node, int]]) -> Node:
    """Swap the difference at the end of a path."""
    image = turned_round(_end(root, path))
    for parent, k in reversed(path):
        args = tuple(image if j == k else a for j, a in enumerate(parent.args))
        image = make(parent.op, *args, **parent.attrs)
    return image


def _vector(a: Node, whole: Node, named: Collection[Node]) -> bool:
    simple = a in named or a.op not in ("mul", "where", "broadcast")
    return simple and a.dtype != "bool" and len(a.shape) == 1 and a.shape == whole.shape


def gathered(root: Node, named: Collection[Node]) -> Node:
    """Move a factor such as 1/N into the gradient of a network's output layer."""
    if root in named:
        return root
    if root.op in ("add", "sub"):  # a penalty beside it
        parts = [gathered(a, named) for a in root.args]
        same = all(new is old for new, old in zip(parts, root.args, strict=True))
        return root if same else make(root.op, *parts)
    factors, rest = scalar_parts(root)
    sizes = [f for f in factors if f[0] != "neg" and _of_sizes(f[1])]
    if not any(how == "div" or by.op == "div" for how, by in sizes):
        return root
    path = _output_layer(rest, named)
    if path is None:
        return root
    layer = path[-1][0].args[path[-1][1]] if path else rest
    image = scaled(sizes, layer)
    for parent, k in reversed(path):
        args = tuple(image if j == k else a for j, a in enumerate(parent.args))
        image = make(parent.op, *args, **parent.attrs)
    return scaled([f for f in factors if f not in sizes], image)


def _of_sizes(node: Node) -> bool:
    """Say whether a number is made of sizes and constants: 2/(N K)."""
    order = topological([node])
    leaves = [n for n in order if not n.args]
    plain = all(n.op in ("const", "dim", "mul", "div") for n in order)
    return plain and any(n.op == "dim" for n in leaves)


def _output_layer(root: Node, named: Collection[Node]) -> list[tuple[Node, int]] | None:
    """Find the way from a gradient to what comes from the output layer; None if there is none."""
    path: list[tuple[Node, int]] = []
    node = root
    while len(path) < PATH:
        if node.op in PRODUCTS:
            options = [k for k in (0, 1) if _leads(node.args[k], named)]
            if not options:
                return None
            k = max(options, key=lambda k: layers(node.args[k]))
        elif node.op in ("transpose", "sum", "expand"):
            k = 0
        elif _flat(node, named):
            deep = node.op in FLAT and node not in named and layers(node) >= LAYERS
            return path if deep and path else None
        elif node.op == "mul":
            k = 0 if not _flat(node.args[0], named) else 1
        else:
            return None
        path.append((node, k))
        node = node.args[k]
        if node in named:
            return None
    return None


def _leads(node: Node, named: Collection[Node]) -> bool:
    """Say whether a factor may hold the output layer's gradient: it is no bare input or name."""
    while node.op == "transpose":
        node = node.args[0]
    return node not in named and node.op in (*FLAT, *PRODUCTS)


def _flat(node: Node, named: Collection[Node]) -> bool:
    """Say whether a value is elementwise, names being atoms."""
    order = topological([node], stop=lambda n: n in named)
    return not any(n.op in (*PRODUCTS, "sum") and n not in named for n in order)
