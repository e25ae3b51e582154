"""Find values that are computed where a result is: in an array that is made for the caller."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symgrad.codegen.fast.buffers import Kind, by_ones
from symgrad.codegen.fast.stencils import assigned
from symgrad.graph import Node

SUMS = ("add", "sub")

if TYPE_CHECKING:
    from symgrad.codegen.fast.storage import Storage
    from symgrad.codegen.fast.units import Unit


def heirs(storage: "Storage") -> dict[Node, Node]:
    """Find products, and sums that begin with one, that are only a term of a result.

    Each is computed where what is made of it will be: [product, sum, sum, …, result]. A sum that
    grows term by term is in the result's array from its first product on.
    """
    found: dict[Node, Node] = {}
    for root in storage.schedule.roots:
        if storage.returned(root) and root.shape and root in storage.unit:
            chain = _chain(storage, root)
            found |= dict(zip(chain[1:], chain, strict=False))
    return found


def _chain(storage: "Storage", root: Node) -> list[Node]:
    """List a result, the sum it is the last of, and so on, down to a product; or it alone."""
    chain, products = [root], {}
    while True:
        heir = chain[-1]
        terms = _terms(storage, heir)
        product = next((t for t in terms if _begins(storage, t)), None)
        if product is not None:
            products[len(chain)] = product
        sums = [t for t in terms if t.op in SUMS and _lasts(storage, t, heir)]
        if not sums:
            break
        chain.append(sums[0])
    if not products:
        return [root]
    length = max(products)
    return [*chain[:length], products[length]]


def _lasts(storage: "Storage", node: Node, heir: Node) -> bool:
    """Say whether a sum is a whole array, or its rows are made where its heir's are."""
    s = storage.schedule
    return node in s.full or node not in s.local or storage.unit[node] == storage.unit[heir]


def _begins(storage: "Storage", node: Node) -> bool:
    """Say whether one call makes a value: a product, also one with ones; or what is added up."""
    s = storage.schedule
    if node.op == "scatter":  # at places, into an array of its own
        return s.kinds[node] == "other"
    return node not in s.local and (s.kinds[node] == "matmul" or by_ones(node))


def _terms(storage: "Storage", heir: Node) -> list[Node]:
    """List the operands that a value may be written over: nothing else reads them."""
    s = storage.schedule
    if not s.overwrites(heir) or heir in storage.columns:
        return []
    found = []
    for node in dict.fromkeys(s.operands(heir)):
        if node.shape != heir.shape or not node.dtype == heir.dtype == "float":
            continue
        plain = node in storage.unit and node not in s.roots and node not in s.grown
        if not plain or node in storage.columns or storage.reads[node] != [heir]:
            continue
        if not _begins(storage, node) and s.kinds[node] != "ufunc":
            continue
        if not s.units[storage.unit[heir]].looped or storage.by_rows(node, heir):
            found.append(node)
    return found


def views(storage: "Storage") -> Iterator[tuple[Node, Node]]:
    """Find parts of a returned sum that a loop can write where the sum has them first."""
    s = storage.schedule
    for node, terms in s.placed.items():
        if node in s.grown:
            whole = s.base(node) is not None
            storage.lead[node] = None if whole else assigned(terms)
            if (part := (_whole_alone if whole else _assigned_alone)(storage, node)) is not None:
                yield part, node
            continue
        if (term := _term_alone(storage, node) or _whole_alone(storage, node)) is not None:
            yield term, node
            continue
        key = terms[0].attrs.get("key", ())
        part = terms[0].args[0] if terms[0].op == "unslice" and terms[0] not in s.less else node
        whole = all(len(entry) == 3 or entry[1] is not None for entry in key)
        alone = part in s.full and part not in s.roots and storage.reads[part] == [node]
        inside = storage.returned(node) and all(t.op == "unslice" for t in terms)
        looped = part in storage.unit and s.units[storage.unit[part]].looped
        if inside and whole and alone and looped and part.dtype == "float":
            yield part, node


def _term_alone(storage: "Storage", node: Node) -> Node | None:
    """Give the term without a place of a returned sum, if a loop makes it for that sum alone.

    It is computed where the parts are added.
    """
    s = storage.schedule
    found = next((t for t in s.placed[node] if t.op != "unslice"), None)
    if found is None or not storage.returned(node) or found in s.roots or found not in s.full:
        return None
    if found in storage.columns or storage.kind(found, False) != storage.kind(node, False):
        return None
    alone = storage.reads[found] == [node] and s.placed[node].count(found) == 1
    looped = alone and s.units[storage.unit[found]].looped
    return found if looped and found not in s.less else None


def _whole_alone(storage: "Storage", node: Node) -> Node | None:
    """Give the whole array that parts are added to in a loop, if it is made for that alone."""
    s = storage.schedule
    found = s.base(node)
    if found is None or not (storage.returned(node) or node in storage.viewed):
        return None
    if found in s.roots or found not in storage.unit or storage.reads[found] != [node]:
        return None
    looped = s.units[storage.unit[found]].looped and found in s.local and node in s.grown
    alike = found not in storage.columns and found.dtype == "float"
    alike = alike and node not in storage.columns
    return found if alike and (looped or s.kinds[found] == "placed") else None


def _assigned_alone(storage: "Storage", node: Node) -> Node | None:
    """Give the part of a sum that is computed where it belongs: none reads it after the sum."""
    s = storage.schedule
    lead, terms = storage.lead[node], s.placed[node]
    if lead is None:
        return None
    part = terms[lead[0]].args[0]
    if terms[lead[0]] in s.less or part not in s.local or part in s.full or part in storage.columns:
        return None
    if storage.unit[part] != storage.unit[node] or [t.args[0] for t in terms].count(part) > 1:
        return None
    alone = all(r is node or storage.earlier(r, node) for r in storage.reads[part])
    return part if alone else None


def ahead(storage: "Storage", unit: "Unit", ending: list[Kind]) -> tuple[dict[Node, Node], "Room"]:
    """Find rows that can be computed where the result that is made of them will be.

    A result has its array from the loop's start, and none of its rows is read before they are
    written. So the last value that it is made of needs no tile, nor what that one is made of, if
    each is written over the one before. Results may take over arrays that end here, of the kinds
    in `ending`; the others have room for other values before.
    """
    s = storage.schedule
    place = {n: j for j, n in enumerate(unit.nodes)}
    found: dict[Node, Node] = {}
    first: dict[Node, int] = {}
    for node in reversed(unit.nodes):
        own = node in storage.viewed or (node in s.full and storage.kind(node, False) not in ending)
        own = own or storage.returned(node)
        lands = own and node in s.local and node not in storage.heir_of
        if lands and node not in storage.viewed:
            first[node] = place[node]
        result = found.get(node, node if lands else None)
        if result is None or not s.overwrites(node):
            continue
        for a in s.operands(node):
            inside = a in place and a in s.local and a not in s.full and a not in storage.viewed
            if not inside or a in found or s.kinds[a] == "view" or not _alike(storage, a, result):
                continue
            if all(place.get(r, len(place)) <= place[node] for r in storage.reads[a]):
                found[a] = result
                if result in first:
                    first[result] = place[a]
                break
    return found, Room(first)


def reshaped(
    storage: "Storage", node: Node, place: dict[Node, int], ending: Iterable[Node]
) -> Node | None:
    """Find the array of a product that a loop reads with other axes, for the last time, row by row.

    Entry by entry it has the memory of what is computed from it.
    """
    s = storage.schedule
    if not s.overwrites(node) or node in storage.columns:
        return None
    for operand in s.operands(node):
        inner = _without_shape(operand)
        if inner is operand or operand.shape != node.shape or inner not in ending:
            continue
        alike = inner.dtype == node.dtype == "float" and inner not in storage.columns
        readers = [r for r in storage.reads[inner] if r in place]
        if alike and all(place[r] <= place[node] and _in_order(storage, inner, r) for r in readers):
            return inner
    return None


def _without_shape(node: Node) -> Node:
    while node.op == "reshape":
        node = node.args[0]
    return node


def _in_order(storage: "Storage", value: Node, reader: Node) -> bool:
    """Say whether a statement reads an array in the order in which it is stored, tile by tile."""
    s = storage.schedule
    for k, operand in enumerate(s.operands(reader)):
        inner = operand
        while s.kinds[inner] == "view":
            inner = inner.args[0]
        if inner is value and not (_without_shape(operand) is value and s.sliced(reader, k)):
            return False
    return True


@dataclass(slots=True)
class Room:
    """Hold which statement of a loop is the first to write to a result's rows.

    Until then other values may be there, one after the other.
    """

    first: dict[Node, int]
    until: dict[Node, int] = field(default_factory=dict)  # when the last of them is read

    def take(self, storage: "Storage", node: Node, place: dict[Node, int]) -> bool:
        """Write a value where a result of the loop will be, if it is read before."""
        s, here = storage.schedule, place[node]
        last = max([place.get(r, len(place)) for r in storage.reads[node]], default=len(place))
        over = s.operands(node) if s.overwrites(node) else ()
        for result, first in self.first.items():
            until = self.until.get(result, -1)
            replaced = until == here and any(storage.ahead.get(a) is result for a in over)
            if last < first and (until < here or replaced) and _alike(storage, node, result):
                storage.ahead[node], storage.guests[node] = result, None
                self.until[result] = last
                return True
        return False


def _alike(storage: "Storage", a: Node, b: Node) -> bool:
    """Say whether the rows of two values take the same room."""
    return a.shape == b.shape and storage.kind(a, True) == storage.kind(b, True)
