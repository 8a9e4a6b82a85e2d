"""The MLmodel document, and logging of what a flavor saves."""

import datetime
import json
import os
import tempfile
import uuid
from typing import Any, Dict, Optional

from .. import _places, _yaml
from .._fluent import _state, current
from ..client import MlflowClient
from ..entities import LoggedModelOutput, Run
from ..exceptions import MlflowException, invalid
from .signature import ModelSignature

MLMODEL_FILE_NAME = "MLmodel"
_VERSION = "2.17.3"


class ModelInfo:
    """What ``log_model`` returns: ``model_uri``, ``run_id``, ``artifact_path``, ``flavors``, ``signature``, ``model_id``, ``registered_model_version``, ..."""

    def __init__(self, model: "Model", model_uri: str, registered_model_version: Optional[str] = None) -> None:
        self.artifact_path, self.flavors, self.model_uuid = model.artifact_path, model.flavors, model.model_uuid
        self.run_id, self.metadata, self.mlflow_version = model.run_id, model.metadata, model.mlflow_version
        self.saved_input_example_info, self.signature = model.saved_input_example_info, model.signature
        self.utc_time_created, self.model_id = model.utc_time_created, model.model_id
        self.model_uri, self.registered_model_version = model_uri, registered_model_version

    @property
    def signature_dict(self) -> Optional[Dict[str, Any]]:
        """The signature as MLmodel holds it."""
        return self.signature.to_dict() if self.signature else None


class Model:
    """An MLmodel file: where the model comes from, its flavors, its signature."""

    def __init__(
        self, artifact_path: Optional[str] = None, run_id: Optional[str] = None, utc_time_created: Optional[str] = None, flavors: Optional[Dict[str, Any]] = None,
        signature: Optional[ModelSignature] = None, saved_input_example_info: Optional[Dict[str, Any]] = None, model_uuid: Optional[str] = None,
        mlflow_version: Optional[str] = _VERSION, metadata: Optional[Dict[str, Any]] = None, model_id: Optional[str] = None, **more: Any,
    ) -> None:
        self.artifact_path, self.run_id, self.flavors, self.signature = artifact_path, run_id, flavors or {}, signature
        self.utc_time_created = str(utc_time_created or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f"))
        self.saved_input_example_info, self.metadata, self.mlflow_version = saved_input_example_info, metadata, mlflow_version
        self.model_uuid, self.model_id = model_uuid or model_id or uuid.uuid4().hex, model_id
        self.model_size_bytes: Optional[int] = more.pop("model_size_bytes", None)
        self.more = more

    def add_flavor(self, name: str, **params: Any) -> "Model":
        """Another way to load the model."""
        self.flavors[name] = params
        return self

    def get_input_schema(self) -> Any:
        """The schema of inputs, or None."""
        return self.signature.inputs if self.signature else None

    def get_output_schema(self) -> Any:
        """The schema of outputs, or None."""
        return self.signature.outputs if self.signature else None

    def get_params_schema(self) -> Any:
        """The schema of parameters, or None."""
        return self.signature.params if self.signature else None

    def get_model_info(self, logged_model: Any = None) -> ModelInfo:
        """The document as an info object."""
        return ModelInfo(self, logged_model.model_uri if logged_model else "runs:/{}/{}".format(self.run_id, self.artifact_path))

    def to_dict(self) -> Dict[str, Any]:
        """The document."""
        found: Dict[str, Any] = {
            "artifact_path": self.artifact_path, "flavors": self.flavors, "mlflow_version": self.mlflow_version, "model_id": self.model_id,
            "model_size_bytes": self.model_size_bytes, "model_uuid": self.model_uuid, "run_id": self.run_id,
            "saved_input_example_info": self.saved_input_example_info, "signature": self.signature.to_dict() if self.signature else None,
            "utc_time_created": self.utc_time_created, "metadata": self.metadata,
        }
        return dict({k: v for k, v in found.items() if v is not None}, **self.more)

    def to_yaml(self) -> str:
        """The file's text."""
        return _yaml.dump(self.to_dict())

    def to_json(self) -> str:
        """The document as JSON."""
        return json.dumps(self.to_dict())

    def save(self, path: str) -> None:
        """Writes the file."""
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(self.to_yaml())

    def save_in(self, folder: str) -> str:
        """Writes the file into a model's folder; returns its path."""
        path = os.path.join(folder, MLMODEL_FILE_NAME)
        self.save(path)
        return path

    @classmethod
    def load(cls, path: str) -> "Model":
        """Reads a file, a folder's file, or the one of a model URI."""
        path = _places.fetch(path)
        file = os.path.join(path, MLMODEL_FILE_NAME) if os.path.isdir(path) else path
        if not os.path.isfile(file):
            raise MlflowException("Could not find an \"MLmodel\" configuration file at \"{}\"".format(path), "RESOURCE_DOES_NOT_EXIST")
        with open(file, encoding="utf-8") as stream:
            return cls.from_dict(dict(_yaml.load(stream.read())))

    @classmethod
    def from_dict(cls, model_dict: Dict[str, Any]) -> "Model":
        """Reads a document; members that are not known are kept."""
        model_dict = dict(model_dict)
        signature = model_dict.pop("signature", None)
        return cls(signature=ModelSignature.from_dict(signature) if signature else None, **model_dict)

    @classmethod
    def log(
        cls, artifact_path: Optional[str], flavor: Any, registered_model_name: Optional[str] = None, await_registration_for: Optional[int] = 300,
        metadata: Optional[Dict[str, Any]] = None, run_id: Optional[str] = None, name: Optional[str] = None, model_type: Optional[str] = None,
        params: Optional[Dict[str, Any]] = None, tags: Optional[Dict[str, Any]] = None, step: int = 0, model_id: Optional[str] = None, **saving: Any,
    ) -> ModelInfo:
        """Saves a model by its flavor and stores it: by ``artifact_path`` among the artifacts of the run, by ``name`` as a logged model of its own."""
        if artifact_path and name and artifact_path != name:
            raise invalid("Both `artifact_path` (deprecated) and `name` parameters were specified. Please only specify `name`.")
        if not artifact_path and not name:
            raise invalid("log_model needs the name (or the artifact path) of the model.")
        run_id = run_id or current()
        if metadata is not None:
            saving["metadata"] = metadata
        own = dict(registered_model_name=registered_model_name, await_registration_for=await_registration_for)
        # What belongs to logged models makes one, whichever way it is named.
        if artifact_path and not (name or model_id or model_type or params or tags):
            return cls._log_below_run(artifact_path, flavor, run_id, saving, **own)
        logged = dict(model_type=model_type, params=params, tags=tags)
        return cls._log_by_itself(str(name or artifact_path), flavor, run_id, saving, logged, step, model_id, **own)

    @classmethod
    def _log_below_run(
        cls, artifact_path: str, flavor: Any, run_id: str, saving: Dict[str, Any], registered_model_name: Optional[str], await_registration_for: Optional[int],
    ) -> ModelInfo:
        client = MlflowClient()
        model = cls(artifact_path=artifact_path, run_id=run_id)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model")
            flavor.save_model(path=path, mlflow_model=model, **saving)
            client.log_artifacts(run_id, path, artifact_path)
        client.record_logged_model(run_id, {k: v for k, v in model.to_dict().items() if k != "metadata"})
        uri = "runs:/{}/{}".format(run_id, artifact_path)
        return ModelInfo(model, uri, _register(uri, registered_model_name, await_registration_for))

    @classmethod
    def _log_by_itself(
        cls, name: str, flavor: Any, run_id: str, saving: Dict[str, Any], logged: Dict[str, Any], step: int, model_id: Optional[str],
        registered_model_name: Optional[str], await_registration_for: Optional[int],
    ) -> ModelInfo:
        client = MlflowClient()
        answer = client._get("runs/get", run_id=run_id)["run"]
        run = Run.from_json(answer)
        params = dict(run.data.params, **(logged.pop("params") or {}))
        one = client.get_logged_model(model_id) if model_id else client.create_logged_model(run.info.experiment_id, name, run_id, params=params, **logged)
        _state["model"] = one.model_id
        prefix = _places.logged_model_prefix(one)
        model = cls(artifact_path=one.artifact_location, run_id=run_id, model_id=one.model_id)
        try:
            if not model_id:
                client.log_outputs(run_id, [LoggedModelOutput(one.model_id, step)])
                # What the run measured so far is of this model too.
                client.send_batch(run_id, [dict(point, model_id=one.model_id) for point in answer.get("data", {}).get("metrics", [])], [], [])
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model")
                flavor.save_model(path=path, mlflow_model=model, **saving)
                client.put_folder(prefix, path)
        except BaseException:
            client.finalize_logged_model(one.model_id, "FAILED")
            raise
        client.finalize_logged_model(one.model_id, "READY")
        return ModelInfo(model, one.model_uri, _register(one.model_uri, registered_model_name, await_registration_for))


def _register(uri: str, name: Optional[str], await_registration_for: Optional[int]) -> Optional[str]:
    if not name:
        return None
    from .._registered import register_model

    return str(register_model(uri, name, await_registration_for).version)


def get_model_info(model_uri: str) -> ModelInfo:
    """The info of a model's MLmodel file."""
    model = Model.load(model_uri)
    return ModelInfo(model, str(model_uri))
