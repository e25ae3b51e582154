"""Plots of functions, their derivatives and of losses (needs the extra `plots`: matplotlib)."""

from symgrad.plots.animations import animation, save_animation
from symgrad.plots.boundaries import boundary
from symgrad.plots.curves import plot
from symgrad.plots.figures import FIGURES
from symgrad.plots.fits import fit
from symgrad.plots.landscapes import Landscape, landscape
from symgrad.plots.picture import Picture, suffixes
from symgrad.plots.rasters import images
from symgrad.plots.section import Section, section

__all__ = [
    "FIGURES",
    "Landscape",
    "Picture",
    "Section",
    "animation",
    "boundary",
    "fit",
    "images",
    "landscape",
    "plot",
    "save_animation",
    "section",
    "suffixes",
]
