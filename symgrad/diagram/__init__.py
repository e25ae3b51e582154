"""Diagrams: measure the labels, lay out, route, draw one scene, export it."""

from symgrad.diagram.export import formats
from symgrad.diagram.figure import Diagram, build
from symgrad.diagram.scene import Box, Group, Label, Path, Scene

__all__ = ["Box", "Diagram", "Group", "Label", "Path", "Scene", "build", "formats"]
