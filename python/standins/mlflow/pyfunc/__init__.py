"""Models of any flavor as something with ``predict``, and models of one's own."""

import importlib
import os
from typing import Any, Dict, List, Optional

from .. import _folder
from ..exceptions import MlflowException, invalid
from ..models.model import Model, ModelInfo
from ._enforce import enforce, enforce_params
from .model import PythonModel, PythonModelContext, get_default_pip_requirements
from .model import save as _save_python_model

FLAVOR_NAME = "python_function"

__all__ = ["FLAVOR_NAME", "PyFuncModel", "PythonModel", "PythonModelContext", "get_default_conda_env", "get_default_pip_requirements", "get_model_dependencies", "load_model", "log_model", "save_model"]


class PyFuncModel:
    """A loaded model. ``predict`` checks its input against the model's signature first."""

    def __init__(self, model_meta: Model, model_impl: Any, predict_fn: str = "predict") -> None:
        self._metadata, self._impl, self._predict = model_meta, model_impl, predict_fn

    @property
    def metadata(self) -> Model:
        """The MLmodel document."""
        return self._metadata

    @property
    def model_config(self) -> Dict[str, Any]:
        """The configuration that the model was saved or loaded with."""
        return dict(getattr(getattr(self._impl, "context", None), "model_config", {}))

    @property
    def model_id(self) -> Optional[str]:
        """The id of the logged model, or None."""
        return self._metadata.model_id

    @property
    def loader_module(self) -> str:
        """What loaded it."""
        return str(self._metadata.flavors[FLAVOR_NAME]["loader_module"])

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        """The model's predictions."""
        return self._call(getattr(self._impl, self._predict), data, params)

    def predict_stream(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        """The model's predictions one after the other, of a model that can do so."""
        if not hasattr(self._impl, "predict_stream"):
            raise MlflowException("This model does not support predict_stream method.")
        return self._call(self._impl.predict_stream, data, params)

    def _call(self, method: Any, data: Any, params: Optional[Dict[str, Any]]) -> Any:
        import inspect

        schema = self._metadata.get_input_schema()
        if schema is not None:
            try:
                data = enforce(data, schema)
            except MlflowException as error:
                raise invalid("Failed to enforce schema of data '{}' with schema '{}'. Error: {}".format(_short(data), schema, error.message)) from error
        known = enforce_params(params, self._metadata.get_params_schema())
        takes = "params" in inspect.signature(method).parameters
        return method(data, params=known) if takes and known is not None else method(data)

    def unwrap_python_model(self) -> Any:
        """The instance of one's own class."""
        if not hasattr(self._impl, "python_model"):
            raise MlflowException("Unable to retrieve base model object from pyfunc.")
        return self._impl.python_model

    def get_raw_model(self) -> Any:
        """The model of the library that it is of."""
        if hasattr(self._impl, "get_raw_model"):
            return self._impl.get_raw_model()
        if hasattr(self._impl, "python_model"):
            return self._impl.python_model
        raise NotImplementedError("`get_raw_model` is not implemented by the underlying model")

    def __repr__(self) -> str:
        return "mlflow.pyfunc.loaded_model:\n  artifact_path: {}\n  flavor: {}\n  run_id: {}\n".format(self._metadata.artifact_path, self.loader_module, self._metadata.run_id)


def load_model(
    model_uri: str, suppress_warnings: bool = False, dst_path: Optional[str] = None, model_config: Any = None, env_manager: Optional[str] = None,
) -> PyFuncModel:
    """Loads a model of any flavor that has a python_function. Only load models that you trust: pickles run code."""
    if env_manager not in (None, "local"):
        raise invalid("This small mlflow loads models into the environment that runs, not into one of '{}'.".format(env_manager))
    folder, settings = _folder.open_flavor(model_uri, FLAVOR_NAME, dst_path)
    loader = importlib.import_module(settings["loader_module"])
    path = os.path.join(folder, settings["data"]) if settings.get("data") else folder
    if isinstance(model_config, (str, os.PathLike)):
        from .. import _yaml

        with open(model_config, encoding="utf-8") as stream:
            model_config = _yaml.load(stream.read())
    loaded = loader._load_pyfunc(path, model_config) if model_config else loader._load_pyfunc(path)
    predict = str(settings.get("predict_fn") or "predict")
    return PyFuncModel(Model.load(folder), loaded, predict if hasattr(loaded, predict) else "predict")


def save_model(
    path: Any, loader_module: Optional[str] = None, data_path: Optional[str] = None, code_paths: Optional[List[str]] = None, infer_code_paths: bool = False,
    conda_env: Any = None, mlflow_model: Optional[Model] = None, python_model: Any = None, artifacts: Optional[Dict[str, str]] = None, signature: Any = None,
    input_example: Any = None, pip_requirements: Any = None, extra_pip_requirements: Any = None, metadata: Optional[Dict[str, Any]] = None, model_config: Any = None,
    streamable: Optional[bool] = None, code_path: Optional[List[str]] = None, **others: Any,
) -> None:
    """Saves a class of one's own (``python_model``), or data with the module that loads it (``loader_module``), into a new folder."""
    _folder.refuse(dict(others, infer_code_paths=infer_code_paths or None))
    if (python_model is None) == (loader_module is None):
        raise invalid("Either `loader_module` or `python_model` must be specified, and not both.")
    if isinstance(python_model, (str, os.PathLike)):
        raise invalid("This small mlflow does not save models from code files: give `python_model` an instance.")
    path, code = _folder.begin(path, code_paths or code_path)
    said = _folder.Environment(conda_env, pip_requirements, extra_pip_requirements)
    described = dict(signature=signature, input_example=input_example, metadata=metadata)
    if python_model is not None:
        _save_python_model(python_model, path, mlflow_model, artifacts, code, described, dict(config=model_config, streamable=streamable), said)
        return
    import shutil

    data = None
    if data_path is not None:
        data = os.path.join("data", os.path.basename(os.path.normpath(data_path)))
        os.makedirs(os.path.join(path, "data"))
        shutil.copytree(data_path, os.path.join(path, data)) if os.path.isdir(data_path) else shutil.copy2(data_path, os.path.join(path, data))
    model = _folder.describe(mlflow_model, path, predict=lambda given: None, **described)
    _folder.finish(model, path, [], said, dict(loader_module=loader_module, data=data, code=code, config=model_config, streamable=streamable))


def log_model(
    artifact_path: Optional[str] = None, loader_module: Optional[str] = None, data_path: Optional[str] = None, code_paths: Optional[List[str]] = None,
    infer_code_paths: bool = False, conda_env: Any = None, python_model: Any = None, artifacts: Optional[Dict[str, str]] = None, registered_model_name: Optional[str] = None,
    signature: Any = None, input_example: Any = None, await_registration_for: Optional[int] = 300, pip_requirements: Any = None, extra_pip_requirements: Any = None,
    metadata: Optional[Dict[str, Any]] = None, model_config: Any = None, **more: Any,
) -> ModelInfo:
    """Stores a model: with ``artifact_path`` among the artifacts of the current run, with ``name=`` as a logged model of its own."""
    import mlflow.pyfunc

    return Model.log(
        artifact_path, mlflow.pyfunc, registered_model_name, await_registration_for, metadata, loader_module=loader_module, data_path=data_path, code_paths=code_paths,
        conda_env=conda_env, python_model=python_model, artifacts=artifacts, signature=signature, input_example=input_example, pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements, model_config=model_config, infer_code_paths=infer_code_paths, **more)


def get_default_conda_env() -> Dict[str, Any]:
    """What a class of one's own needs, as a conda environment."""
    return _folder.conda_env(["mlflow>=2.17"] + get_default_pip_requirements())


def get_model_dependencies(model_uri: str, format: str = "pip") -> str:
    """The file with the packages of a model."""
    from .. import _places

    return os.path.join(_places.fetch(model_uri), "requirements.txt" if format == "pip" else "conda.yaml")


def __getattr__(name: str) -> Any:
    raise AttributeError("module 'mlflow.pyfunc' has no attribute '{}': this is Zaffre's small mlflow, which lacks it. Install mlflow in the environment to have it.".format(name))


def _short(data: Any) -> str:
    text = str(data)
    return text if len(text) <= 200 else text[:197] + "..."
