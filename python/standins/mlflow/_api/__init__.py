"""The parts of ``MlflowClient``, one per part of the server's API."""

import time
from typing import Any, Dict, Iterable, List, Optional, Union

from .. import _rest
from ..entities import RunStatus


class Api:
    """Calls to one tracking server."""

    def __init__(self, tracking_uri: Optional[str] = None, registry_uri: Optional[str] = None) -> None:
        self._tracking_uri = str(tracking_uri) if tracking_uri else None

    @property
    def tracking_uri(self) -> str:
        """The server's URI: the one given, else the process's."""
        from .._fluent import get_tracking_uri

        return self._tracking_uri or get_tracking_uri()

    def _get(self, operation: str, **parameters: Any) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "GET", operation, parameters)

    def _post(self, operation: str, body: Dict[str, Any]) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "POST", operation, body)

    def _patch(self, operation: str, body: Dict[str, Any]) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "PATCH", operation, body)

    def _delete(self, operation: str, body: Dict[str, Any]) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "DELETE", operation, body)


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def pairs(values: Optional[Dict[str, Any]]) -> List[Dict[str, str]]:
    """A dictionary as the protocol's list of keys and values."""
    return [{"key": str(k), "value": str(v)} for k, v in (values or {}).items()]


def batches(items: List[Any], size: int) -> Iterable[List[Any]]:
    """The items, at most ``size`` at a time."""
    return (items[i : i + size] for i in range(0, len(items), size))


def status_name(status: Union[str, int, None]) -> Optional[str]:
    """The name of a run's state, given by name or number."""
    return RunStatus.to_string(status) if isinstance(status, int) else status
