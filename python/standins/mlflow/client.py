"""``MlflowClient``: the tracking API without a current run."""

import json
import mimetypes
import os
import posixpath
import tempfile
import time
from typing import Any, Dict, Iterable, List, Optional, Sequence

from . import _rest
from .entities import Experiment, FileInfo, Metric, PagedList, Param, Run, RunTag
from .exceptions import MlflowException, RestException

_METRICS_A_BATCH = 1000
_PAIRS_A_BATCH = 100


class MlflowClient:
    """Talks to one tracking server; safe to use from several threads."""

    # A run never moves to another experiment, so what is known stays true.
    _experiments: Dict[str, str] = {}

    def __init__(self, tracking_uri: Optional[str] = None, registry_uri: Optional[str] = None) -> None:
        self._tracking_uri = tracking_uri

    @property
    def tracking_uri(self) -> str:
        """The server's URI: the one given, else the process's."""
        from . import get_tracking_uri

        return self._tracking_uri or get_tracking_uri()

    # Experiments

    def create_experiment(self, name: str, artifact_location: Optional[str] = None, tags: Optional[Dict[str, Any]] = None) -> str:
        body = {"name": name, "artifact_location": artifact_location, "tags": _tags(tags)}
        return str(self._post("experiments/create", body)["experiment_id"])

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

    # Runs

    def create_run(
        self, experiment_id: str, start_time: Optional[int] = None, tags: Optional[Dict[str, Any]] = None, run_name: Optional[str] = None,
    ) -> Run:
        tags = dict(tags or {})
        body = {"experiment_id": str(experiment_id), "start_time": start_time or now(), "tags": _tags(tags), "run_name": run_name, "user_id": tags.get("mlflow.user")}
        return Run.from_json(self._post("runs/create", body)["run"])

    def get_run(self, run_id: str) -> Run:
        return Run.from_json(self._get("runs/get", run_id=run_id)["run"])

    def search_runs(
        self, experiment_ids: Sequence[str], filter_string: str = "", run_view_type: int = 1, max_results: int = 1000,
        order_by: Optional[List[str]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        body = {
            "experiment_ids": [str(e) for e in experiment_ids], "filter": filter_string, "run_view_type": run_view_type,
            "max_results": max_results, "order_by": order_by, "page_token": page_token,
        }
        answer = self._post("runs/search", body)
        return PagedList([Run.from_json(r) for r in answer.get("runs", [])], answer.get("next_page_token"))

    def update_run(self, run_id: str, status: Optional[str] = None, name: Optional[str] = None) -> None:
        self._post("runs/update", {"run_id": run_id, "status": status, "run_name": name})

    def set_terminated(self, run_id: str, status: Optional[str] = None, end_time: Optional[int] = None) -> None:
        self._post("runs/update", {"run_id": run_id, "status": status or "FINISHED", "end_time": end_time or now()})

    def delete_run(self, run_id: str) -> None:
        self._post("runs/delete", {"run_id": run_id})

    def restore_run(self, run_id: str) -> None:
        self._post("runs/restore", {"run_id": run_id})

    # What is logged

    def log_metric(self, run_id: str, key: str, value: float, timestamp: Optional[int] = None, step: Optional[int] = None, **_: Any) -> None:
        body = {"run_id": run_id, "key": key, "value": _rest.number(value), "timestamp": timestamp or now(), "step": step or 0}
        self._post("runs/log-metric", body)

    def log_param(self, run_id: str, key: str, value: Any) -> Any:
        self._post("runs/log-parameter", {"run_id": run_id, "key": key, "value": str(value)})
        return value

    def set_tag(self, run_id: str, key: str, value: Any) -> None:
        self._post("runs/set-tag", {"run_id": run_id, "key": key, "value": str(value)})

    def delete_tag(self, run_id: str, key: str) -> None:
        self._post("runs/delete-tag", {"run_id": run_id, "key": key})

    def log_batch(self, run_id: str, metrics: Sequence[Metric] = (), params: Sequence[Param] = (), tags: Sequence[RunTag] = (), **_: Any) -> None:
        """Logs in batches of the protocol's size; each batch is whole or not at all."""
        points = [{"key": m.key, "value": _rest.number(m.value), "timestamp": m.timestamp, "step": m.step} for m in metrics]
        for batch in _batches([{"key": p.key, "value": str(p.value)} for p in params], _PAIRS_A_BATCH):
            self._post("runs/log-batch", {"run_id": run_id, "params": batch})
        for batch in _batches([{"key": t.key, "value": str(t.value)} for t in tags], _PAIRS_A_BATCH):
            self._post("runs/log-batch", {"run_id": run_id, "tags": batch})
        for batch in _batches(points, _METRICS_A_BATCH):
            self._post("runs/log-batch", {"run_id": run_id, "metrics": batch})

    def get_metric_history(self, run_id: str, key: str) -> List[Metric]:
        found: List[Metric] = []
        token: Optional[str] = None
        while True:
            answer = self._get("metrics/get-history", run_id=run_id, metric_key=key, max_results=25000, page_token=token)
            found += [Metric(m["key"], float(m["value"]), m["timestamp"], m.get("step", 0)) for m in answer.get("metrics", [])]
            token = answer.get("next_page_token")
            if not token:
                return found

    def record_logged_model(self, run_id: str, model: Dict[str, Any]) -> None:
        """Notes on the run that a model lies among its artifacts."""
        self._post("runs/log-model", {"run_id": run_id, "model_json": json.dumps(model)})

    # Artifacts

    def log_artifact(self, run_id: str, local_path: str, artifact_path: Optional[str] = None) -> None:
        if os.path.isdir(local_path):
            self.log_artifacts(run_id, local_path, posixpath.join(artifact_path or "", os.path.basename(os.path.normpath(local_path))))
        else:
            self._upload(run_id, local_path, posixpath.join(artifact_path or "", os.path.basename(local_path)))

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: Optional[str] = None) -> None:
        for folder, _, names in os.walk(local_dir):
            below = os.path.relpath(folder, local_dir).replace(os.sep, "/")
            for name in sorted(names):
                self._upload(run_id, os.path.join(folder, name), posixpath.normpath(posixpath.join(artifact_path or "", below, name)))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, posixpath.basename(artifact_file))
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
            self._upload(run_id, path, artifact_file)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Writes JSON, or YAML when the file is named so and PyYAML is there (JSON is YAML too)."""
        text = json.dumps(dictionary, indent=2, default=str)
        if artifact_file.endswith((".yaml", ".yml")):
            try:
                import yaml
            except ImportError:
                pass
            else:
                text = yaml.safe_dump(json.loads(text), sort_keys=False)
        self.log_text(run_id, text, artifact_file)

    def list_artifacts(self, run_id: str, path: Optional[str] = None) -> List[FileInfo]:
        answer = self._get("artifacts/list", run_id=run_id, path=path or None)
        return [FileInfo(f["path"], bool(f.get("is_dir")), f.get("file_size")) for f in answer.get("files", [])]

    def download_artifacts(self, run_id: str, path: str = "", dst_path: Optional[str] = None) -> str:
        """Downloads a file or a folder; returns where it is."""
        root = os.path.abspath(dst_path or tempfile.mkdtemp())
        prefix = self._prefix(run_id)
        pending = [(posixpath.normpath(path) if path else "", False)]
        while pending:
            at, is_file = pending.pop()
            inside = [] if is_file else self.list_artifacts(run_id, at)
            for item in inside:
                pending.append((item.path, not item.is_dir))
            if is_file or not inside:
                if at:
                    local = os.path.join(root, *at.split("/"))
                    os.makedirs(os.path.dirname(local), exist_ok=True)
                    _rest.download(self.tracking_uri, posixpath.join(prefix, at), local)
        return os.path.join(root, *path.split("/")) if path else root

    def _upload(self, run_id: str, local_path: str, artifact_file: str) -> None:
        normal = posixpath.normpath(artifact_file)
        if normal.startswith(("/", "..")):
            raise MlflowException("Invalid artifact path: '{}'".format(artifact_file), "INVALID_PARAMETER_VALUE")
        kind = mimetypes.guess_type(local_path)[0] or "application/octet-stream"
        _rest.upload(self.tracking_uri, posixpath.join(self._prefix(run_id), normal), local_path, kind)

    def _prefix(self, run_id: str) -> str:
        if run_id not in self._experiments:
            self._experiments[run_id] = self.get_run(run_id).info.experiment_id
        return "{}/{}/artifacts".format(self._experiments[run_id], run_id)

    def _get(self, operation: str, **parameters: Any) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "GET", operation, parameters)

    def _post(self, operation: str, body: Dict[str, Any]) -> Dict[str, Any]:
        return _rest.call(self.tracking_uri, "POST", operation, body)


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def _tags(tags: Optional[Dict[str, Any]]) -> List[Dict[str, str]]:
    return [{"key": k, "value": str(v)} for k, v in (tags or {}).items()]


def _batches(items: List[Any], size: int) -> Iterable[List[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))
