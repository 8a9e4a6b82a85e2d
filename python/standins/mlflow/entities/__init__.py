"""The objects that reads return."""

from typing import Any, Dict, Iterator, List, Optional


class _Entity:
    """A plain object with its fields in ``repr`` and ``==``."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__dict__.items())

    def __repr__(self) -> str:
        return "<{}: {}>".format(type(self).__name__, ", ".join("{}={!r}".format(*item) for item in self.__dict__.items()))

    __hash__ = None  # type: ignore[assignment]


class RunStatus:
    """A run's states, as the protocol numbers them."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5

    @staticmethod
    def to_string(status: int) -> str:
        """The name of a state."""
        return _STATES[status - 1]

    @staticmethod
    def from_string(status: str) -> int:
        """The number of a state."""
        return _STATES.index(status) + 1

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Whether a run in this state has ended."""
        return status >= RunStatus.FINISHED

    @staticmethod
    def all_status() -> List[int]:
        """All states."""
        return [1, 2, 3, 4, 5]


_STATES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]


class LifecycleStage:
    """Whether a thing is deleted."""

    ACTIVE = "active"
    DELETED = "deleted"


class SourceType:
    """Where a run's code comes from."""

    NOTEBOOK = 1
    JOB = 2
    PROJECT = 3
    LOCAL = 4
    UNKNOWN = 1000


class ViewType:
    """Which stage of things to search."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3


class Metric(_Entity):
    """One point: ``key``, ``value``, ``timestamp`` (ms), ``step``, and what it was measured of."""

    def __init__(
        self, key: str, value: float, timestamp: int, step: int = 0, model_id: Optional[str] = None, dataset_name: Optional[str] = None,
        dataset_digest: Optional[str] = None, run_id: Optional[str] = None,
    ) -> None:
        super().__init__(
            key=key, value=float(value), timestamp=int(timestamp), step=int(step or 0), model_id=model_id, dataset_name=dataset_name, dataset_digest=dataset_digest, run_id=run_id)

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "Metric":
        return cls(
            body["key"], body["value"], body.get("timestamp", 0), body.get("step", 0), body.get("model_id"), body.get("dataset_name"), body.get("dataset_digest"), body.get("run_id"))


class Param(_Entity):
    """``key`` and ``value``, both text."""

    def __init__(self, key: str, value: str) -> None:
        super().__init__(key=key, value=value)


class RunTag(Param):
    """``key`` and ``value``, both text."""


class ExperimentTag(Param):
    """``key`` and ``value``, both text."""


class InputTag(Param):
    """``key`` and ``value``, both text."""


class Dataset(_Entity):
    """``name``, ``digest``, ``source_type``, ``source``, ``schema``, ``profile``, as the server keeps a data set."""

    def __init__(self, name: str, digest: str, source_type: str, source: str, schema: Optional[str] = None, profile: Optional[str] = None) -> None:
        super().__init__(name=name, digest=digest, source_type=source_type, source=source, schema=schema, profile=profile)


class DatasetInput(_Entity):
    """A data set that a run reads, with tags."""

    def __init__(self, dataset: Dataset, tags: Optional[List[InputTag]] = None) -> None:
        super().__init__(dataset=dataset, tags=tags or [])


class LoggedModelInput(_Entity):
    """A logged model that a run reads."""

    def __init__(self, model_id: str) -> None:
        super().__init__(model_id=model_id)


class LoggedModelOutput(_Entity):
    """A logged model that a run wrote, at a step."""

    def __init__(self, model_id: str, step: int = 0) -> None:
        super().__init__(model_id=model_id, step=step)


class RunInputs(_Entity):
    """``dataset_inputs`` and ``model_inputs``."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "RunInputs":
        return cls(
            dataset_inputs=[
                DatasetInput(Dataset(**{k: i["dataset"].get(k) for k in ("name", "digest", "source_type", "source", "schema", "profile")}), [InputTag(t["key"], t["value"]) for t in i.get("tags", [])])
                for i in body.get("dataset_inputs", [])],
            model_inputs=[LoggedModelInput(i["model_id"]) for i in body.get("model_inputs", [])])


class RunOutputs(_Entity):
    """``model_outputs``."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "RunOutputs":
        return cls(model_outputs=[LoggedModelOutput(o["model_id"], o.get("step", 0)) for o in body.get("model_outputs", [])])


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
    """``info``, ``data``, ``inputs`` and ``outputs``."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "Run":
        return cls(
            info=RunInfo.from_json(body["info"]), data=RunData.from_json(body.get("data", {})), inputs=RunInputs.from_json(body.get("inputs", {})),
            outputs=RunOutputs.from_json(body.get("outputs", {})))

    def to_dictionary(self) -> Dict[str, Any]:
        """``info`` and ``data`` as dictionaries."""
        return {"info": dict(self.info), "data": dict(self.data)}


class LoggedModelStatus:
    """Whether the files of a logged model are there."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class LoggedModel(_Entity):
    """``model_id``, ``name``, ``experiment_id``, ``artifact_location``, ``status``, ``source_run_id``, ``tags``, ``params``, ``metrics``, ..."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "LoggedModel":
        info, data = body["info"], body.get("data", {})
        status = str(info.get("status", "")).replace("LOGGED_MODEL_", "").replace("UPLOAD_", "") or LoggedModelStatus.UNSPECIFIED
        return cls(
            model_id=info["model_id"], name=info.get("name"), experiment_id=info.get("experiment_id"), artifact_location=info.get("artifact_uri"), status=status,
            model_type=info.get("model_type"), source_run_id=info.get("source_run_id"), status_message=info.get("status_message"),
            creation_timestamp=info.get("creation_timestamp_ms"), last_updated_timestamp=info.get("last_updated_timestamp_ms"), tags=_pairs(info.get("tags")),
            params=_pairs(data.get("params")), metrics=[Metric.from_json(m) for m in data.get("metrics", [])])

    @property
    def model_uri(self) -> str:
        """The URI to load it by."""
        return "models:/" + str(self.model_id)


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
