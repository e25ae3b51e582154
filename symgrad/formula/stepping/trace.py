"""Make the lines of a derivation, one after the other, in the order of the reverse sweep."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgrad.autodiff import substitute, sweep
from symgrad.evaluate import bind
from symgrad.formula.names import portable
from symgrad.formula.naming import users_names
from symgrad.formula.notation import Hand, Notation, Pair, known_names, noted_head
from symgrad.formula.stepping.certify import Claim, Setting
from symgrad.formula.stepping.laws import why
from symgrad.formula.stepping.lines import Ink, Line, bare
from symgrad.formula.stepping.reasons import ORDER, TIDY, Reason, facts, shortened
from symgrad.formula.stepping.stages import ONE, Stages, Use, raw_total, total
from symgrad.formula.stepping.stops import deltas, merged, path, stations
from symgrad.formula.stepping.substituted import Numbers
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS
from symgrad.ops.spec import typed_name
from symgrad.parse import formula as definition
from symgrad.rewrite import simplify, tree_size

if TYPE_CHECKING:
    from symgrad.formula.derivation import Derivation
    from symgrad.formula.formula import Formula

SHORT = 8  # operations of a gradient that is written out where nothing cancels


class Trace:
    """Hold one derivation while its lines are made."""

    def __init__(
        self,
        formula: "Formula",
        detail: int,
        staged: bool | None,
        delta: bool | Mapping[str, str],
        notation: Notation | None,
    ) -> None:
        assert formula.derivation is not None
        self.formula, self.detail = formula, detail
        self.derivation: Derivation = formula.derivation
        self.target = self.derivation.targets[formula.wrt]
        self.written, recognised = self.derivation.written, self.derivation.graph
        self.staged = merged(self.derivation, self.target) if staged is None else staged
        self.graph: Graph = self.written if self.staged else recognised
        self.names = dict(formula.names.chosen)
        if self.staged:
            self.names = {**users_names(self.written), **self.names}
        self.notation = notation
        if notation is not None:
            known_names(notation, formula.names)
        self.hand = Hand(notation, self.names, formula.of, formula.names.own)
        self.adjoints = (
            sweep(self.graph.output, [self.target]) if self.staged else self.derivation.adjoints
        )
        self.lines: list[Line] = []
        self.shown: dict[Node, Pair] = {}  # symbols for gradients, printed
        self.ink = Ink(self.hand, self.shown)
        self.inputs = {n.attrs["name"]: self.hand.name(n.attrs["name"]) for n in self.graph.inputs}
        self.place = {n: k for k, n in enumerate(self.graph.order())}
        self.said: dict[str, None] = {}  # names that have been explained
        self.closed: dict[Node, Node] = {}
        way = path(self.graph, self.adjoints, self.target)
        self.stages: Stages | None = None
        self.deltas: dict[Node, str] = {}
        if way:
            stops = stations(way, self.target, self.names, detail, self.staged)
            self.stages = Stages(stops, self.target, self.names, self.graph.places)
            self.deltas = deltas(delta, self.graph, stops, self.names, formula.names.taken)

    # -- printing --------------------------------------------------------------------------------

    def name(self, node: Node) -> str:
        """Give the name of a node, a fresh one if it has none: v1, v2, …"""
        if node.op == "input":
            return str(node.attrs["name"])
        if node not in self.names:
            k = 1
            while f"v{k}" in self.formula.names.taken or f"v{k}" in self.names.values():
                k += 1
            self.names[node] = f"v{k}"
            self.hand.indexed[f"v{k}"] = None
            if self.stages is not None:
                self.stages.named[node] = f"v{k}"
        return self.names[node]

    def head(self, node: Node) -> Pair:
        """Print ∂L/∂value."""
        return self.hand.head(self.formula.of if node is self._root else self.name(node))

    @property
    def _root(self) -> Node:
        return self.graph.output

    def text(self, node: Node, *, open_: bool = False, gradient: bool = True) -> Pair:
        """Print a node; `open_` shows its own definition instead of its name."""
        write = self.hand.write if open_ else self.hand.text
        return write(node, self.shown, turned=gradient)

    def say(self, rule: Reason, why: str, left: Node, right: Node, before: Pair,
            after: Pair | None = None, **more: Any) -> None:  # fmt: skip
        """Add a line, and before it what names in it stand for; leave out what says nothing new."""
        self.introduce(right)
        after = self.text(right) if after is None else after
        last = self.lines[-1] if self.lines else None
        if before[0] != after[0] and not (last and (last.before, last.after) == (before, after)):
            self.lines.append(Line(rule, why, left, right, before, after, **more))

    def introduce(self, right: Node) -> None:
        """Say what the names in a line stand for that are not values on the way."""
        for node in self._mentioned(right):
            name = self.names[node]
            if name not in self.said:
                self.said[name] = None
                self.introduce(node)
                self.lines.append(Line(
                    Reason("name"), "a name for what is used again", node, node,
                    self.hand.name(name), self.text(node, open_=True, gradient=False)))  # fmt: skip

    def _mentioned(self, node: Node) -> list[Node]:
        """List the named values that a printed node shows."""
        order = topological([node], stop=lambda n: n in self.names and n is not node)
        return [n for n in order if n in self.names and n is not node]

    # -- the lines -------------------------------------------------------------------------------

    def run(self) -> list[Line]:
        """Make all lines."""
        if not self.staged:
            self._recognised()
        if self.stages is None:  # the output does not depend on it
            flat = self.target in topological([self._root])
            what = "is flat almost everywhere" if flat else "does not depend on it"
            self.say(Reason("zero" if flat else "independent"), f"{self.formula.of} {what}",
                     self._gradient(self.target), self.formula.node, self.head(self.target),
                     self._answer(), station=self.target)  # fmt: skip
            return self.lines
        self._forward()
        head = self.head(self._root)
        self.say(Reason("seed"), "the output's derivative in itself", ONE, ONE, head, ("1", "1"))
        for station in self.stages.stations[1:]:
            self._station(station)
        self._finish()
        return self.lines

    def _answer(self) -> Pair:
        formula, notation = self.formula, self.notation
        return formula.unicode(notation=notation), formula.latex(notation=notation)

    def _recognised(self) -> None:
        for r in self.derivation.trace:
            before = self.text(r.before, open_=True, gradient=False)
            after = self.text(r.after, open_=True, gradient=False)
            where = f" on line {r.line}" if r.line else ""
            if before[0] != after[0]:
                self.lines.append(Line(
                    Reason(f"recognise {r.rule}"), f"an equal form{where} that is stable and short",
                    r.before, r.after, before, after))  # fmt: skip

    def _forward(self) -> None:
        """Name the values on the way, and those that the formula mentions."""
        assert self.stages is not None
        values = {n: None for n in self.stages.stations if n is not self.target and n.args}
        todo = [*values, self.formula.node]
        while todo:
            for node in self._mentioned(todo.pop()):
                if node not in values and node in self.place and node is not self.target:
                    values[node] = None
                    todo.append(node)
        for node in sorted(values, key=self.place.__getitem__):
            last = node is self._root
            name = self.formula.of if last else self.name(node)
            if name not in self.said:
                self.said[name] = None
                shown, body = self.hand.name(name), self.text(node, open_=True, gradient=False)
                self.say(Reason("forward"), "the output" if last else "a value on the way", node,
                         node, shown, body)  # fmt: skip
                self._defined(node, shown)

    def _defined(self, node: Node, shown: Pair) -> None:
        """Write out a loss that is called by its name."""
        inner = definition(node) if OPS[node.op].reduction and self.detail > 1 else None
        if inner is not None:
            names = {n: t for n, t in self.names.items() if n is not node}
            short = simplify([inner], names, self.graph.places)[inner]
            self.say(Reason("definition"), f"what {typed_name(node.op)} is", node, short, shown,
                     self.text(short, gradient=False))  # fmt: skip

    def _station(self, station: Node) -> None:
        """Go back to one value: upstream times local for every use, then what it comes to."""
        assert self.stages is not None
        uses = self.stages.uses(station)
        symbol, head = self.stages.symbols[station], self.head(station)
        self.shown[symbol] = head
        if not uses:
            self.closed[symbol] = symbol
            return
        left, chained = self._gradient(station), total(uses)
        product = self.ink.products(uses, {})
        if self.detail == 3:
            self._finely(uses, left, head, station, product.after)
        pairs = [(u.upstream, u.local) for u in uses if u.upstream is not ONE]
        atoms = tuple(n for pair in pairs for n in pair if n is not None)
        used = [
            r
            for u in uses
            for r in facts(u.raw, u.term, self.stages.named, self.stages.places, self.inputs)
        ]
        because = "; ".join([why(uses), *dict.fromkeys(r.text for r in used)])
        self.say(Reason("chain rule"), because, left, chained, head, product.after,
                 station=station, factors=product.factors, marked=product.marked,
                 atoms=atoms)  # fmt: skip
        self._close(station, uses, chained)
        if station in self.deltas:
            self._name_delta(station, left, head)

    def _gradient(self, station: Node) -> Node:
        """Give the whole gradient in a value, the left side of its lines."""
        return self.adjoints.total[station]

    def _finely(self, uses: list[Use], left: Node, head: Pair, station: Node, after: Pair) -> None:
        """Show the chain rule in symbols, then each operator's own rule as it stands."""
        names = [self.formula.of if u.consumer is self._root else self.name(u.consumer)
                 for u in uses]  # fmt: skip
        symbolic = self.ink.symbolic(uses, names, self.name(station))
        if symbolic is not None:
            self.say(Reason("chain rule"), "upstream × local", left, total(uses), head, symbolic,
                     station=station)  # fmt: skip
        raw = raw_total(uses)
        text = self.text(raw)
        if bare(text[0]) != bare(after[0]):
            self.say(Reason("local derivatives"), "each operator's own rule", left, raw, head,
                     text, station=station)  # fmt: skip

    def _close(self, station: Node, uses: list[Use], chained: Node) -> None:
        """Fill in what is known of the upstream gradients, and shorten."""
        assert self.stages is not None
        symbol = self.stages.symbols[station]
        images = {u.upstream: self.closed.get(u.upstream, ONE) for u in uses}
        images = {s: n for s, n in images.items() if s is not ONE}
        self.closed[symbol] = symbol
        if any(s is n for s, n in images.items()):
            return  # a gradient too long to be written out stays a symbol
        filled = substitute(chained, images) if images else chained
        short = self.stages.short(filled)
        if not images or self._price(short) <= max(SHORT, self._price(chained)):
            self.closed[symbol] = short
            self._fill(station, uses, filled, short, images)

    def _fill(self, station: Node, uses: list[Use], filled: Node, short: Node,
              images: dict[Node, Node]) -> None:  # fmt: skip
        """Show what is filled in, and every shortening with its reason."""
        assert self.stages is not None
        head, left = self.head(station), self._gradient(station)
        after, fill = self.ink.products(uses, images).after, Reason("fill in")
        found_for = f"what was found for {', '.join(self.shown[s][0] for s in images)}"
        # what has a name of its own is shown by its definition first
        fresh = self.names.get(short, "") not in ("", *self.said) and short not in self.place
        final = self.text(short, open_=fresh)
        stages = self.stages
        found = list(shortened(filled, short, stages.named, stages.places, self.inputs,
                               self.detail == 3)) if after != final else []  # fmt: skip
        reasons = [r for r, _ in found if r not in (ORDER, TIDY)]
        single = self.detail < 3 and len(uses) == 1 and not reasons
        if self.detail == 1:
            rule = fill if images else reasons[0] if reasons else ORDER
            because = [found_for] * bool(images) + [r.text for r in reasons if r is not rule]
            found = [(rule, short)]
            words = "; ".join(because) or "an equal form"
        elif images and (single or bare(after[0]) == bare(final[0])):
            found, words = [(fill, short)], found_for  # the same but for brackets and dots
        else:
            words = "an equal form"
            if images:
                self.say(fill, found_for, left, filled, head, after, station=station)
        for reason, node in found:
            text = final if node is short else self.text(node)
            if node is short or bare(text[0]) != bare(self.lines[-1].after[0]):
                self.say(reason, words, left, node, head, text, station=station)
        if fresh:
            self.said[self.names[short]] = None
            self.say(Reason("name"), "a name for what is used again", left, short, head,
                     station=station)  # fmt: skip

    def _price(self, node: Node) -> int:
        assert self.stages is not None
        return tree_size(node, {**self.stages.named, **self.shown})

    def _name_delta(self, station: Node, left: Node, head: Pair) -> None:
        assert self.stages is not None
        symbol = self.stages.symbols[station]
        short = self.hand.name(self.deltas[station])
        self.say(Reason("name"), f"the error at {self.hand.name(self.name(station))[0]}", left,
                 symbol, head, short, station=station)  # fmt: skip
        self.shown[symbol] = short
        self.closed[symbol] = symbol

    def _finish(self) -> None:
        """End with the printed formula."""
        answer, last = self._answer(), self.lines[-1]
        head = noted_head(self.formula, self.hand.notation)
        shown = last.after[0], portable(last.after[1])
        if (last.before, shown) == (head, answer):
            return
        left, node = self._gradient(self.target), self.formula.node
        rule, because = Reason("put together"), "all parts filled in"
        if self.staged and self.derivation.trace:
            self._recognised()
            found = dict.fromkeys(r.rule for r in self.derivation.trace)
            rule, because = Reason("compact form"), f"the same after recognising {', '.join(found)}"
        self.introduce(node)
        self.lines.append(Line(rule, because, left, node, head, answer, station=self.target))

    def claims(self) -> list[Claim]:
        """Claim every line, and that recognition has changed the form of values only."""
        recognised = self.derivation.graph
        pairs = [(name, node, recognised.names[name]) for name, node in self.written.names.items()]
        pairs.append((self.formula.of, self.written.output, recognised.output))
        own = [
            Claim(f"{n.before[0]} = {n.after[0]}   ({n.rule.text})", n.left, n.right, n.station)
            for n in self.lines
        ]
        return own + [Claim(f"recognise {name}", a, b) for name, a, b in pairs if a is not b]

    # -- numbers ---------------------------------------------------------------------------------

    @property
    def setting(self) -> Setting:
        """Say where the lines are claimed to be true."""
        symbols = {}
        if self.stages is not None:
            symbols = {s: (n, self._gradient(n)) for n, s in self.stages.symbols.items()}
        else:
            symbols = {ONE: (self.target, self._gradient(self.target))}
        return Setting(self.written, self.graph.output, self.target, symbols)

    def numbers(self, at: Mapping[str, Any]) -> list[Pair]:
        """Print what every line comes to at a point."""
        known, sizes = bind(self.written, at)
        table = Numbers(known, sizes)
        for symbol, (_, gradient) in self.setting.symbols.items():
            if symbol is not ONE:
                table.known[symbol] = table.value(gradient)
        names = {**self.names, **dict.fromkeys(self.shown)}
        return [table.of(line, names) for line in self.lines]
