"""The client, by its other name."""

from ..client import MlflowClient

__all__ = ["MlflowClient"]
