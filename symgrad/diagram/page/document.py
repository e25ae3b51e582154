"""Assemble the page: one picture, a bar for its frames, a panel for its inputs, no network."""

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from importlib.resources import files

from symgrad.diagram.digits import Decimals
from symgrad.diagram.export.svg import escape
from symgrad.diagram.from_graph import Drawing
from symgrad.diagram.page import live
from symgrad.diagram.page.drawing import Drawn
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.page.moving import Moving
from symgrad.diagram.page.numerals import signs
from symgrad.diagram.scene import Frame, Scene
from symgrad.diagram.style import Theme

LIGHT = 0x80  # a background whose green is above this is a light one


def document(scene: Scene, drawing: Drawing, decimals: Decimals, arithmetic: str = "") -> str:
    """Write a scene as a page; `arithmetic` is the script that computes its numbers."""
    glyphs = Glyphs("q")
    moving = Moving(drawing) if arithmetic else None
    if moving is not None and not moving.possible:
        moving = None
    drawn = Drawn(scene, glyphs, *((moving.numbers, moving.blocks) if moving else ()))
    picture = drawn.svg()
    moving = moving if moving and (drawn.changing or moving.found) else None
    panel = live.panel(moving.sliders, moving.matrices, glyphs) if moving else ""
    facts: dict[str, object] = {
        "frames": [[unescape(escape(text)) for text in (f.title, f.notes)] for f in scene.frames]
    }
    if moving:
        facts |= moving.facts(scene, decimals, signs(glyphs, bool(moving.matrices)))
    script = _script(facts, arithmetic if moving else "", bool(moving and moving.matrices))
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
    opened = head(scene.title or "Computation graph", style, script)
    return "\n".join([*opened, "<body>", *(b for b in body if b), "</body>", "</html>", ""])


def head(title: str, style: str, script: str = "") -> list[str]:
    """Write the head of a page whose policy allows its own style and script, and nothing else."""
    runs = f"script-src '{_digest(script)}'; " if script else ""
    policy = (
        f"default-src 'none'; {runs}style-src '{_digest(style)}'; "
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
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
    ]


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


@lru_cache(maxsize=4)
def _file(name: str) -> str:
    return (files("symgrad.diagram.page") / name).read_text(encoding="utf-8")


NOTHING = (
    "const given = () => ({}), still = () => true, entriesFollow = () => {}, "
    "resetEntries = () => {};"
)


def _script(facts: dict[str, object], arithmetic: str, arrays: bool) -> str:
    """Put the facts and the arithmetic into the script; none of it can end the element."""
    spelled = json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c")
    computes = arithmetic.replace("</", "<\\/").replace("<!--", "<\\!--")
    computes += "return { inputs, compute, gates };" if computes else ""
    computes = f"(() => {{\n{computes}\n}})()" if computes else "{ compute: null }"
    text = _file("page.js")
    text = text.replace("/* cells */", _file("cells.js") if arrays else "", 1)
    text = text.replace("/* entries */", _file("entries.js") if arrays else NOTHING, 1)
    text = text.replace("/* arithmetic */ {}", computes, 1)
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
