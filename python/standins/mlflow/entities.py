"""The objects that reads return."""

from typing import Any, Dict, List, Optional


class _Entity:
    """A plain object with its fields in ``repr`` and ``==``."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return "<{}: {}>".format(type(self).__name__, ", ".join("{}={!r}".format(*item) for item in self.__dict__.items()))

    __hash__ = None  # type: ignore[assignment]


class RunStatus:
    """Names of a run's states."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class ViewType:
    """Which stage of things to search."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3


class Metric(_Entity):
    """One point: ``key``, ``value``, ``timestamp`` (ms), ``step``."""

    def __init__(self, key: str, value: float, timestamp: int, step: int = 0) -> None:
        super().__init__(key=key, value=float(value), timestamp=int(timestamp), step=int(step))


class Param(_Entity):
    """``key`` and ``value``, both text."""

    def __init__(self, key: str, value: str) -> None:
        super().__init__(key=key, value=value)


class RunTag(Param):
    """``key`` and ``value``, both text."""


class Experiment(_Entity):
    """``experiment_id``, ``name``, ``artifact_location``, ``lifecycle_stage``, ``tags``."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "Experiment":
        return cls(
            experiment_id=body["experiment_id"],
            name=body["name"],
            artifact_location=body.get("artifact_location"),
            lifecycle_stage=body.get("lifecycle_stage"),
            creation_time=body.get("creation_time"),
            last_update_time=body.get("last_update_time"),
            tags=_pairs(body.get("tags")),
        )


class RunInfo(_Entity):
    """``run_id``, ``run_name``, ``experiment_id``, ``status``, ``start_time``, ``end_time``, ``artifact_uri``, ..."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "RunInfo":
        return cls(
            run_id=body["run_id"],
            run_uuid=body["run_id"],
            run_name=body.get("run_name"),
            experiment_id=body.get("experiment_id"),
            user_id=body.get("user_id"),
            status=body.get("status"),
            start_time=body.get("start_time"),
            end_time=body.get("end_time"),
            artifact_uri=body.get("artifact_uri"),
            lifecycle_stage=body.get("lifecycle_stage"),
        )


class RunData(_Entity):
    """``metrics`` (latest values), ``params`` and ``tags``, each a dictionary."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "RunData":
        return cls(
            metrics={m["key"]: float(m["value"]) for m in body.get("metrics", [])},
            params=_pairs(body.get("params")),
            tags=_pairs(body.get("tags")),
        )


class Run(_Entity):
    """``info`` and ``data``."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "Run":
        return cls(info=RunInfo.from_json(body["info"]), data=RunData.from_json(body.get("data", {})))


class FileInfo(_Entity):
    """``path`` from the run's root, ``is_dir``, ``file_size``."""

    def __init__(self, path: str, is_dir: bool, file_size: Optional[int]) -> None:
        super().__init__(path=path, is_dir=is_dir, file_size=file_size)


class PagedList(List[Any]):
    """A list with the ``token`` of the page after it."""

    def __init__(self, items: List[Any], token: Optional[str]) -> None:
        super().__init__(items)
        self.token = token


def _pairs(items: Optional[List[Dict[str, str]]]) -> Dict[str, str]:
    return {item["key"]: item.get("value", "") for item in items or []}
