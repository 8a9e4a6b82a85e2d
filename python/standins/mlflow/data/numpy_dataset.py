"""Data sets of arrays, by the name that scripts import."""

from . import NumpyDataset, from_numpy

__all__ = ["NumpyDataset", "from_numpy"]
