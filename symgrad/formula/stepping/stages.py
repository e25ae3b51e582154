"""The chain rule from value to value: what each use of a value passes back to it.

Between two values of interest, the *stations*, the reverse sweep runs with the upstream gradient
left as a symbol. Where the result is upstream times a derivative, entry by entry, that derivative
is the local one; where matrices are multiplied or summed, the rule's own form is the product.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.autodiff import substitute, sweep
from symgrad.graph import Node, depends, intern, rebuild, topological
from symgrad.ops import OPS, const, make, remake
from symgrad.rewrite import simplify

ONE = const(1)


@dataclass(frozen=True, slots=True)
class Use:
    """Hold what one use of a value passes back.

    `raw` is the operators' own rules, `term` its shorter form, `upstream · local` where that is
    what it is. `through` is the operator, if there is only one between the two stations.
    """

    consumer: Node
    upstream: Node
    raw: Node
    term: Node
    local: Node | None
    through: Node | None


class Stages:
    """Hold the stations between an output and a target, the output first."""

    def __init__(
        self,
        stations: list[Node],
        target: Node,
        named: Mapping[Node, str],
        places: Mapping[Node, int],
    ) -> None:
        self.stations, self.root, self.target = stations, stations[0], target
        self.named, self.places = dict(named), places
        self.symbols = {s: self._symbol(k, s) for k, s in enumerate(stations)}
        self.named.update(dict.fromkeys(stations, ""))
        self._below: dict[Node, tuple[Node, ...]] = {}
        self._users: dict[Node, list[Node]] = {}
        for s in stations:
            order = topological([s], stop=lambda n, s=s: n in self.symbols and n is not s)  # type: ignore[misc]
            self._below[s] = order
            for n in order:
                if n in self.symbols and n is not s:
                    self._users.setdefault(n, []).append(s)

    def _symbol(self, k: int, node: Node) -> Node:
        """Make the symbol for the adjoint of a station; 1 for the output."""
        attrs = {"name": f"\0u{k}", "kind": "real"}
        return intern("input", (), attrs, node.shape) if k else ONE

    def uses(self, station: Node) -> list[Use]:
        """List the uses of a station by those before it."""
        found = [self._use(s, station) for s in self._users.get(station, ())]
        return [use for use in found if use is not None]

    def _use(self, consumer: Node, station: Node) -> Use | None:
        stand_ins: dict[Node, Node] = {}
        for n in self._below[consumer]:
            if n in self.symbols and n is not consumer:
                k = len(stand_ins)
                attrs = {"name": f"\0s{k}", "kind": "real"}
                whole = n.op == "input"  # rules may look at what is declared
                stand_ins[n] = n if whole else intern("input", (), attrs, n.shape, n.dtype)
        body = rebuild([consumer], remake, dict(stand_ins))[consumer]
        aim, upstream = stand_ins[station], self.symbols[consumer]
        result = sweep(body, [aim], upstream)
        if aim not in result.order:
            return None
        raw = result.total[aim]
        # stations are symbols here, so that no line knows more than the rule that it shows
        own = body.op not in ("add", "sub", "mul", "div", "neg")  # s' = s (1 - s), but (a/b)' = …
        atoms = dict.fromkeys(n for n in topological([raw]) if n is body and own)
        path = depends(topological([body]), [aim])
        inner = [n for n in topological([body]) if n in path and n is not aim]
        local = self._local(body, inner, raw, upstream, atoms)
        if local is not None and upstream.shape:
            slim = _slim(local)
            whole = make("mul", upstream, slim).shape == make("mul", upstream, local).shape
            local = slim if whole else local
        term = self._short(raw, atoms) if local is None else _product(upstream, local)
        back = {image: n for n, image in stand_ins.items()}
        only = consumer if inner == [body] else None
        return Use(
            consumer,
            upstream,
            substitute(raw, dict(back)),
            substitute(term, dict(back)),
            None if local is None else substitute(local, dict(back)),
            only,
        )

    def short(self, node: Node) -> Node:
        """Shorten a form, stations being atoms."""
        return simplify([node], self.named, self.places)[node]

    def _short(self, node: Node, atoms: dict[Node, None]) -> Node:
        return simplify([node], atoms, self.places)[node]

    def _local(
        self, body: Node, path: list[Node], raw: Node, upstream: Node, atoms: dict[Node, None]
    ) -> Node | None:
        """Give ds/dz where upstream times it, entry by entry, is what flows back."""
        if upstream is ONE:
            return self._short(raw, atoms)
        if not body.shape:  # linear in a number
            return self._short(substitute(raw, {upstream: ONE}), atoms)
        alike = all(OPS[n.op].shape == "elementwise" and n.shape == body.shape for n in path)
        if not alike or raw.shape != body.shape:
            return None
        ones = make("broadcast", ONE, shape=body.shape)
        return self._short(substitute(raw, {upstream: ones}), atoms)


def _slim(local: Node) -> Node:
    """Leave out ones that the upstream gradient supplies: gamma, not 1 times gamma."""
    if local.op == "broadcast":
        return local.args[0]  # an array times a number
    if local.op == "neg":
        return make("neg", _slim(local.args[0]))
    if local.op in ("mul", "div") and local.args[0].op == "broadcast":
        number, other = local.args[0].args[0], local.args[1]
        return other if local.op == "mul" and number is ONE else make(local.op, number, other)
    return local


def _product(upstream: Node, local: Node) -> Node:
    return local if upstream is ONE else make("mul", upstream, local)


def total(uses: list[Use]) -> Node:
    """Add up what the uses of a value pass back."""
    result = uses[0].term
    for use in uses[1:]:
        result = make("add", result, use.term)
    return result


def raw_total(uses: list[Use]) -> Node:
    """Add up the operators' own rules."""
    result = uses[0].raw
    for use in uses[1:]:
        result = make("add", result, use.raw)
    return result
