"""Diagrams: measure the labels, lay out, route, draw one scene, export it."""

from symgrad.diagram.export import formats
from symgrad.diagram.figure import Diagram
from symgrad.diagram.scene import Box, Group, Label, Path, Scene
from symgrad.diagram.style import Theme, theme
from symgrad.diagram.views import build, opened

__all__ = [
    "Box",
    "Diagram",
    "Group",
    "Label",
    "Path",
    "Scene",
    "Theme",
    "build",
    "formats",
    "opened",
    "theme",
]
