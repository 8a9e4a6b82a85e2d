"""Models of one's own: classes with ``predict``, pickled along with the files that they need."""

import inspect
import os
import shutil
from typing import Any, Dict, List, Optional

from .. import _folder, _places
from ..exceptions import invalid, missing
from ..models.model import Model


class PythonModel:
    """To be derived from: ``predict(self, context, model_input, params=None)``, or without ``context``."""

    def load_context(self, context: "PythonModelContext") -> None:
        """Called once when the model is loaded; reads the files that it needs."""

    def predict(self, context: Any, model_input: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        """The predictions for an input."""
        raise NotImplementedError("{} has no predict.".format(type(self).__name__))

    def predict_stream(self, context: Any, model_input: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        """The predictions for an input, one after the other."""
        raise NotImplementedError("{} has no predict_stream.".format(type(self).__name__))


class _FunctionPythonModel(PythonModel):
    """A function as a model."""

    def __init__(self, func: Any, signature: Any = None) -> None:
        self.func, self.signature = func, signature

    def predict(self, model_input: Any, params: Optional[Dict[str, Any]] = None) -> Any:  # type: ignore[override]
        return self.func(model_input)


class PythonModelContext:
    """The files of a model by name (``artifacts``: local paths) and its configuration (``model_config``)."""

    def __init__(self, artifacts: Dict[str, str], model_config: Optional[Dict[str, Any]] = None) -> None:
        self._artifacts, self._model_config = artifacts, model_config or {}

    @property
    def artifacts(self) -> Dict[str, str]:
        return self._artifacts

    @property
    def model_config(self) -> Dict[str, Any]:
        return self._model_config


def get_default_pip_requirements() -> List[str]:
    """The packages that loading a model needs."""
    return [_folder.pinned("cloudpickle")]


def save(
    python_model: Any, path: str, model: Optional[Model], artifacts: Optional[Dict[str, str]], code: Optional[str], described: Dict[str, Any],
    options: Dict[str, Any], said: _folder.Environment,
) -> None:
    """Writes the class, its files and MLmodel into a folder that has its code already."""
    try:
        import cloudpickle
    except ImportError as error:
        raise missing("cloudpickle", "mlflow.pyfunc.save_model of a Python model") from error
    if callable(python_model) and not hasattr(python_model, "predict"):
        python_model = _FunctionPythonModel(python_model)
    if not isinstance(python_model, PythonModel) and not hasattr(python_model, "predict"):
        raise invalid("`python_model` must be a PythonModel instance, or a callable object, but got '{}'".format(type(python_model)))
    stored, local = _copy(artifacts or {}, path)
    with open(os.path.join(path, "python_model.pkl"), "wb") as stream:
        cloudpickle.dump(python_model, stream)
    context = PythonModelContext(local, options["config"])
    streams = isinstance(python_model, PythonModel) and type(python_model).predict_stream is not PythonModel.predict_stream

    def predict(data: Any) -> Any:
        python_model.load_context(context)
        return Wrapper(python_model, context).predict(data)

    model = _folder.describe(model, path, predict=predict, **described)
    pyfunc = dict(
        loader_module="mlflow.pyfunc.model", python_model="python_model.pkl", cloudpickle_version=cloudpickle.__version__, artifacts=stored or None, code=code,
        config=options["config"], streamable=streams if options["streamable"] is None else bool(options["streamable"]))
    _folder.finish(model, path, get_default_pip_requirements(), said, pyfunc)


def _copy(artifacts: Dict[str, str], path: str) -> Any:
    stored: Dict[str, Any] = {}
    local: Dict[str, str] = {}
    for name, uri in artifacts.items():
        source = _places.fetch(uri)
        target = os.path.join(path, "artifacts", os.path.basename(os.path.normpath(source)))
        if os.path.exists(target):
            target = os.path.join(path, "artifacts", name, os.path.basename(os.path.normpath(source)))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy2(source, target)
        stored[name] = {"path": os.path.relpath(target, path).replace(os.sep, "/"), "uri": str(uri)}
        local[name] = target
    return stored, local


class Wrapper:
    """A loaded class: calls its ``predict`` as it wants to be called."""

    def __init__(self, python_model: Any, context: PythonModelContext) -> None:
        self.python_model, self.context = python_model, context

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        return self._call(self.python_model.predict, data, params)

    def predict_stream(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        return self._call(self.python_model.predict_stream, data, params)

    def _call(self, method: Any, data: Any, params: Optional[Dict[str, Any]]) -> Any:
        named = inspect.signature(method).parameters
        needed = [p.name for p in named.values() if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD and p.name != "params"]
        before = [self.context] if "context" in named or len(needed) > 1 else []
        more = {"params": params} if "params" in named or any(p.kind == p.VAR_KEYWORD for p in named.values()) else {}
        return method(*before, data, **more)


def _load_pyfunc(path: str, model_config: Optional[Dict[str, Any]] = None) -> Wrapper:
    import pickle

    settings = Model.load(path).flavors["python_function"]
    try:
        import cloudpickle  # noqa: F401  (its pickles name its functions)
    except ImportError as error:
        raise missing("cloudpickle", "A Python model") from error
    if settings.get("python_model_compression"):
        raise invalid("This small mlflow does not load compressed Python models.")
    with open(os.path.join(path, settings["python_model"]), "rb") as stream:
        python_model = pickle.load(stream)
    artifacts = {name: os.path.join(path, *one["path"].split("/")) for name, one in (settings.get("artifacts") or {}).items()}
    context = PythonModelContext(artifacts, dict(settings.get("config") or {}, **(model_config or {})))
    if hasattr(python_model, "load_context"):
        python_model.load_context(context)
    return Wrapper(python_model, context)
