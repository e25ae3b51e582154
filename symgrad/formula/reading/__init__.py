"""Read LaTeX back: exactly what the printers of formulas write, in matrix and in index form."""

from symgrad.formula.reading.entries import indices, read_entry
from symgrad.formula.reading.formulas import read_latex

__all__ = ["indices", "read_entry", "read_latex"]
