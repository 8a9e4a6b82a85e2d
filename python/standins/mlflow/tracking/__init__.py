"""The name under which scripts import the client."""

from .. import get_tracking_uri, set_tracking_uri
from ..client import MlflowClient

__all__ = ["MlflowClient", "get_tracking_uri", "set_tracking_uri"]
