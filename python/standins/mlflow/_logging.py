"""Logging to the current run."""

import os
from typing import Any, Dict, List, Optional, Sequence

from ._fluent import current, experiment, flush
from .client import MlflowClient, now
from .entities import DatasetInput, InputTag, LoggedModelInput, Metric, Param
from .exceptions import invalid


def log_metric(
    key: str, value: Any, step: Optional[int] = None, synchronous: Optional[bool] = None, timestamp: Optional[int] = None, run_id: Optional[str] = None,
    model_id: Optional[str] = None, dataset: Any = None,
) -> Any:
    """One point of a metric; ``timestamp`` in milliseconds."""
    return MlflowClient().log_metric(run_id or current(), key, value, timestamp, step, synchronous, *_named(dataset), model_id)


def log_metrics(
    metrics: Dict[str, Any], step: Optional[int] = None, synchronous: Optional[bool] = None, run_id: Optional[str] = None, timestamp: Optional[int] = None,
    model_id: Optional[str] = None, dataset: Any = None,
) -> Any:
    """Points of several metrics, in one call."""
    from ._rest import number

    at = timestamp or now()
    points = [Metric(key, float(number(value)), at, step or 0, model_id, *_named(dataset)) for key, value in metrics.items()]
    return MlflowClient().log_batch(run_id or current(), metrics=points, synchronous=synchronous)


def log_param(key: str, value: Any, synchronous: Optional[bool] = None) -> Any:
    """A parameter, which cannot be changed later."""
    return MlflowClient().log_param(current(), key, value, synchronous=synchronous)


def log_params(params: Dict[str, Any], synchronous: Optional[bool] = None, run_id: Optional[str] = None) -> Any:
    """Parameters, in one call."""
    return MlflowClient().log_batch(run_id or current(), params=[Param(k, str(v)) for k, v in params.items()], synchronous=synchronous)


def log_artifact(local_path: Any, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Stores a file or folder as an artifact."""
    MlflowClient().log_artifact(run_id or current(), os.fspath(local_path), artifact_path)


def log_artifacts(local_dir: Any, artifact_path: Optional[str] = None, run_id: Optional[str] = None) -> None:
    """Stores what a folder holds as artifacts."""
    MlflowClient().log_artifacts(run_id or current(), os.fspath(local_dir), artifact_path)


def log_text(text: str, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Stores a text as an artifact."""
    MlflowClient().log_text(run_id or current(), text, artifact_file)


def log_dict(dictionary: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Stores a dictionary as a JSON or YAML artifact."""
    MlflowClient().log_dict(run_id or current(), dictionary, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Optional[Dict[str, Any]] = None) -> None:
    """Stores a figure of matplotlib, or one of plotly (HTML, or an image by the file's name), as an artifact."""
    MlflowClient().log_figure(current(), figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any, artifact_file: Optional[str] = None, key: Optional[str] = None, step: Optional[int] = None, timestamp: Optional[int] = None,
    synchronous: Optional[bool] = None,
) -> None:
    """Stores an image of PIL, numpy or ``mlflow.Image``, under a file name or under a key and step."""
    MlflowClient().log_image(current(), image, artifact_file, key, step, timestamp, synchronous)


def log_table(data: Any, artifact_file: str, run_id: Optional[str] = None) -> None:
    """Stores a table (dictionary or DataFrame); what is logged under the same name later is added below."""
    MlflowClient().log_table(run_id or current(), data, artifact_file)


def load_table(artifact_file: str, run_ids: Optional[List[str]] = None, extra_columns: Optional[List[str]] = None) -> Any:
    """The tables of this name of the current experiment's runs, as one DataFrame."""
    client = MlflowClient()
    return client.load_table(experiment(client), artifact_file, run_ids, extra_columns)


def log_input(dataset: Any = None, context: Optional[str] = None, tags: Optional[Dict[str, str]] = None, model: Any = None) -> None:
    """Notes that the current run reads a data set (of ``mlflow.data``) or a logged model."""
    if dataset is None and model is None:
        raise invalid("log_input needs a data set or a model.")
    log_inputs([dataset] if dataset is not None else [], [context], [tags], [model] if model is not None else None)


def log_inputs(
    datasets: Optional[Sequence[Any]] = None, contexts: Optional[Sequence[Optional[str]]] = None, tags_list: Optional[Sequence[Optional[Dict[str, str]]]] = None,
    models: Optional[Sequence[Any]] = None,
) -> None:
    """Notes that the current run reads data sets or logged models."""
    datasets = list(datasets or [])
    contexts, tags_list = list(contexts or [None] * len(datasets)), list(tags_list or [None] * len(datasets))
    sent = []
    for dataset, context, tags in zip(datasets, contexts, tags_list):
        own = [InputTag("mlflow.data.context", context)] if context else []
        sent.append(DatasetInput(dataset._to_mlflow_entity(), own + [InputTag(k, str(v)) for k, v in (tags or {}).items()]))
    MlflowClient().log_inputs(current(), sent, [LoggedModelInput(getattr(m, "model_id", m)) for m in models or []])


def flush_async_logging() -> None:
    """Waits until what was logged with ``synchronous=False`` is sent."""
    flush()


def flush_artifact_async_logging() -> None:
    """Artifacts are always sent at once."""


def _named(dataset: Any) -> Any:
    return (dataset.name, dataset.digest) if dataset is not None else (None, None)
