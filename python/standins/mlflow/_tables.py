"""Tables as artifacts, and runs as a table."""

import json
import os
import posixpath
import tempfile
from typing import Any, Dict, List, Optional

from .exceptions import RestException, invalid, missing

_LISTED = "mlflow.loggedArtifacts"


def log(client: Any, run_id: str, data: Any, artifact_file: str) -> None:
    """Stores a table; rows are added to one that is there under the same name."""
    if artifact_file.endswith(".parquet"):
        _log_parquet(client, run_id, data, artifact_file)
    elif artifact_file.endswith(".json"):
        table = _below(_stored(client, run_id, artifact_file), _columns(data))
        rows = [list(row) for row in zip(*table.values())]
        client.log_text(run_id, json.dumps({"columns": list(table), "data": rows}, default=_plain), artifact_file)
    else:
        raise invalid("Invalid artifact file path '{}'. Please ensure the file you are trying to log as a table has a file name with either .json or .parquet extension.".format(artifact_file))
    listed = json.loads(client.get_run(run_id).data.tags.get(_LISTED, "[]"))
    own = {"path": artifact_file, "type": "table"}
    if own not in listed:
        client.set_tag(run_id, _LISTED, json.dumps(listed + [own]), synchronous=True)


def load(client: Any, experiment_id: str, artifact_file: str, run_ids: Optional[List[str]], extra_columns: Optional[List[str]]) -> Any:
    """The tables of this name of the runs given (of an experiment's, without), below each other."""
    pandas = _pandas("load_table")
    runs = [client.get_run(run_id) for run_id in run_ids] if run_ids else client.search_runs([experiment_id], max_results=50000)
    found = []
    for run in runs:
        if {"path": artifact_file, "type": "table"} not in json.loads(run.data.tags.get(_LISTED, "[]")):
            continue
        path = client.download_artifacts(run.info.run_id, artifact_file)
        table = pandas.read_parquet(path) if path.endswith(".parquet") else pandas.DataFrame(**_read(path))
        for column in extra_columns or []:
            known = {**dict(run.info), **{k: v for kind in (run.data.params, run.data.metrics, run.data.tags) for k, v in kind.items()}}
            if column not in known:
                raise invalid("Column '{}' is not known of run {}.".format(column, run.info.run_id))
            table[column] = known[column]
        found.append(table)
    if not found:
        raise invalid("No runs found with the corresponding table artifact '{}'".format(artifact_file))
    return pandas.concat(found, ignore_index=True)


def of_runs(runs: List[Any]) -> Any:
    """Runs as a DataFrame with the columns of the real mlflow."""
    pandas = _pandas("search_runs(output_format='pandas')")
    columns: Dict[str, List[Any]] = {
        name: [getattr(run.info, name) for run in runs] for name in ("run_id", "experiment_id", "status", "artifact_uri")}
    for name in ("start_time", "end_time"):
        columns[name] = pandas.to_datetime([getattr(run.info, name) for run in runs], unit="ms", utc=True)
    for kind, empty in (("metrics", float("nan")), ("params", None), ("tags", None)):
        for key in dict.fromkeys(key for run in runs for key in getattr(run.data, kind)):
            columns["{}.{}".format(kind, key)] = [getattr(run.data, kind).get(key, empty) for run in runs]
    return pandas.DataFrame(columns)


def form() -> str:
    """The form of searches that nobody asked for in another: a DataFrame where pandas is installed, else a list."""
    import importlib.util

    return "pandas" if importlib.util.find_spec("pandas") is not None else "list"


def _columns(data: Any) -> Dict[str, List[Any]]:
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        return {str(k): v for k, v in data.to_dict(orient="list").items()}
    if not isinstance(data, dict):
        raise invalid("data must be a pandas.DataFrame or a dictionary")
    listed = {str(k): list(v) if isinstance(v, (list, tuple)) or hasattr(v, "tolist") and getattr(v, "ndim", 0) else [v] for k, v in data.items()}
    if len({len(v) for v in listed.values()}) > 1:
        raise invalid("The columns have different lengths: {}.".format({k: len(v) for k, v in listed.items()}))
    for value in (one for column in listed.values() for one in column):
        if hasattr(value, "to_pil") or type(value).__module__.startswith("PIL."):
            raise invalid("This small mlflow does not store images in tables; use log_image.")
    return listed


def _below(first: Dict[str, List[Any]], second: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
    above, below = (max((len(v) for v in table.values()), default=0) for table in (first, second))
    return {name: first.get(name, [None] * above) + second.get(name, [None] * below) for name in dict.fromkeys(list(first) + list(second))}


def _stored(client: Any, run_id: str, artifact_file: str) -> Dict[str, List[Any]]:
    if not _is_there(client, run_id, artifact_file):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        table = _read(client.download_artifacts(run_id, artifact_file, folder))
    return {name: [row[i] for row in table["data"]] for i, name in enumerate(table["columns"])}


def _log_parquet(client: Any, run_id: str, data: Any, artifact_file: str) -> None:
    pandas = _pandas("log_table to parquet")
    table = pandas.DataFrame(_columns(data))
    with tempfile.TemporaryDirectory() as folder:
        if _is_there(client, run_id, artifact_file):
            table = pandas.concat([pandas.read_parquet(client.download_artifacts(run_id, artifact_file, folder)), table], ignore_index=True)
        path = os.path.join(folder, posixpath.basename(artifact_file))
        table.to_parquet(path)
        client.log_artifact(run_id, path, posixpath.dirname(artifact_file) or None)


def _is_there(client: Any, run_id: str, artifact_file: str) -> bool:
    try:
        return any(f.path == artifact_file for f in client.list_artifacts(run_id, posixpath.dirname(artifact_file) or None))
    except RestException as error:
        if error.status == 404:
            return False
        raise


def _read(path: str) -> Dict[str, Any]:
    with open(path, encoding="utf-8") as stream:
        return dict(json.load(stream))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _pandas(what: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise missing("pandas", what) from error
    return pandas
