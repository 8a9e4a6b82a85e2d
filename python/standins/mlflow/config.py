"""Settings of this process."""

import os
from typing import Any, Dict, Optional

_settings: Dict[str, Any] = {"later": None}


def enable_async_logging(enable: bool = True) -> None:
    """Whether what is logged is sent by a thread in batches unless a call says otherwise."""
    _settings["later"] = bool(enable)


def is_async_logging_enabled() -> bool:
    """Whether what is logged is sent by a thread; ``MLFLOW_ENABLE_ASYNC_LOGGING`` counts when nothing was set."""
    later = _settings["later"]
    return os.environ.get("MLFLOW_ENABLE_ASYNC_LOGGING", "").lower() in ("true", "1") if later is None else bool(later)


def enable_system_metrics_logging() -> None:
    """Nothing to do: the server measures the processes of jobs itself (``system/*``)."""


def disable_system_metrics_logging() -> None:
    """Nothing to do: the server measures the processes of jobs itself."""


def set_system_metrics_sampling_interval(interval: Optional[float]) -> None:
    """Nothing to do: the server chooses how often it measures."""


def set_system_metrics_samples_before_logging(samples: Optional[int]) -> None:
    """Nothing to do: the server chooses how often it measures."""


def set_system_metrics_node_id(node_id: Optional[str]) -> None:
    """Nothing to do: the server names its nodes."""
