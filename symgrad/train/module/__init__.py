"""Training modules: one standalone file that reads data, trains a model and predicts with it."""

from symgrad.train.module.model import Recipe
from symgrad.train.module.writing import write

__all__ = ["Recipe", "write"]
