"""Pages: a diagram as one self-contained HTML file, or as a section of a reveal.js deck."""

from symgrad.diagram.page.document import document
from symgrad.diagram.page.section import section

__all__ = ["document", "section"]
