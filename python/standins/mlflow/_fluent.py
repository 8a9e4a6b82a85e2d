"""The current run of the process."""

import atexit
import os
import sys
import threading
from types import TracebackType
from typing import Any, Dict, List, Optional, Type, Union

from .client import MlflowClient, now
from .entities import Experiment, PagedList, Run
from .exceptions import MlflowException, RestException, invalid

_lock = threading.RLock()
_stack: List["ActiveRun"] = []
_state: Dict[str, Optional[str]] = {"uri": None, "experiment": None, "last": None, "job": None}


class ActiveRun(Run):
    """A run as a context manager: it ends with the block, FAILED when the block raises."""

    def __init__(self, run: Run) -> None:
        super().__init__(info=run.info, data=run.data, inputs=run.inputs, outputs=run.outputs)

    def __enter__(self) -> "ActiveRun":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> bool:
        with _lock:
            if any(run is self for run in _stack):
                while _stack[-1] is not self:
                    end_run()
                end_run("FINISHED" if kind is None else "FAILED")
        return False


def set_tracking_uri(uri: Any) -> None:
    """The server to talk to from here on."""
    _state["uri"] = str(uri)


def get_tracking_uri() -> str:
    """The server: the one set, else ``MLFLOW_TRACKING_URI``."""
    uri = _state["uri"] or os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise MlflowException("No tracking server is known. Set MLFLOW_TRACKING_URI (`zaffre env` prints it) or call mlflow.set_tracking_uri().")
    return uri


def is_tracking_uri_set() -> bool:
    """Whether a server is known."""
    return bool(_state["uri"] or os.environ.get("MLFLOW_TRACKING_URI"))


def set_experiment(experiment_name: Optional[str] = None, experiment_id: Optional[str] = None) -> Experiment:
    """The experiment of the runs that start from here on; made when there is none."""
    client = MlflowClient()
    if (experiment_name is None) == (experiment_id is None):
        raise invalid("Must specify exactly one of: `experiment_id` or `experiment_name`.")
    found = client.get_experiment(experiment_id) if experiment_id else client.get_experiment_by_name(str(experiment_name))
    if found is None:
        try:
            found = client.get_experiment(client.create_experiment(str(experiment_name)))
        except RestException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(str(experiment_name))
    if found is None or found.lifecycle_stage == "deleted":
        raise invalid("Cannot set a deleted experiment '{}' as the active experiment. Restore it first.".format(experiment_name or experiment_id))
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


def delete_experiment(experiment_id: str) -> None:
    """Deletes an experiment, restorably."""
    MlflowClient().delete_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """A tag of the current experiment."""
    client = MlflowClient()
    client.set_experiment_tag(experiment(client), key, value)


def set_experiment_tags(tags: Dict[str, Any]) -> None:
    """Tags of the current experiment."""
    for key, value in tags.items():
        set_experiment_tag(key, value)


def start_run(
    run_id: Optional[str] = None, experiment_id: Optional[str] = None, run_name: Optional[str] = None, nested: bool = False,
    parent_run_id: Optional[str] = None, tags: Optional[Dict[str, Any]] = None, description: Optional[str] = None, log_system_metrics: Optional[bool] = None,
) -> ActiveRun:
    """Starts a run, or resumes ``run_id``. Inside a job the first run is the job's own (``MLFLOW_RUN_ID``); the server measures jobs itself."""
    with _lock:
        if _stack and not nested:
            raise MlflowException(
                "Run with UUID {} is already active. To start a new run, first end the current run with mlflow.end_run(). To start a nested run, call start_run with nested=True".format(
                    _stack[-1].info.run_id))
        client = MlflowClient()
        own = dict(tags or {}, **({"mlflow.note.content": description} if description else {}))
        resumed = run_id or (os.environ.get("MLFLOW_RUN_ID") if not _stack and _state["job"] is None else None)
        run = _resume(client, resumed, dict(own, **({"mlflow.runName": run_name} if run_name else {}))) if resumed else None
        if run is None:
            parent = parent_run_id or (_stack[-1].info.run_id if _stack else None)
            if parent_run_id and client.get_run(parent_run_id).info.lifecycle_stage == "deleted":
                raise MlflowException("Cannot start run under parent run with ID {} because it is in the deleted state.".format(parent_run_id))
            run = client.create_run(str(experiment_id or experiment(client)), now(), _run_tags(own, parent), run_name)
        active = ActiveRun(run)
        _stack.append(active)
        return active


def end_run(status: Union[str, int] = "FINISHED") -> None:
    """Ends the current run."""
    with _lock:
        if _stack:
            flush()
            run = _stack.pop()
            _state["last"] = run.info.run_id
            if is_job(run):
                _state["job"] = "ended"
            MlflowClient().set_terminated(run.info.run_id, status)


def is_job(run: Run) -> bool:
    """Whether a run is the one of the job that this process is part of."""
    return run.info.run_id == os.environ.get("MLFLOW_RUN_ID")


def leave(run: ActiveRun) -> None:
    """The job's own run is no longer the current one, but has not ended: the next run that the script starts is the job's again."""
    with _lock:
        flush()
        _state["last"] = run.info.run_id
        _stack[:] = [one for one in _stack if one is not run]


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
    return MlflowClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Deletes a run, restorably."""
    MlflowClient().delete_run(run_id)


def set_tag(key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
    """A tag of the current run."""
    return MlflowClient().set_tag(current(), key, value, synchronous=synchronous)


def set_tags(tags: Dict[str, Any], synchronous: Optional[bool] = None) -> Any:
    """Tags of the current run, in one call."""
    from .entities import RunTag

    return MlflowClient().log_batch(current(), tags=[RunTag(k, str(v)) for k, v in tags.items()], synchronous=synchronous)


def delete_tag(key: str) -> None:
    """Removes a tag of the current run."""
    MlflowClient().delete_tag(current(), key)


def search_experiments(
    view_type: int = 1, max_results: Optional[int] = None, filter_string: Optional[str] = None, order_by: Optional[List[str]] = None,
) -> List[Experiment]:
    """All experiments that pass a filter."""
    return pages(lambda size, token: MlflowClient().search_experiments(view_type, size, filter_string, order_by, token), max_results, 1000)


def search_runs(
    experiment_ids: Optional[List[str]] = None, filter_string: str = "", run_view_type: int = 1, max_results: int = 100_000,
    order_by: Optional[List[str]] = None, output_format: Optional[str] = None, search_all_experiments: bool = False, experiment_names: Optional[List[str]] = None,
) -> Any:
    """Runs, as a DataFrame (``output_format="pandas"``) or as a list (``"list"``). Without a word a DataFrame, and a list where pandas is missing."""
    from ._tables import form

    output_format = output_format or form()
    if output_format not in ("pandas", "list"):
        raise invalid("Unsupported output format: {}. Supported string values are 'pandas' or 'list'".format(output_format))
    if experiment_ids and experiment_names:
        raise invalid("Only experiment_ids or experiment_names can be used, but not both")
    client = MlflowClient()
    ids = [str(e) for e in experiment_ids or []]
    ids += [e.experiment_id for e in map(client.get_experiment_by_name, experiment_names or []) if e]
    if not ids and not experiment_names:
        ids = [e.experiment_id for e in search_experiments()] if search_all_experiments else [experiment(client)]
    found = pages(lambda size, token: client.search_runs(ids, filter_string, run_view_type, size, order_by, token), max_results, 10000) if ids else []
    if output_format == "list":
        return found
    from ._tables import of_runs

    return of_runs(found)


def get_artifact_uri(artifact_path: Optional[str] = None) -> str:
    """The URI of the current run's artifacts, or of one of them."""
    root = MlflowClient().get_run(current()).info.artifact_uri
    return root + "/" + artifact_path.strip("/") if artifact_path else root


def pages(search: Any, most: Optional[int], page: int) -> List[Any]:
    """All that a paged search finds, at most ``most``."""
    found: List[Any] = []
    token: Optional[str] = None
    while most is None or len(found) < most:
        answer: PagedList = search(page if most is None else min(page, most - len(found)), token)
        found += answer
        token = answer.token
        if not token:
            break
    return found


def current() -> str:
    """The id of the current run, which starts when there is none."""
    with _lock:
        return (_stack[-1] if _stack else start_run()).info.run_id


def experiment(client: MlflowClient) -> str:
    """The id of the current experiment."""
    if _state["experiment"]:
        return str(_state["experiment"])
    if os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return os.environ["MLFLOW_EXPERIMENT_ID"]
    if os.environ.get("MLFLOW_EXPERIMENT_NAME"):
        return str(set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"]).experiment_id)
    return "0"


def flush() -> None:
    """Waits for what is being sent by a thread."""
    queue = sys.modules.get("mlflow._queue")
    if queue is not None:
        queue.flush()


def _resume(client: MlflowClient, run_id: str, tags: Dict[str, Any]) -> Run:
    run = client.get_run(run_id)
    if run.info.lifecycle_stage == "deleted":
        raise MlflowException("Cannot start run with ID {} because it is in the deleted state.".format(run_id))
    client.send_batch(run_id, [], [], [{"key": k, "value": str(v)} for k, v in tags.items()])
    if run.info.status != "RUNNING":
        client.update_run(run_id, "RUNNING")
    return run


def _run_tags(tags: Dict[str, Any], parent: Optional[str]) -> Dict[str, Any]:
    own: Dict[str, Any] = {"mlflow.user": _user(), "mlflow.source.name": sys.argv[0] if sys.argv else "", "mlflow.source.type": "LOCAL"}
    if parent:
        own["mlflow.parentRunId"] = parent
    return dict(own, **tags)


def _user() -> str:
    import getpass

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
