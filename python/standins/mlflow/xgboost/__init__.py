"""Saving, loading and autologging of XGBoost models."""

import importlib
import os
from typing import Any, Dict, List, Optional

from .. import _folder
from ..models.model import Model, ModelInfo

FLAVOR_NAME = "xgboost"


def get_default_pip_requirements() -> List[str]:
    """The packages that loading a model needs."""
    import xgboost

    return [_folder.pinned("xgboost", xgboost.__version__)]


def get_default_conda_env() -> Dict[str, Any]:
    """The same as a conda environment."""
    return _folder.conda_env(["mlflow>=2.17"] + get_default_pip_requirements())


def save_model(
    xgb_model: Any, path: Any, conda_env: Any = None, code_paths: Optional[List[str]] = None, mlflow_model: Optional[Model] = None, signature: Any = None,
    input_example: Any = None, pip_requirements: Any = None, extra_pip_requirements: Any = None, model_format: str = "xgb", metadata: Optional[Dict[str, Any]] = None, **others: Any,
) -> None:
    """Saves a Booster or an estimator into a new folder; ``model_format`` is the ending of its file (``json``, ``ubj`` or another)."""
    import xgboost

    _folder.refuse(others)
    path, code = _folder.begin(path, code_paths)
    model = _folder.describe(mlflow_model, path, signature, input_example, metadata, _Wrapper(xgb_model).predict)
    data = "model." + model_format
    xgb_model.save_model(os.path.join(path, data))
    kind = "{}.{}".format(type(xgb_model).__module__, type(xgb_model).__name__)
    model.add_flavor(FLAVOR_NAME, xgb_version=xgboost.__version__, data=data, model_class=kind, model_format=model_format, code=code)
    said = _folder.Environment(conda_env, pip_requirements, extra_pip_requirements)
    _folder.finish(model, path, get_default_pip_requirements(), said, dict(loader_module="mlflow.xgboost", data=data, code=code))


def log_model(
    xgb_model: Any, artifact_path: Optional[str] = None, conda_env: Any = None, code_paths: Optional[List[str]] = None, registered_model_name: Optional[str] = None,
    signature: Any = None, input_example: Any = None, await_registration_for: Optional[int] = 300, pip_requirements: Any = None, extra_pip_requirements: Any = None,
    model_format: str = "xgb", metadata: Optional[Dict[str, Any]] = None, **more: Any,
) -> ModelInfo:
    """Stores a model: with ``artifact_path`` among the artifacts of the current run, with ``name=`` as a logged model of its own."""
    import mlflow.xgboost

    return Model.log(
        artifact_path, mlflow.xgboost, registered_model_name, await_registration_for, metadata, xgb_model=xgb_model, conda_env=conda_env, code_paths=code_paths,
        signature=signature, input_example=input_example, pip_requirements=pip_requirements, extra_pip_requirements=extra_pip_requirements, model_format=model_format, **more)


def load_model(model_uri: str, dst_path: Optional[str] = None) -> Any:
    """Loads a Booster or an estimator, whichever was saved."""
    return _load(*_folder.open_flavor(model_uri, FLAVOR_NAME, dst_path))


def autolog(
    importance_types: Optional[List[str]] = None, log_input_examples: bool = False, log_model_signatures: bool = True, log_models: bool = True, log_datasets: bool = True,
    disable: bool = False, exclusive: bool = False, disable_for_unsupported_versions: bool = False, silent: bool = False, registered_model_name: Optional[str] = None,
    model_format: str = "xgb", extra_tags: Optional[Dict[str, str]] = None,
) -> None:
    """Logs parameters, the metrics of every iteration, feature importance and models of what is trained from here on; ``disable=True`` ends it."""
    from .._autolog import enable

    enable(FLAVOR_NAME, dict(locals()))


def _load(folder: str, settings: Dict[str, Any]) -> Any:
    module, _, name = settings.get("model_class", "xgboost.core.Booster").rpartition(".")
    model = getattr(importlib.import_module(module), name)()
    model.load_model(os.path.join(folder, settings.get("data", "model.xgb")))
    return model


class _Wrapper:
    """The model for pyfunc."""

    def __init__(self, model: Any) -> None:
        self.xgb_model = model

    def get_raw_model(self) -> Any:
        return self.xgb_model

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        import xgboost

        given = xgboost.DMatrix(data) if isinstance(self.xgb_model, xgboost.Booster) else data
        return self.xgb_model.predict(given, **(params or {}))


def _load_pyfunc(path: str) -> _Wrapper:
    folder = os.path.dirname(path) if os.path.isfile(path) else path
    return _Wrapper(_load(folder, Model.load(folder).flavors[FLAVOR_NAME]))
