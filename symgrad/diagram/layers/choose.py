"""Choose layers by the names in them or by number."""

from collections.abc import Collection, Sequence

from symgrad.diagram.layers.find import Unit
from symgrad.errors import UsageError
from symgrad.graph import Graph


def chosen(graph: Graph, units: Sequence[Unit], layers: Collection[str | int]) -> dict[int, None]:
    """Find units by the names in them or by their number among the layers."""
    numbered = [u for u in units if u.kind == "layer"]
    body = [u for u in units if u.kind != "input"]
    found: dict[int, None] = {}
    for want in [layers] if isinstance(layers, str | int) else layers:
        if isinstance(want, int) or (want not in graph.names and want.isdecimal()):
            k = int(want)
            hits = numbered[k - 1 : k] if k > 0 else []
        else:
            node = graph.names.get(want)
            hits = [u for u in body if node in u.nodes]
        if not hits:
            known = [graph.name(u.exit) or str(k + 1) for k, u in enumerate(numbered)]
            raise UsageError(
                f"there is no layer {want!r}",
                hint="layers are: " + (", ".join(known[:20]) or "none in this graph"),
            )
        found |= {id(u): None for u in hits}
    return found
