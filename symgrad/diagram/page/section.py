"""A section of a reveal.js deck: what appears is a fragment, numbered by its frame."""

import re

from symgrad.diagram.export.svg import escape, number
from symgrad.diagram.page.drawing import Drawn
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.scene import Group, Scene, Steps


class _Fragments(Drawn):
    """Write what comes and goes as fragments; the first frame needs none."""

    def timing(self, steps: Steps) -> str:
        """Write nothing: `_items` wraps each range."""
        return ""

    def _group(self, group: Group) -> list[str]:
        head = f'<g id="{self.prefix}-{group.id}" class="{group.role}" role="img"'
        head += f' aria-label="{escape(group.label)}">'
        body: list[str] = []
        for item in group.items:
            drawn = self._item(item, group, 0.0)
            body += [self._within(drawn, first, last) for first, last in item.steps or ((1, 0),)]
        return [head, *_merged(body), "</g>"]

    def _within(self, drawn: str, first: int, last: int) -> str:
        """Let something appear in one frame, and disappear after another (0: never)."""
        if last and last < self.scene.count:
            drawn = f'<g class="fragment fade-out" data-fragment-index="{last - 1}">{drawn}</g>'
        if first > 1:
            drawn = f'<g class="fragment" data-fragment-index="{first - 2}">{drawn}</g>'
        return drawn


_HEAD = re.compile(r'(?:<g class="fragment[^>]*>)+')


def _merged(lines: list[str]) -> list[str]:
    """Put neighbours that come and go together into one fragment."""
    merged: list[str] = []
    for line in lines:
        head = _HEAD.match(line)
        before = _HEAD.match(merged[-1]) if merged else None
        if head and before and head.group() == before.group():
            tail = "</g>" * head.group().count("<g")
            merged[-1] = merged[-1].removesuffix(tail) + line[head.end() :]
        else:
            merged.append(line)
    return merged


def section(scene: Scene) -> str:
    """Write a scene as one element `section`, with no script and no style of its own."""
    glyphs = Glyphs(f"{scene.prefix}-")
    drawn = _Fragments(scene, glyphs)
    groups = drawn.groups()
    width, height = number(scene.width), number(scene.height)
    title = escape(scene.title or "Computation graph")
    return "\n".join(
        [
            "<section>",
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="100%" '
            f'role="group" aria-label="{title}">',
            f"<title>{title}</title>",
            f"<defs>{glyphs.definitions()}</defs>",
            *groups,
            "</svg>",
            "</section>",
            "",
        ]
    )
