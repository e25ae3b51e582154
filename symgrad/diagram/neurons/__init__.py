"""The neuron view: a small network as circles in columns, every weight an edge."""

from symgrad.diagram.neurons.picture import scene

__all__ = ["scene"]
