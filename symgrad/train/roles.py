"""What each input of a model is for: trained, given with every row, aimed at, drawn, or set once.

Nothing is declared twice: the kinds of the language say most of it, the graph says the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from symgrad.autodiff import scalar_output
from symgrad.errors import UsageError, near
from symgrad.graph import Graph, Node, consumers, depends, topological
from symgrad.ops import OPS, make
from symgrad.rewrite import recognise
from symgrad.shapes import text
from symgrad.train.targets import fits, learned_from
from symgrad.train.targets import targets as found_targets

REAL = ("data", "real", "scalar", "param")
SQUASHED = ("softmax", "sigmoid")
# What a loss of scores compares with, where the target is declared as plain data.
SIGNS = ("hinge", "soft_margin", "squared_margin", "multilabel_hinge")
ZERO_ONE = ("bce", "bce_with_logits", "multilabel_soft_margin")
# Operators that take scores, or a logit, where a probability is meant.
OF_SCORES = ("cross_entropy", "log_softmax", "logsumexp", "softmax")
OF_LOGITS = ("bce_with_logits", "softplus", "logsigmoid", "sigmoid", "soft_margin",
             "multilabel_soft_margin")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Roles:
    """Say what each input is for.

    `params` are trained. `features` and `targets` have a row for each example: the prediction
    depends on features, targets meet it in the loss. `masks` are the second operands of dropout,
    `settings` other scalars, `constants` other arrays. `batch` is the dimension of the examples,
    `prediction` what is compared with the target. `task` is labels, onehot, binary, sign,
    multilabel or values; `scale` says what the prediction is: scores, logit, probability, margin
    or value. `encoding` is the task of the target; where the prediction has another shape, and so
    is no answer to it, the task is values.
    """

    params: tuple[str, ...]
    features: tuple[str, ...]
    targets: tuple[str, ...]
    masks: tuple[str, ...]
    settings: tuple[str, ...]
    constants: tuple[str, ...]
    batch: str
    prediction: Node
    task: str
    scale: str
    encoding: str


def roles(graph: Graph, target: str | None = None, predict: str | None = None) -> Roles:
    """Find out what the inputs of a model are for.

    `target` names what is aimed at and `predict` a line of the model, where the graph leaves it
    open. Raises `UsageError` for a model that has no parameter or no batch.

    >>> from symgrad.parse import parse
    >>> r = roles(parse("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)"))
    >>> r.features, r.targets, r.batch, r.task, r.scale
    (('X',), ('y',), 'N', 'labels', 'scores')
    """
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    params = tuple(k for k, n in inputs.items() if n.attrs["kind"] == "param")
    if not params:
        raise UsageError("there is nothing to train: no input is declared as a parameter",
                         hint="declare what is to be learned:  W: param[D, C]")  # fmt: skip
    scalar_output(graph)  # what is no number is no loss
    masks = _masks(graph)
    rest = {k: n for k, n in inputs.items() if k not in params and k not in masks}
    aims = found_targets(graph, rest, target, predict)
    batch = _batch(rest, aims)
    _first_axis(rest, batch)
    batched = tuple(k for k, n in rest.items() if n.shape[:1] == (batch,))
    targets = tuple(k for k in aims if k in batched)
    features = tuple(k for k in batched if k not in targets)
    if not features:
        features, targets = targets, ()
    node = _prediction(graph, [inputs[k] for k in features], [inputs[k] for k in targets], predict)
    _for_each_row(graph, node, batch)
    encoding = _task(graph, [inputs[k] for k in targets])
    own = bool(targets) and not fits(graph.dims, encoding, node, inputs[targets[0]])
    task = "values" if own else encoding
    signed = task == "sign" or any(inputs[k].attrs["kind"] == "sign" for k in targets)
    return Roles(
        params=params,
        features=features,
        targets=targets,
        masks=masks,
        settings=tuple(k for k, n in rest.items() if not n.shape and n.dtype != "int"),
        constants=tuple(k for k, n in rest.items() if n.shape and k not in batched),
        batch=batch,
        prediction=node,
        task=task,
        scale=_scale(graph, node, task, signed),
        encoding=encoding,
    )


def shiftable(graph: Graph, found: Roles) -> bool:
    """Say whether values may be shifted and stretched: the loss sees differences from them only."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    guess = found.prediction
    if found.task != "values" or len(found.targets) != 1:
        return False
    target = inputs[found.targets[0]]
    bounded = guess.op in OPS and OPS[guess.op].range != "R"
    users = [n for n in graph.order() if target in n.args]
    return not bounded and target.attrs["kind"] in REAL and all(
        set(n.args[:2]) == {guess, target} and (n.op == "sub" or bool(OPS[n.op].reduction))
        for n in users
    )  # fmt: skip


def _masks(graph: Graph) -> tuple[str, ...]:
    """List the inputs that do nothing but switch units off."""
    users = consumers(graph.order())
    return tuple(
        n.attrs["name"]
        for n in graph.inputs
        if users[n] and all(u.op == "dropout" and k == 1 for u, k in users[n])
    )


def _batch(rest: dict[str, Node], aims: tuple[str, ...]) -> str:
    """Name the dimension of the examples: the first axis of the target, else of the data."""
    for name in (*aims, *(k for k in rest if k not in aims)):
        if rest[name].shape:
            size = rest[name].shape[0]
            if isinstance(size, str) and size.isidentifier():
                return size
            raise UsageError(f"'{name}' is declared with {size} rows; a model that is trained "
                             "takes any number of them",
                             hint=f"name the first dimension:  {name}: data[N, …]")  # fmt: skip
    raise UsageError("the model has no batch: none of its data has an axis for the examples",
                     hint="declare a row for each example:  X: data[N, D]")  # fmt: skip


def _first_axis(rest: dict[str, Node], batch: str) -> None:
    for name, node in rest.items():
        if batch in node.shape[1:]:
            shape = ", ".join(map(str, node.shape))
            raise UsageError(f"the examples of '{name}: data[{shape}]' are not its rows",
                             hint=f"declare a row for each example, {name}: data[{batch}, …], and "
                             f"use {name}.T")  # fmt: skip


def _for_each_row(graph: Graph, node: Node, batch: str) -> None:
    """Refuse a prediction that is none for each example."""
    if node.shape[:1] != (batch,):
        name = graph.name(node)
        raise UsageError(f"the prediction{f' {name!r}' if name else ''} has the shape "
                         f"{text(node.shape)}; it has no row for each example",
                         hint="name a line that has one:  predict='scores'")  # fmt: skip


def _prediction(
    graph: Graph, features: list[Node], targets: list[Node], predict: str | None
) -> Node:
    """Find the value that the loss compares with the target."""
    if predict is not None:
        if predict not in graph.names:
            raise UsageError(f"predict={predict!r} is no line of the model",
                             hint=near(predict, tuple(graph.names)))  # fmt: skip
        return graph.names[predict]
    order = topological([graph.output])
    seen, aimed = depends(order, features), depends(order, targets)
    learned = learned_from(graph)
    if targets:
        met = [a for n in order if n in aimed for a in n.args if a in seen and a not in aimed]
        met = [a for a in met if a in learned] or met  # not the weights of rows
    else:
        losses = [n for n in order if n.op in OPS and OPS[n.op].reduction]
        firsts = [n.args[0] for n in losses]  # of parameters alone in a factorisation P Qᵀ
        met = [a for a in firsts if a in seen] or [a for a in firsts if a in learned]
    inner = [n for n in order if n in seen and n not in aimed]
    found = _narrow(inner, features, dict.fromkeys(met))
    if found is None:
        raise UsageError(
            "what the model predicts cannot be told from its loss",
            hint="name the line:  predict='scores'",
        )
    if found.op == "log" and graph.name(found) is None:
        return found.args[0]  # log p orders the classes as p does; what is asked for is p
    return _whole(found, order, targets)


def _whole(found: Node, order: Iterable[Node], targets: list[Node]) -> Node:
    """Add what a difference has beside the prediction: of t - X w - b it is X w + b."""
    users = consumers(order)
    first = [u for u, _ in users[found] if u.op == "sub" and any(a in targets for a in u.args)]
    if len(users[found]) != 1 or not first:
        return found
    rest, sign = first[0], -1 if first[0].args[1] is found else 1  # of the prediction, in the rest
    moving = depends(order, [found, *targets])
    while len(users[rest]) == 1:
        user, place = users[rest][0]
        if user.op not in ("add", "sub") or user.args[1 - place] in moving:
            break
        if user.op == "sub" and place == 1:
            break
        plus = (user.op == "add") == (sign > 0)
        found = make("add" if plus else "sub", found, user.args[1 - place])
        rest = user
    return found


def _narrow(inner: list[Node], features: list[Node], met: dict[Node, None]) -> Node | None:
    """Find the last node through which every way from the features to what the loss meets goes.

    In an order of evaluation, count the uses that are still to come: where those of one node are
    all that is open, every way goes through it.
    """
    if len(met) == 1:
        return next(iter(met))
    wanted = dict.fromkeys(met)
    for node in reversed(inner):
        if node in wanted:
            wanted.update(dict.fromkeys(node.args))
    kept = [n for n in inner if n in wanted]
    uses = dict.fromkeys(kept, 0)
    for node in kept:
        uses.update({a: uses[a] + node.args.count(a) for a in node.args if a in uses})
    last, pending = None, 0
    for node in kept:
        pending -= sum(a in uses for a in node.args)
        if pending == 0 and node not in features:
            last = node
        pending += uses[node] + (node in met)
    return last


def _task(graph: Graph, targets: list[Node]) -> str:
    """Name the kind of answer that is learned."""
    if not targets:
        return "values"
    target = targets[0]
    kind = target.attrs["kind"]
    wide = len(target.shape) > 1 and target.shape[-1] != 1
    if kind in ("label", "labels"):
        return "labels"
    if kind in ("onehot", "simplex"):
        return "onehot"
    if kind in ("binary", "sign"):
        return "multilabel" if wide else str(kind)
    ops = {n.op for g in (recognise(graph)[0], graph) for n in g.order()}
    if "cross_entropy" in ops and wide:
        return "onehot"
    for names, task in ((ZERO_ONE, "binary"), (SIGNS, "sign")):
        if any(op in ops for op in names):
            return "multilabel" if wide else task
    return "values"


def _scale(graph: Graph, prediction: Node, task: str, signed: bool) -> str:
    """Say what the prediction is: scores or a logit, a probability, a margin or a value.

    `signed` says that the targets are −1 and 1.
    """
    if task == "values":
        return "value"
    marked = Graph.of([prediction, graph.output], names={"": prediction}, dims=graph.dims)
    found = recognise(marked)[0]
    image = found.names[""]
    if image.op in SQUASHED:
        return "probability"
    if image.op == "log_softmax":
        return "scores"
    used = _uses(graph, prediction) | _uses(found, image)
    if "bce" in used:
        return "probability"
    if task in ("labels", "onehot"):
        return "scores" if any(op in used for op in OF_SCORES) else "margin"
    if any(op in used for op in OF_LOGITS):
        return "logit"
    return "margin" if signed else "value"  # 0 lies between −1 and 1, 1/2 between 0 and 1


def _uses(graph: Graph, node: Node) -> set[str]:
    """Collect what takes a value, also with a sign or a factor: softplus(−y f)."""
    users, found = consumers(graph.order()), set()
    todo = [node]
    while todo:
        for user, _ in users.get(todo.pop(), ()):
            found.add(user.op)
            if user.op in ("mul", "neg", "div"):
                todo.append(user)
    return found
