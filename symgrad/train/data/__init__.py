"""Data: from arrays, files, tables and sets by name to batches that match a model."""

from symgrad.train.data.dataset import Dataset
from symgrad.train.data.load import load
from symgrad.train.data.transform import Transform

__all__ = ["Dataset", "Transform", "load"]
