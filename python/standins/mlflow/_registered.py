"""Registered and logged models, by the process's server."""

import json
import os
from typing import Any, Dict, List, Optional

from . import _places
from ._fluent import _state, experiment, get_tracking_uri, pages
from .client import MlflowClient
from .entities import LoggedModel
from .entities.model_registry import ModelVersion, RegisteredModel
from .exceptions import RestException, invalid


def register_model(
    model_uri: str, name: str, await_registration_for: Optional[int] = 300, *, tags: Optional[Dict[str, Any]] = None,
) -> ModelVersion:
    """Makes a version of a registered model (and the model, when there is none) of ``runs:/RUN/PATH``, ``models:/m-ID``, a local folder or another URI."""
    client = MlflowClient()
    try:
        client.create_registered_model(name)
    except RestException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise
    source, run_id, model_id = str(model_uri), None, None
    if os.path.isdir(source) or source.startswith("file:"):
        model_id = _upload(client, _places.fetch(source), name)
        source = "models:/" + model_id
    elif source.startswith("runs:/"):
        run_id, path = _places.split(source)
        place = _places.find(source, client)
        if "/models/m-" in place.prefix:
            model_id = place.prefix.split("/")[2]
            source = "models:/" + model_id
        else:
            source = client.get_run(run_id).info.artifact_uri.rstrip("/") + "/" + path.strip("/")
    elif source.startswith("models:/m-"):
        model_id = source[len("models:/") :].split("/")[0]
        run_id = client.get_logged_model(model_id).source_run_id
    elif source.startswith("models:/"):
        run_id = _places.model_version(client, source).run_id
    version = client.create_model_version(name, source, run_id, tags, await_creation_for=await_registration_for, model_id=model_id)
    if model_id:
        known = json.loads(client.get_logged_model(model_id).tags.get("mlflow.modelVersions", "[]"))
        client.set_logged_model_tags(model_id, {"mlflow.modelVersions": json.dumps(known + [{"name": version.name, "version": version.version}])})
    return version


def _upload(client: MlflowClient, folder: str, name: str) -> str:
    """A folder of this disk as a logged model; returns its id."""
    if not os.path.isdir(folder):
        raise invalid("'{}' is no folder of a model.".format(folder))
    model = client.create_logged_model(experiment(client), name)
    try:
        client.put_folder(_places.logged_model_prefix(model), folder)
    except BaseException:
        client.finalize_logged_model(model.model_id, "FAILED")
        raise
    client.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)


def search_registered_models(max_results: Optional[int] = None, filter_string: Optional[str] = None, order_by: Optional[List[str]] = None) -> List[RegisteredModel]:
    """All registered models that pass a filter."""
    return pages(lambda size, token: MlflowClient().search_registered_models(filter_string, size, order_by, token), max_results, 100)


def search_model_versions(max_results: Optional[int] = None, filter_string: Optional[str] = None, order_by: Optional[List[str]] = None) -> List[ModelVersion]:
    """All versions of registered models that pass a filter."""
    return pages(lambda size, token: MlflowClient().search_model_versions(filter_string, size, order_by, token), max_results, 10000)


def set_registry_uri(uri: str) -> None:
    """The registry is the tracking server's; another one is refused."""
    if str(uri) and str(uri) != get_tracking_uri():
        raise invalid("This small mlflow has its registry at the tracking server, not at '{}'.".format(uri))


def get_registry_uri() -> str:
    """The tracking server."""
    return get_tracking_uri()


def get_logged_model(model_id: str) -> LoggedModel:
    """A logged model."""
    return MlflowClient().get_logged_model(model_id)


def last_logged_model() -> Optional[LoggedModel]:
    """The model that this process logged last, or None."""
    return get_logged_model(str(_state["model"])) if _state.get("model") else None


def initialize_logged_model(
    name: Optional[str] = None, source_run_id: Optional[str] = None, tags: Optional[Dict[str, Any]] = None, params: Optional[Dict[str, Any]] = None,
    model_type: Optional[str] = None, experiment_id: Optional[str] = None,
) -> LoggedModel:
    """Makes a logged model whose files come later."""
    from ._fluent import active_run

    client, run = MlflowClient(), active_run()
    model = client.create_logged_model(
        str(experiment_id or (run.info.experiment_id if run else experiment(client))), name, source_run_id or (run.info.run_id if run else None), tags, params, model_type)
    _state["model"] = model.model_id
    return model


def finalize_logged_model(model_id: str, status: str) -> LoggedModel:
    """Says that the files of a logged model are there (``READY``), or will not be (``FAILED``)."""
    return MlflowClient().finalize_logged_model(model_id, status)


def search_logged_models(
    experiment_ids: Optional[List[str]] = None, filter_string: Optional[str] = None, datasets: Optional[List[Dict[str, Any]]] = None, max_results: Optional[int] = None,
    order_by: Optional[List[Dict[str, Any]]] = None, output_format: Optional[str] = None,
) -> Any:
    """Logged models, as a DataFrame or as a list."""
    client = MlflowClient()
    ids = experiment_ids or [experiment(client)]
    found = pages(lambda size, token: client.search_logged_models(ids, filter_string, datasets, size, order_by, token), max_results, 100)
    from ._tables import _pandas, form

    if (output_format or form()) == "list":
        return found
    return _pandas("search_logged_models(output_format='pandas')").DataFrame([dict(model) for model in found])


def set_logged_model_tags(model_id: str, tags: Dict[str, Any]) -> None:
    """Tags of a logged model."""
    MlflowClient().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Removes a tag of a logged model."""
    MlflowClient().delete_logged_model_tag(model_id, key)


def log_model_params(params: Dict[str, Any], model_id: Optional[str] = None) -> None:
    """Parameters of a logged model."""
    target = model_id or _state.get("model")
    if not target:
        raise invalid("log_model_params needs a model id: this process has logged no model.")
    MlflowClient().log_model_params(target, params)
