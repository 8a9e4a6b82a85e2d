"""Where the files behind a URI are: on this disk, or at a place of the server's artifact proxy."""

import os
import posixpath
from typing import Any, NamedTuple, Optional, Tuple
from urllib.parse import unquote, urlsplit

from .client import MlflowClient
from .exceptions import MlflowException, RestException, invalid

_PROXY = "/mlflow-artifacts/artifacts/"


class Place(NamedTuple):
    """``local`` is a path of this disk; else ``prefix`` and ``path`` are of the proxy."""

    local: Optional[str]
    prefix: str = ""
    path: str = ""


def find(uri: Any, client: Optional[MlflowClient] = None) -> Place:
    """The place of a model's or artifact's URI. Raises MlflowException for what is not known."""
    text = os.fspath(uri) if not isinstance(uri, str) else uri
    client = client or MlflowClient()
    if text.startswith("file:"):
        return Place(unquote(urlsplit(text).path))
    if text.startswith("runs:/"):
        run_id, path = split(text)
        return _of_run(client, run_id, path)
    if text.startswith("models:/"):
        return _of_model(client, text)
    if text.startswith(("mlflow-artifacts:", "azureml://", "https://", "http://")):
        return Place(None, "", _proxied(text))
    if "://" in text:
        raise invalid("This small mlflow reads runs:/, models:/ and mlflow-artifacts:/ URIs and local paths, not '{}'.".format(text))
    return Place(text)


def fetch(uri: Any, dst_path: Optional[str] = None) -> str:
    """The local path of what a URI names; downloaded when it is on the server."""
    client = MlflowClient()
    place = find(uri, client)
    if place.local is None:
        return client.fetch(place.prefix, place.path, dst_path) if place.prefix else client.fetch(*_cut(place.path), dst_path=dst_path)
    if not os.path.exists(place.local):
        raise MlflowException("No such file or directory: '{}'".format(place.local), "RESOURCE_DOES_NOT_EXIST")
    return place.local


def split(uri: str) -> Tuple[str, str]:
    """``runs:/RUN/PATH`` as run and path."""
    run_id, _, path = uri[len("runs:") :].lstrip("/").partition("/")
    if not run_id:
        raise invalid("Not a proper runs:/ URI: {}. Runs URIs must be of the form 'runs:/<run_id>/run-relative/path/to/artifact'".format(uri))
    return run_id, path


def model_version(client: MlflowClient, uri: str) -> Any:
    """The version of a registered model that ``models:/NAME/VERSION``, ``/STAGE``, ``/latest`` or ``@ALIAS`` names."""
    rest = uri[len("models:") :].lstrip("/")
    if "@" in rest:
        name, _, alias = rest.partition("@")
        return client.get_model_version_by_alias(name, alias)
    name, _, which = rest.partition("/")
    if not which:
        raise invalid("Not a proper models:/ URI: {}. Models URIs must be of the form 'models:/model_name/suffix' or 'models:/model_name@alias'".format(uri))
    if which.isdigit():
        return client.get_model_version(name, which)
    if which.lower() == "latest":
        found = sorted(client.search_model_versions("name='{}'".format(name)), key=lambda v: int(v.version) if v.version.isdigit() else 0)[-1:]
    else:
        found = client.get_latest_versions(name, [which])
    if not found:
        raise MlflowException("No versions of model with name '{}' and stage '{}' found".format(name, which), "RESOURCE_DOES_NOT_EXIST")
    return found[0]


def logged_model_prefix(model: Any) -> str:
    """Where the proxy keeps the files of a logged model."""
    return "{}/models/{}/artifacts".format(model.experiment_id, model.model_id)


def _of_run(client: MlflowClient, run_id: str, path: str) -> Place:
    prefix = client.prefix(run_id)
    head = path.split("/")[0]
    if head and not any(item.path == head for item in client.list_place(prefix)):
        # A model that was logged by name is a thing of its own; the run only names it.
        for output in client.get_run(run_id).outputs.model_outputs:
            model = client.get_logged_model(output.model_id)
            if model.name == head:
                return Place(None, logged_model_prefix(model), "/".join(path.split("/")[1:]))
    return Place(None, prefix, path)


def _of_model(client: MlflowClient, uri: str) -> Place:
    rest = uri[len("models:") :].lstrip("/")
    if rest.startswith("m-"):
        model_id, _, path = rest.partition("/")
        return Place(None, logged_model_prefix(client.get_logged_model(model_id)), path)
    version = model_version(client, uri)
    try:
        # This place of the proxy reads any version, wherever its files lie.
        prefix = "registry/{}/{}".format(version.name, version.version)
        if client.list_place(prefix):
            return Place(None, prefix, "")
    except RestException as error:
        if error.status != 404:
            raise
    return find(client.get_model_version_download_uri(version.name, version.version), client)


def _proxied(uri: str) -> str:
    """``mlflow-artifacts:/PLACE``, the proxy's own address, or Azure's URI of a run's artifact, as a place of the proxy."""
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.scheme == "mlflow-artifacts":
        return path.lstrip("/")
    if _PROXY in path:
        return path.split(_PROXY, 1)[1]
    if parts.scheme == "azureml" and "/experiments/" in path:
        return path.split("/experiments/", 1)[1].replace("/runs/", "/", 1)
    if parts.scheme == "azureml" and "/ExperimentRun/dcid." in path:
        run_id, _, rest = path.split("/ExperimentRun/dcid.", 1)[1].partition("/")
        return posixpath.join(MlflowClient().prefix(run_id), rest)
    raise invalid("This small mlflow does not read '{}'.".format(uri))


def _cut(path: str) -> Tuple[str, str]:
    """A place as the root of what it is in, and the path below."""
    parts = path.strip("/").split("/")
    for root, length in (("artifacts", 3), ("artifacts", 4)):
        if len(parts) >= length and parts[length - 1] == root:
            return "/".join(parts[:length]), "/".join(parts[length:])
    return "/".join(parts[:3]) if parts[0] == "registry" else "", "/".join(parts[3:] if parts[0] == "registry" else parts)
