"""Plots of functions and their derivatives (needs the extra `plots`, which brings matplotlib)."""

from symgrad.plots.curves import plot
from symgrad.plots.figures import FIGURES
from symgrad.plots.picture import Picture, suffixes

__all__ = ["FIGURES", "Picture", "plot", "suffixes"]
