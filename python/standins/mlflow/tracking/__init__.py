"""The names under which scripts import the client and the settings of the server."""

from .._fluent import get_tracking_uri, is_tracking_uri_set, set_tracking_uri
from .._registered import get_registry_uri, set_registry_uri
from ..client import MlflowClient

__all__ = ["MlflowClient", "get_registry_uri", "get_tracking_uri", "is_tracking_uri_set", "set_registry_uri", "set_tracking_uri"]
