"""Saving, loading and autologging of LightGBM models."""

import os
import pickle
from typing import Any, Dict, List, Optional

from .. import _folder
from ..models.model import Model, ModelInfo

FLAVOR_NAME = "lightgbm"


def get_default_pip_requirements(include_cloudpickle: bool = False) -> List[str]:
    """The packages that loading a model needs."""
    import lightgbm

    return [_folder.pinned("lightgbm", lightgbm.__version__)] + ([_folder.pinned("cloudpickle")] if include_cloudpickle else [])


def get_default_conda_env(include_cloudpickle: bool = False) -> Dict[str, Any]:
    """The same as a conda environment."""
    return _folder.conda_env(["mlflow>=2.17"] + get_default_pip_requirements(include_cloudpickle))


def save_model(
    lgb_model: Any, path: Any, conda_env: Any = None, code_paths: Optional[List[str]] = None, mlflow_model: Optional[Model] = None, signature: Any = None,
    input_example: Any = None, pip_requirements: Any = None, extra_pip_requirements: Any = None, metadata: Optional[Dict[str, Any]] = None, **others: Any,
) -> None:
    """Saves a Booster (as text) or an estimator (pickled) into a new folder."""
    import lightgbm

    _folder.refuse(others)
    path, code = _folder.begin(path, code_paths)
    model = _folder.describe(mlflow_model, path, signature, input_example, metadata, lambda data: lgb_model.predict(data))
    is_booster = isinstance(lgb_model, lightgbm.Booster)
    data, form = ("model.lgb", None) if is_booster else ("model.pkl", _folder.pickler(None))
    if form is None:
        lgb_model.save_model(os.path.join(path, data))
    else:
        with open(os.path.join(path, data), "wb") as stream:
            form[1].dump(lgb_model, stream)
    kind = "lightgbm.basic.Booster" if is_booster else "{}.{}".format(type(lgb_model).__module__, type(lgb_model).__name__)
    model.add_flavor(FLAVOR_NAME, lgb_version=lightgbm.__version__, data=data, model_class=kind, code=code, **({"serialization_format": form[0]} if form else {}))
    said = _folder.Environment(conda_env, pip_requirements, extra_pip_requirements)
    packages = get_default_pip_requirements(form is not None and form[0] == "cloudpickle") + ([] if is_booster else [_folder.pinned("scikit-learn")])
    _folder.finish(model, path, packages, said, dict(loader_module="mlflow.lightgbm", data=data, code=code))


def log_model(
    lgb_model: Any, artifact_path: Optional[str] = None, conda_env: Any = None, code_paths: Optional[List[str]] = None, registered_model_name: Optional[str] = None,
    signature: Any = None, input_example: Any = None, await_registration_for: Optional[int] = 300, pip_requirements: Any = None, extra_pip_requirements: Any = None,
    metadata: Optional[Dict[str, Any]] = None, **more: Any,
) -> ModelInfo:
    """Stores a model: with ``artifact_path`` among the artifacts of the current run, with ``name=`` as a logged model of its own."""
    import mlflow.lightgbm

    return Model.log(
        artifact_path, mlflow.lightgbm, registered_model_name, await_registration_for, metadata, lgb_model=lgb_model, conda_env=conda_env, code_paths=code_paths,
        signature=signature, input_example=input_example, pip_requirements=pip_requirements, extra_pip_requirements=extra_pip_requirements, **more)


def load_model(model_uri: str, dst_path: Optional[str] = None) -> Any:
    """Loads a Booster or an estimator, whichever was saved. Only load models that you trust: pickles run code."""
    return _load(*_folder.open_flavor(model_uri, FLAVOR_NAME, dst_path))


def autolog(
    log_input_examples: bool = False, log_model_signatures: bool = True, log_models: bool = True, log_datasets: bool = True, disable: bool = False, exclusive: bool = False,
    disable_for_unsupported_versions: bool = False, silent: bool = False, registered_model_name: Optional[str] = None, extra_tags: Optional[Dict[str, str]] = None,
) -> None:
    """Logs parameters, the metrics of every iteration, feature importance and models of what is trained from here on; ``disable=True`` ends it."""
    from .._autolog import enable

    enable(FLAVOR_NAME, dict(locals()))


def _load(folder: str, settings: Dict[str, Any]) -> Any:
    path = os.path.join(folder, settings.get("data", "model.lgb"))
    if settings.get("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster":
        import lightgbm

        return lightgbm.Booster(model_file=path)
    with open(path, "rb") as stream:
        return pickle.load(stream)


class _Wrapper:
    """The model for pyfunc."""

    def __init__(self, model: Any) -> None:
        self.lgb_model = model

    def get_raw_model(self) -> Any:
        return self.lgb_model

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        return self.lgb_model.predict(data)


def _load_pyfunc(path: str) -> _Wrapper:
    folder = os.path.dirname(path) if os.path.isfile(path) else path
    return _Wrapper(_load(folder, Model.load(folder).flavors[FLAVOR_NAME]))
