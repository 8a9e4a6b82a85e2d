"""Data sets of DataFrames, by the name that scripts import."""

from . import PandasDataset, from_pandas

__all__ = ["PandasDataset", "from_pandas"]
