"""Assemble the page: one picture, a bar for its frames, a panel for its inputs, no network."""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from symgrad.diagram.digits import Decimals
from symgrad.diagram.export.svg import escape
from symgrad.diagram.from_graph import Drawing
from symgrad.diagram.page import live
from symgrad.diagram.page.drawing import Drawn
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.page.numerals import signs
from symgrad.diagram.scene import Frame, Scene
from symgrad.diagram.style import Theme

LIGHT = 0x80  # a background whose green is above this is a light one


def document(scene: Scene, drawing: Drawing, decimals: Decimals, arithmetic: str = "") -> str:
    """Write a scene as a page; `arithmetic` is the script that computes its numbers."""
    glyphs = Glyphs("q")
    moving = live.sliders(drawing) if arithmetic else []
    drawn = Drawn(scene, glyphs, live.numbers(drawing) if moving else ())
    picture = drawn.svg()
    moving = moving if drawn.changing else []
    panel = live.panel(moving, glyphs) if moving else ""
    facts: dict[str, object] = {"frames": [[f.title, f.notes] for f in scene.frames]}
    if moving:
        facts |= {
            "inputs": [[s.name, s.value, s.step] for s in moving],
            "decimals": decimals.decimals,
            "scientific": decimals.scientific,
            "whole": live.whole(drawing),
            "targets": live.targets(drawing),
            "warning": scene.theme.colour("warning"),
            "prefix": scene.prefix,
            "nodes": {n.key: n.id for n in drawing.nodes},
            "signs": signs(glyphs),
        }
    script = _script(facts, arithmetic if moving else "")
    style = _style(scene)
    body = [
        f'<svg id="glyphs" aria-hidden="true"><defs>{glyphs.definitions()}</defs></svg>',
        f'<main id="stage" tabindex="-1">{picture}</main>',
        *_words(scene.frames),
        panel,
        _bar(len(scene.frames)) if scene.frames else "",
        '<div id="sheets" aria-hidden="true"></div>',
        f"<script>{script}</script>",
    ]
    head = _head(scene, script, style)
    return "\n".join([*head, "<body>", *(b for b in body if b), "</body>", "</html>", ""])


def _head(scene: Scene, script: str, style: str) -> list[str]:
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="generator" content="symgrad">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(scene.title or 'Computation graph')}</title>",
        f"<style>{style}</style>",
        "</head>",
    ]


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


@lru_cache(maxsize=2)
def _file(name: str) -> str:
    return (files("symgrad.diagram.page") / name).read_text(encoding="utf-8")


def _script(facts: dict[str, object], arithmetic: str) -> str:
    """Put the facts and the arithmetic into the script; none of it can end the element."""
    spelled = json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c")
    computes = arithmetic.replace("</", "<\\/").replace("<!--", "<\\!--")
    if not computes:
        computes = "const inputs = [], gates = {}, compute = null;"
    text = _file("page.js").replace("/* arithmetic */", computes, 1)
    return text.replace("/* facts */ {}", spelled, 1)


def _style(scene: Scene) -> str:
    theme: Theme = scene.theme
    roles = ("background", "text", "muted", "value", "gradient", "edge", "local")
    colours = "".join(f"--{role}:{theme.colour(role)};" for role in roles)
    colours += f"--panel:{theme.colour('constant.fill')};"
    scheme = "light" if int(theme.colour("background")[3:5], 16) > LIGHT else "dark"
    size = f"--width:{scene.width:g};--height:{scene.height:g};"
    return f":root{{color-scheme:{scheme};{colours}{size}}}\n{_file('page.css')}"


def _words(frames: Sequence[Frame]) -> list[str]:
    """Say what the frames show: one at a time by script, all of them without one."""
    if not frames:
        return []
    items = [f"<li><b>{escape(f.title)}</b> {escape(f.notes)}</li>" for f in frames]
    return [
        '<p id="said" role="status" aria-live="polite"></p>',
        '<noscript><section id="words"><h2>The steps</h2>',
        f"<ol>{''.join(items)}</ol></section></noscript>",
    ]


def _bar(count: int) -> str:
    icons = {
        "back": "M15 5 8 12l7 7",
        "next": "m9 5 7 7-7 7",
        "play": "M8 5v14l11-7z",
    }

    def button(name: str, title: str) -> str:
        return (
            f'<button type="button" id="{name}" aria-label="{title}" title="{title}">'
            f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{icons[name]}"/></svg></button>'
        )

    return "".join(
        [
            '<nav id="bar" aria-label="Frames" hidden>',
            button("back", "Previous frame"),
            f'<input type="range" id="frame" min="1" max="{count}" step="1" value="{count}" '
            'aria-label="Frame">',
            button("next", "Next frame"),
            f'<output id="count" for="frame">{count} / {count}</output>',
            button("play", "Play"),
            "</nav>",
        ]
    )
