"""Name the arrays that whole results go to; write the terms of sums at their places there."""

import re
from math import prod

import numpy as np

from symgrad.codegen.fast.spelling import Spelling
from symgrad.graph import Node
from symgrad.ops.slices import key_text

EACH = 4  # entries for a term, where all are listed
QUOTES = re.compile("'")  # around the texts of entries


class Placing(Spelling):
    """Write sums of parts: at once, or row by row in the loop that makes the parts."""

    body: list[str]

    def _assign(self, node: Node, text: str) -> None:
        self.text[node] = self.name(node)
        self.lines.append(f"{self.text[node]} = {text}")

    def _place(self, node: Node) -> str:
        """Name the array that a whole result goes to; make it if it is returned."""
        if node in self.text:
            return self.text[node]
        if node in self.storage.viewed:
            return self._within(node, self.storage.viewed[node])
        if node in self.storage.heir_of:
            return self.text[self.storage.heir_of[node]]
        if node not in self.storage.fresh:
            return self.buffer("buf", self.storage.whole[node])
        made = "zeros" if self._starts_empty(node) else "empty"
        self.lines.append(f"{self.name(node)} = np.{made}({self.shape(node)}, {self.dtype(node)})")
        return self.name(node)

    def _within(self, node: Node, total: Node) -> str:
        """Name the place of a term in the array of its sum, which begins now."""
        lead = self.storage.lead.get(total) or (0, 0)
        if total in self.storage.lead:
            self._start_parts(total)
        self.text[total] = self._place(total)
        key = self.s.placed[total][lead[0]].attrs.get("key", ())
        alone = node.shape == total.shape  # a term that has no place
        return self.text[total] + f"[{key_text(key)}]" * (not alone)

    def _listed(self, node: Node) -> str:
        """Write a returned array that numbers are the entries of in one call; "" for others."""
        terms = self.s.placed[node]
        sizes = [d for d in node.shape if isinstance(d, int)]
        plain = node in self.storage.fresh and node not in self.text
        if not plain or len(sizes) < len(node.shape) or any(t.op != "unslice" for t in terms):
            return ""
        if prod(sizes) > EACH * len(terms) or any(self.s.part(t).shape for t in terms):
            return ""
        texts = np.zeros(sizes, dtype=object)
        for term in terms:
            less, place = term in self.s.less, tuple(entry[0] for entry in term.attrs["key"])
            sign = (" - " if less else " + ") if texts[place] else "-" * less
            texts[place] = f"{texts[place] or ''}{sign}{self.whole(self.s.part(term))}"
        rows = QUOTES.sub("", str(texts.tolist()))
        return f"np.array({rows}, {self.dtype(node)})"

    def _starts_empty(self, node: Node) -> bool:
        return node in self.s.placed and self.s.base(node) is None

    def _parts(self, node: Node, out: str) -> None:
        """Write the terms of a sum at their places."""
        terms, whole = list(self.s.placed[node]), self.s.base(node)
        adds = ""
        if whole is not None:
            terms.remove(whole)
            if whole not in self.storage.viewed:
                self.lines.append(f"np.copyto({out}, {self._term(whole)})")
            adds = "+"
        elif node not in self.storage.fresh:
            self.lines.append(f"{out}.fill(0)")
        if terms[0].args and terms[0].args[0] in self.storage.viewed:
            terms, adds = terms[1:], "+"
        for term in terms:
            key = key_text(term.attrs["key"]) if term.op == "unslice" else "..."
            adds = "-" if term in self.s.less else adds
            self.lines.append(f"{out}[{key}] {adds}= {self._term(self.s.part(term))}")
            adds = "+"

    def _term(self, node: Node) -> str:
        return self.whole(node) if node.shape else self.number(node)

    def _start_parts(self, node: Node) -> None:
        """Begin a sum of parts: what no part assigns is 0."""
        if node in self.text:
            return
        lead, whole = self.storage.lead[node], self.s.base(node)
        total, blank = self.storage.viewed.get(node), lead is None and whole is None
        if total is not None:
            self.text[node] = self._place(node)
        elif node in self.storage.fresh:
            made = "zeros" if blank else "empty"
            self._assign(node, f"np.{made}({self.shape(node)}, {self.dtype(node)})")
        else:
            self._assign(node, self.buffer("buf", self.storage.whole[node]))
        self.lines += [f"{self.text[node]}.fill(0)"] * (blank and node not in self.storage.fresh)
        if lead is not None and lead[1]:
            self.lines.append(f"{self.text[node]}[:{lead[1]}] = 0")
        if whole is not None and not self._there(whole, node) and not self._by_row(whole, node):
            self.lines.append(f"np.copyto({self.text[node]}, {self._term(whole)})")

    def _there(self, whole: Node, node: Node) -> bool:
        """Say whether the array that parts are added to is made where the sum is."""
        slot = self.storage.whole.get(whole)
        return whole in self.storage.viewed or (
            slot is not None and slot == self.storage.whole.get(node)
        )

    def _by_row(self, whole: Node, node: Node) -> bool:
        """Say whether a loop takes the array that parts are added to row by row."""
        return self.s.sliced(node, self.s.placed[node].index(whole))

    def _add_parts(self, node: Node) -> None:
        """Add the rows of parts to a sum; the one that begins last is assigned first."""
        terms, total = self.s.placed[node], self.text[node]
        first, whole = (self.storage.lead[node] or (-1, 0))[0], self.s.base(node)
        if whole is not None and not self._there(whole, node) and self._by_row(whole, node):
            self.body.append(f"np.copyto({self.slice(total, total)}, {self.row(whole)})")
        for j in sorted(range(len(terms)), key=lambda j: j != first):
            if terms[j] is whole:
                continue
            part, less = self.s.part(terms[j]), terms[j] in self.s.less
            if j == first and self.storage.viewed.get(part) is node:
                continue
            rows, place = self.row(part), f"{total}[{key_text(terms[j].attrs['key'])}]"
            place = self.slice(place, total)
            if j == first and less:
                self.body.append(f"{self.function('negative')}({rows}, {place})")
            elif j == first:
                self.body.append(f"np.copyto({place}, {rows})")
            else:
                name = self.function("subtract" if less else "add")
                self.body.append(f"{name}({place}, {rows}, {place})")
