"""Plots of functions, their derivatives and of losses (needs the extra `plots`: matplotlib)."""

from symgrad.plots.curves import plot
from symgrad.plots.figures import FIGURES
from symgrad.plots.landscapes import Landscape, landscape
from symgrad.plots.picture import Picture, suffixes
from symgrad.plots.section import Section, section

__all__ = [
    "FIGURES",
    "Landscape",
    "Picture",
    "Section",
    "landscape",
    "plot",
    "section",
    "suffixes",
]
