"""Front ends: the text language, index notation, and the texts of operator rows."""

from symgrad.parse.rows import contribution, formula, has_rule, written
from symgrad.parse.text import parse

__all__ = ["contribution", "formula", "has_rule", "parse", "written"]
