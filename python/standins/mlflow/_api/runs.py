"""Experiments, runs, and what is logged on them."""

import json
from typing import Any, Dict, List, Optional, Sequence, Union

from .. import _rest
from ..entities import DatasetInput, Experiment, LoggedModelInput, LoggedModelOutput, Metric, PagedList, Param, Run, RunTag
from ..exceptions import RestException
from . import Api, batches, now, pairs, status_name

_METRICS_A_BATCH = 1000
_PAIRS_A_BATCH = 100


class RunsApi(Api):
    """The tracking part of the client."""

    # Experiments

    def create_experiment(self, name: str, artifact_location: Optional[str] = None, tags: Optional[Dict[str, Any]] = None) -> str:
        return str(self._post("experiments/create", {"name": name, "artifact_location": artifact_location, "tags": pairs(tags)})["experiment_id"])

    def get_experiment(self, experiment_id: str) -> Experiment:
        return Experiment.from_json(self._get("experiments/get", experiment_id=experiment_id)["experiment"])

    def get_experiment_by_name(self, name: str) -> Optional[Experiment]:
        try:
            return Experiment.from_json(self._get("experiments/get-by-name", experiment_name=name)["experiment"])
        except RestException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def search_experiments(
        self, view_type: int = 1, max_results: int = 1000, filter_string: Optional[str] = None,
        order_by: Optional[List[str]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        body = {"view_type": view_type, "max_results": max_results, "filter": filter_string, "order_by": order_by, "page_token": page_token}
        answer = self._post("experiments/search", body)
        return PagedList([Experiment.from_json(e) for e in answer.get("experiments", [])], answer.get("next_page_token"))

    def delete_experiment(self, experiment_id: str) -> None:
        self._post("experiments/delete", {"experiment_id": experiment_id})

    def restore_experiment(self, experiment_id: str) -> None:
        self._post("experiments/restore", {"experiment_id": experiment_id})

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        self._post("experiments/update", {"experiment_id": experiment_id, "new_name": new_name})

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        self._post("experiments/set-experiment-tag", {"experiment_id": experiment_id, "key": key, "value": str(value)})

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        self._post("experiments/delete-experiment-tag", {"experiment_id": experiment_id, "key": key})

    # Runs

    def create_run(
        self, experiment_id: str, start_time: Optional[int] = None, tags: Optional[Dict[str, Any]] = None, run_name: Optional[str] = None,
    ) -> Run:
        tags = dict(tags or {})
        body = {"experiment_id": str(experiment_id), "start_time": start_time or now(), "tags": pairs(tags), "run_name": run_name, "user_id": tags.get("mlflow.user")}
        return Run.from_json(self._post("runs/create", body)["run"])

    def get_run(self, run_id: str) -> Run:
        return Run.from_json(self._get("runs/get", run_id=run_id)["run"])

    def get_parent_run(self, run_id: str) -> Optional[Run]:
        parent = self.get_run(run_id).data.tags.get("mlflow.parentRunId")
        return self.get_run(parent) if parent else None

    def search_runs(
        self, experiment_ids: Union[str, int, Sequence[Any]], filter_string: str = "", run_view_type: int = 1, max_results: int = 1000,
        order_by: Optional[List[str]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        ids = [experiment_ids] if isinstance(experiment_ids, (str, int)) else experiment_ids
        body = {
            "experiment_ids": [str(e) for e in ids], "filter": filter_string, "run_view_type": run_view_type,
            "max_results": max_results, "order_by": order_by, "page_token": page_token,
        }
        answer = self._post("runs/search", body)
        return PagedList([Run.from_json(r) for r in answer.get("runs", [])], answer.get("next_page_token"))

    def update_run(self, run_id: str, status: Union[str, int, None] = None, name: Optional[str] = None) -> None:
        self._post("runs/update", {"run_id": run_id, "status": status_name(status), "run_name": name})

    def set_terminated(self, run_id: str, status: Union[str, int, None] = None, end_time: Optional[int] = None) -> None:
        self._post("runs/update", {"run_id": run_id, "status": status_name(status) or "FINISHED", "end_time": end_time or now()})

    def delete_run(self, run_id: str) -> None:
        self._post("runs/delete", {"run_id": run_id})

    def restore_run(self, run_id: str) -> None:
        self._post("runs/restore", {"run_id": run_id})

    # What is logged

    def log_metric(
        self, run_id: str, key: str, value: Any, timestamp: Optional[int] = None, step: Optional[int] = None, synchronous: Optional[bool] = None,
        dataset_name: Optional[str] = None, dataset_digest: Optional[str] = None, model_id: Optional[str] = None,
    ) -> Any:
        """Sends the point at once; with ``synchronous=False`` a thread sends it with others, and what is returned can be waited for."""
        point = {
            "key": key, "value": _rest.number(value), "timestamp": int(timestamp or now()), "step": int(step or 0),
            "dataset_name": dataset_name, "dataset_digest": dataset_digest, "model_id": model_id,
        }
        point = {k: v for k, v in point.items() if v is not None}
        if self._later(synchronous):
            return self._queue().put(self, run_id, metrics=[point])
        self._post("runs/log-metric", dict(point, run_id=run_id))
        return None

    def log_param(self, run_id: str, key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
        if self._later(synchronous):
            return self._queue().put(self, run_id, params=[{"key": key, "value": str(value)}])
        self._post("runs/log-parameter", {"run_id": run_id, "key": key, "value": str(value)})
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
        if self._later(synchronous):
            return self._queue().put(self, run_id, tags=[{"key": key, "value": str(value)}])
        self._post("runs/set-tag", {"run_id": run_id, "key": key, "value": str(value)})
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        self._post("runs/delete-tag", {"run_id": run_id, "key": key})

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric] = (), params: Sequence[Param] = (), tags: Sequence[RunTag] = (), synchronous: Optional[bool] = None,
    ) -> Any:
        """Logs in batches of the protocol's size; each batch is whole or not at all."""
        points = [
            {k: v for k, v in {"key": m.key, "value": _rest.number(m.value), "timestamp": m.timestamp, "step": m.step, "model_id": m.model_id,
                               "dataset_name": m.dataset_name, "dataset_digest": m.dataset_digest}.items() if v is not None} for m in metrics]
        named = ([{"key": p.key, "value": str(p.value)} for p in params], [{"key": t.key, "value": str(t.value)} for t in tags])
        if self._later(synchronous):
            return self._queue().put(self, run_id, points, *named)
        self.send_batch(run_id, points, *named)
        return None

    def send_batch(self, run_id: str, metrics: List[Dict[str, Any]], params: List[Dict[str, str]], tags: List[Dict[str, str]]) -> None:
        """Sends what is already in the protocol's form, in as few calls as its limits allow."""
        if len(params) <= _PAIRS_A_BATCH and len(tags) <= _PAIRS_A_BATCH and len(metrics) + len(params) + len(tags) <= _METRICS_A_BATCH:
            if metrics or params or tags:
                self._post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params, "tags": tags})
            return
        for name, items, size in (("params", params, _PAIRS_A_BATCH), ("tags", tags, _PAIRS_A_BATCH), ("metrics", metrics, _METRICS_A_BATCH)):
            for batch in batches(items, size):
                self._post("runs/log-batch", {"run_id": run_id, name: batch})

    def log_inputs(self, run_id: str, datasets: Optional[Sequence[DatasetInput]] = None, models: Optional[Sequence[LoggedModelInput]] = None) -> None:
        sent = [{"dataset": {k: v for k, v in one.dataset if v is not None}, "tags": [dict(t) for t in one.tags]} for one in datasets or []]
        self._post("runs/log-inputs", {"run_id": run_id, "datasets": sent, "models": [{"model_id": m.model_id} for m in models or []]})

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        self._post("runs/outputs", {"run_id": run_id, "models": [{"model_id": m.model_id, "step": m.step} for m in models]})

    def get_metric_history(self, run_id: str, key: str) -> List[Metric]:
        found: List[Metric] = []
        token: Optional[str] = None
        while True:
            answer = self._get("metrics/get-history", run_id=run_id, metric_key=key, max_results=25000, page_token=token)
            found += [Metric.from_json(m) for m in answer.get("metrics", [])]
            token = answer.get("next_page_token")
            if not token:
                return found

    def record_logged_model(self, run_id: str, model: Dict[str, Any]) -> None:
        """Notes on the run that a model lies among its artifacts."""
        self._post("runs/log-model", {"run_id": run_id, "model_json": json.dumps(model)})

    @staticmethod
    def _later(synchronous: Optional[bool]) -> bool:
        from ..config import is_async_logging_enabled

        return is_async_logging_enabled() if synchronous is None else not synchronous

    @staticmethod
    def _queue() -> Any:
        from .. import _queue

        return _queue
