"""A small inference_schema for scoring scripts whose environment has none: the decorators, and the numpy, pandas and Python types."""
