"""The current run of the process, and logging to it."""

import atexit
import getpass
import os
import sys
import tempfile
import threading
from types import TracebackType
from typing import Any, Dict, List, Optional, Type

from .client import MlflowClient, now
from .entities import Experiment, Metric, PagedList, Param, Run, RunTag
from .exceptions import MlflowException, RestException

_lock = threading.RLock()
_stack: List["ActiveRun"] = []
_state: Dict[str, Optional[str]] = {"uri": None, "experiment": None, "last": None}


class ActiveRun(Run):
    """A run as a context manager: it ends with the block, FAILED when the block raises."""

    def __init__(self, run: Run, resumed: bool) -> None:
        super().__init__(info=run.info, data=run.data)
        self.__dict__["_resumed"] = resumed

    def __enter__(self) -> "ActiveRun":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> bool:
        with _lock:
            if any(run is self for run in _stack):
                while _stack[-1] is not self:
                    end_run()
                end_run("FINISHED" if kind is None else "FAILED")
        return False


def set_tracking_uri(uri: str) -> None:
    """The server to talk to from here on."""
    _state["uri"] = str(uri)


def get_tracking_uri() -> str:
    """The server: the one set, else ``MLFLOW_TRACKING_URI``."""
    uri = _state["uri"] or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise MlflowException("No tracking server is known. Set MLFLOW_TRACKING_URI (`zaffre env` prints it) or call mlflow.set_tracking_uri().")
    return uri


def set_experiment(experiment_name: Optional[str] = None, experiment_id: Optional[str] = None) -> Experiment:
    """The experiment of the runs that start from here on; made when there is none."""
    client = MlflowClient()
    if (experiment_name is None) == (experiment_id is None):
        raise MlflowException("Give either the experiment's name or its id.", "INVALID_PARAMETER_VALUE")
    found = client.get_experiment(experiment_id) if experiment_id else client.get_experiment_by_name(str(experiment_name))
    if found is None:
        try:
            found = client.get_experiment(client.create_experiment(str(experiment_name)))
        except RestException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(str(experiment_name))
    if found is None or found.lifecycle_stage == "deleted":
        raise MlflowException("Cannot set a deleted experiment '{}' as the active experiment. Restore it first.".format(experiment_name or experiment_id), "INVALID_PARAMETER_VALUE")
    _state["experiment"] = found.experiment_id
    return found


def create_experiment(name: str, artifact_location: Optional[str] = None, tags: Optional[Dict[str, Any]] = None) -> str:
    """Makes an experiment; returns its id."""
    return MlflowClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    """The experiment with this id."""
    return MlflowClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Optional[Experiment]:
    """The experiment of this name, or None."""
    return MlflowClient().get_experiment_by_name(name)


def start_run(
    run_id: Optional[str] = None, experiment_id: Optional[str] = None, run_name: Optional[str] = None, nested: bool = False,
    tags: Optional[Dict[str, Any]] = None, description: Optional[str] = None, **_: Any,
) -> ActiveRun:
    """Starts a run, or resumes ``run_id``. Inside a job the first run is the job's own (``MLFLOW_RUN_ID``)."""
    with _lock:
        if _stack and not nested:
            raise MlflowException("Run with UUID {} is already active. To start a new run, first end the current run with mlflow.end_run(). To start a nested run, call start_run with nested=True".format(_stack[-1].info.run_id))
        client = MlflowClient()
        resumed = run_id or (os.environ.get("MLFLOW_RUN_ID") if not _stack and _state["last"] is None else None)
        if resumed:
            run = client.get_run(resumed)
            if run.info.lifecycle_stage == "deleted":
                raise MlflowException("Cannot start run with ID {} because it is in the deleted state.".format(resumed))
            for key, value in dict(tags or {}, **({"mlflow.runName": run_name} if run_name else {})).items():
                client.set_tag(resumed, key, value)
            if run.info.status != "RUNNING":
                client.update_run(resumed, "RUNNING")
        else:
            run = client.create_run(experiment_id or _experiment(client), now(), _run_tags(tags, description), run_name)
        active = ActiveRun(run, bool(resumed))
        _stack.append(active)
        return active


def end_run(status: str = "FINISHED") -> None:
    """Ends the current run."""
    with _lock:
        if _stack:
            run = _stack.pop()
            _state["last"] = run.info.run_id
            MlflowClient().set_terminated(run.info.run_id, status)


def active_run() -> Optional[ActiveRun]:
    """The current run, or None."""
    return _stack[-1] if _stack else None


def last_active_run() -> Optional[Run]:
    """The current run, or the one that ended last."""
    run_id = _stack[-1].info.run_id if _stack else _state["last"]
    return MlflowClient().get_run(run_id) if run_id else None


def get_run(run_id: str) -> Run:
    """A run with what is logged on it."""
    return MlflowClient().get_run(run_id)


def get_parent_run(run_id: str) -> Optional[Run]:
    """The run that this one is a child of, or None."""
    parent = get_run(run_id).data.tags.get("mlflow.parentRunId")
    return get_run(parent) if parent else None


def delete_run(run_id: str) -> None:
    """Deletes a run, restorably."""
    MlflowClient().delete_run(run_id)


def search_runs(
    experiment_ids: Optional[List[str]] = None, filter_string: str = "", run_view_type: int = 1, max_results: int = 100_000,
    order_by: Optional[List[str]] = None, output_format: str = "list", search_all_experiments: bool = False, experiment_names: Optional[List[str]] = None,
) -> List[Run]:
    """Runs as a list. (The real package can also make a DataFrame: ``output_format="pandas"`` is refused here.)"""
    if output_format != "list":
        raise MlflowException("This small mlflow returns runs as a list only: call search_runs(..., output_format='list').", "INVALID_PARAMETER_VALUE")
    client = MlflowClient()
    ids = list(experiment_ids or [])
    ids += [e.experiment_id for e in map(client.get_experiment_by_name, experiment_names or []) if e]
    if not ids and not experiment_names:
        ids = [e.experiment_id for e in search_experiments()] if search_all_experiments else [_experiment(client)]
    found: List[Run] = []
    token: Optional[str] = None
    while len(found) < max_results:
        page = client.search_runs(ids, filter_string, run_view_type, min(1000, max_results - len(found)), order_by, token)
        found += page
        token = page.token
        if not token:
            break
    return found


def search_experiments(view_type: int = 1, max_results: Optional[int] = None, filter_string: Optional[str] = None, order_by: Optional[List[str]] = None) -> List[Experiment]:
    """Experiments, all pages of them."""
    found: List[Experiment] = []
    page = PagedList([], None)
    while max_results is None or len(found) < max_results:
        page = MlflowClient().search_experiments(view_type, 1000, filter_string, order_by, page.token)
        found += page
        if not page.token:
            break
    return found[:max_results]


def log_metric(key: str, value: float, step: Optional[int] = None, timestamp: Optional[int] = None, run_id: Optional[str] = None, **_: Any) -> None:
    """Logs one point of a metric."""
    MlflowClient().log_metric(run_id or _current(), key, value, timestamp, step)


def log_metrics(metrics: Dict[str, float], step: Optional[int] = None, run_id: Optional[str] = None, timestamp: Optional[int] = None, **_: Any) -> None:
    """Logs a point of each metric, together."""
    at = timestamp or now()
    MlflowClient().log_batch(run_id or _current(), metrics=[Metric(k, v, at, step or 0) for k, v in metrics.items()])


def log_param(key: str, value: Any) -> Any:
    """Logs a param; its value cannot be changed later."""
    return MlflowClient().log_param(_current(), key, value)


def log_params(params: Dict[str, Any], run_id: Optional[str] = None, **_: Any) -> None:
    """Logs params together."""
    MlflowClient().log_batch(run_id or _current(), params=[Param(k, str(v)) for k, v in params.items()])


def set_tag(key: str, value: Any, **_: Any) -> None:
    """Sets a tag of the current run."""
    MlflowClient().set_tag(_current(), key, value)


def set_tags(tags: Dict[str, Any], **_: Any) -> None:
    """Sets tags of the current run together."""
    MlflowClient().log_batch(_current(), tags=[RunTag(k, str(v)) for k, v in tags.items()])


def delete_tag(key: str) -> None:
    """Deletes a tag of the current run."""
    MlflowClient().delete_tag(_current(), key)


def log_artifact(local_path: str, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Stores a file (or a folder, under its own name) among the run's artifacts."""
    MlflowClient().log_artifact(run_id or _current(), os.fspath(local_path), artifact_path)


def log_artifacts(local_dir: str, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Stores what is in a folder among the run's artifacts."""
    MlflowClient().log_artifacts(run_id or _current(), os.fspath(local_dir), artifact_path)


def log_text(text: str, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Stores a text as an artifact."""
    MlflowClient().log_text(run_id or _current(), text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Stores a dictionary as a JSON or YAML artifact."""
    MlflowClient().log_dict(run_id or _current(), dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, **options: Any) -> None:
    """Stores a matplotlib figure (or one of plotly, as HTML) as an artifact."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, os.path.basename(artifact_file))
        if hasattr(figure, "savefig"):
            figure.savefig(path, **options.get("save_kwargs", {}))
        elif hasattr(figure, "write_html"):
            figure.write_html(path)
        else:
            raise MlflowException("log_figure takes a matplotlib or plotly figure, not {}.".format(type(figure).__name__), "INVALID_PARAMETER_VALUE")
        log_artifact(path, os.path.dirname(artifact_file) or None)


def get_artifact_uri(artifact_path: Optional[str] = None) -> str:
    """The URI of the current run's artifacts, or of one of them."""
    root = MlflowClient().get_run(_current()).info.artifact_uri
    return root + "/" + artifact_path.strip("/") if artifact_path else root


def _current() -> str:
    with _lock:
        return (_stack[-1] if _stack else start_run()).info.run_id


def _experiment(client: MlflowClient) -> str:
    if _state["experiment"]:
        return str(_state["experiment"])
    if os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return os.environ["MLFLOW_EXPERIMENT_ID"]
    if os.environ.get("MLFLOW_EXPERIMENT_NAME"):
        return str(set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"]).experiment_id)
    return "0"


def _run_tags(tags: Optional[Dict[str, Any]], description: Optional[str]) -> Dict[str, Any]:
    own: Dict[str, Any] = {"mlflow.user": _user(), "mlflow.source.name": sys.argv[0] if sys.argv else "", "mlflow.source.type": "LOCAL"}
    if description:
        own["mlflow.note.content"] = description
    if _stack:
        own["mlflow.parentRunId"] = _stack[-1].info.run_id
    return dict(own, **(tags or {}))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _end_at_exit() -> None:
    while _stack:
        try:
            end_run()
        except MlflowException as error:
            print("mlflow: the run could not be ended: {}".format(error), file=sys.stderr)


atexit.register(_end_at_exit)
