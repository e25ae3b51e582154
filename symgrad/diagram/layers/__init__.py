"""Layer cards: networks of any size, a card per layer."""

from symgrad.diagram.layers.picture import scene

__all__ = ["scene"]
