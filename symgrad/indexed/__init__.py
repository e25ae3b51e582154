"""Index notation: entries of arrays, deltas, sums with ranges, cases; from and to matrix form."""

from symgrad.indexed.entries import entries
from symgrad.indexed.symbols import delta, entry, index, total

__all__ = ["delta", "entries", "entry", "index", "total"]
