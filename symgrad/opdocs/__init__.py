"""The documentation of operators, generated from the rows: list, table, pages, accuracy."""

from symgrad.opdocs.accuracy import accuracy
from symgrad.opdocs.pages import page, pages, pictured
from symgrad.opdocs.table import definition, listing, shown, signature, table

__all__ = [
    "accuracy",
    "definition",
    "listing",
    "page",
    "pages",
    "pictured",
    "shown",
    "signature",
    "table",
]
