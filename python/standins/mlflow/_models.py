"""The model folder: MLmodel, requirements and environment files, and the flavors' own."""

import datetime
import json
import os
import platform
import tempfile
import uuid
from typing import Any, Callable, Dict, List, Optional

from .artifacts import download_artifacts
from .client import MlflowClient
from .exceptions import MlflowException


class ModelInfo:
    """What ``log_model`` returns: ``model_uri``, ``run_id``, ``artifact_path``, ``flavors``."""

    def __init__(self, model: Dict[str, Any]) -> None:
        self.run_id = model["run_id"]
        self.artifact_path = model["artifact_path"]
        self.model_uri = "runs:/{}/{}".format(self.run_id, self.artifact_path)
        self.flavors = model["flavors"]
        self.model_uuid = model["model_uuid"]


def write(path: str, flavors: Dict[str, Any], requirements: List[str], run_id: Optional[str] = None, artifact_path: Optional[str] = None) -> Dict[str, Any]:
    """Writes the files around the flavor's own into an existing folder; returns the MLmodel document."""
    model: Dict[str, Any] = {}
    if artifact_path:
        model["artifact_path"] = artifact_path
    model["flavors"] = flavors
    model["mlflow_version"] = "2.17.3"
    model["model_uuid"] = uuid.uuid4().hex
    if run_id:
        model["run_id"] = run_id
    model["utc_time_created"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    _text(path, "MLmodel", to_yaml(model))
    _text(path, "requirements.txt", "".join(line + "\n" for line in requirements))
    _text(path, "python_env.yaml", to_yaml({"python": platform.python_version(), "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}))
    _text(path, "conda.yaml", to_yaml({"channels": ["conda-forge"], "dependencies": ["python=" + platform.python_version(), "pip", {"pip": requirements}], "name": "mlflow-env"}))
    return model


def log(artifact_path: Optional[str], save: Callable[[str, str], Dict[str, Any]]) -> ModelInfo:
    """Saves into a temporary folder, stores that among the current run's artifacts and notes it on the run."""
    from ._fluent import _current

    if not artifact_path:
        raise MlflowException("log_model needs the artifact path of the model.", "INVALID_PARAMETER_VALUE")
    run_id = _current()
    client = MlflowClient()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        model = save(path, run_id)
        client.log_artifacts(run_id, path, artifact_path)
    client.record_logged_model(run_id, model)
    return ModelInfo(model)


def local(model_uri: str) -> str:
    """The folder of a model: a local path as it is, a run's model downloaded."""
    uri = os.fspath(model_uri)
    if uri.startswith("file://"):
        uri = uri[len("file://"):]
    return uri if os.path.isdir(uri) else download_artifacts(uri)


def read(path: str) -> Dict[str, Any]:
    """The MLmodel document of a folder."""
    with open(os.path.join(path, "MLmodel"), encoding="utf-8") as stream:
        text = stream.read()
    try:
        import yaml
    except ImportError:
        return from_yaml(text)
    return dict(yaml.safe_load(text))


def to_yaml(value: Any, indent: int = 0) -> str:
    """YAML of dictionaries, lists and scalars; strings that YAML could read otherwise are quoted as JSON."""
    pad = "  " * indent
    if isinstance(value, dict):
        return "".join("{}{}:{}".format(pad, k, _nested(v, indent + 1)) for k, v in value.items())
    return "".join("{}-{}".format(pad, _nested(v, indent + 1).replace("\n" + "  " * (indent + 1), " ", 1) if isinstance(v, dict) else _nested(v, indent + 1)) for v in value)


def from_yaml(text: str) -> Dict[str, Any]:
    """Reads nested dictionaries of scalars, which is all of an MLmodel file that is needed here."""
    root: Dict[str, Any] = {}
    levels: List[Any] = [(-1, root)]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "- ")):
            continue
        indent = len(line) - len(line.lstrip())
        key, _, value = line.strip().partition(":")
        while levels[-1][0] >= indent:
            levels.pop()
        parent = levels[-1][1]
        if value.strip():
            parent[key] = _scalar(value.strip())
        else:
            parent[key] = {}
            levels.append((indent, parent[key]))
    return root


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)):
        return "\n" + to_yaml(value, indent) if value else " {}\n" if isinstance(value, dict) else " []\n"
    if value is None:
        return " null\n"
    if isinstance(value, (bool, int, float)):
        return " {}\n".format(json.dumps(value))
    plain = value and value[0].isalpha() and all(c.isalnum() or c in "._-/= " for c in value) and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off") and value == value.strip()
    return " {}\n".format(value if plain else json.dumps(value))


def _scalar(text: str) -> Any:
    if text in ("null", "{}", "[]"):
        return {"null": None, "{}": {}, "[]": []}[text]
    if text[0] in "\"'":
        return json.loads(text) if text[0] == '"' else text[1:-1].replace("''", "'")
    return text


def _text(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.write(text)
