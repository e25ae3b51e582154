"""Step frames: one slide for every gate forwards and backwards, and exercises with their key."""

from symgrad.diagram.frames.blank import blanked, known_blank
from symgrad.diagram.frames.plan import Plan, plan
from symgrad.diagram.frames.staging import lettered, staged

__all__ = ["Plan", "blanked", "known_blank", "lettered", "plan", "staged"]
