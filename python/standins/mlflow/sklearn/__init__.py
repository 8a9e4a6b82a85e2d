"""Saving, loading and autologging of scikit-learn models."""

import importlib
import os
import pickle
from typing import Any, Dict, List, Optional

from .. import _folder
from ..exceptions import invalid
from ..models.model import Model, ModelInfo

FLAVOR_NAME = "sklearn"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SUPPORTED_SERIALIZATION_FORMATS = [SERIALIZATION_FORMAT_PICKLE, SERIALIZATION_FORMAT_CLOUDPICKLE]


def get_default_pip_requirements(include_cloudpickle: bool = False) -> List[str]:
    """The packages that loading a model needs."""
    import sklearn

    return [_folder.pinned("scikit-learn", sklearn.__version__)] + ([_folder.pinned("cloudpickle")] if include_cloudpickle else [])


def get_default_conda_env(include_cloudpickle: bool = False) -> Dict[str, Any]:
    """The same as a conda environment."""
    return _folder.conda_env(["mlflow>=2.17"] + get_default_pip_requirements(include_cloudpickle))


def save_model(
    sk_model: Any, path: Any, conda_env: Any = None, code_paths: Optional[List[str]] = None, mlflow_model: Optional[Model] = None, serialization_format: Optional[str] = None,
    signature: Any = None, input_example: Any = None, pip_requirements: Any = None, extra_pip_requirements: Any = None, pyfunc_predict_fn: str = "predict",
    metadata: Optional[Dict[str, Any]] = None, **others: Any,
) -> None:
    """Saves a model into a new folder. Without a serialization format it is cloudpickle when that is installed, else pickle."""
    import sklearn

    _folder.refuse(others)
    form, module = _folder.pickler(serialization_format)
    path, code = _folder.begin(path, code_paths)
    predict = getattr(sk_model, pyfunc_predict_fn, None)
    model = _folder.describe(mlflow_model, path, signature, input_example, metadata, lambda data: predict(data) if predict else None)
    with open(os.path.join(path, "model.pkl"), "wb") as stream:
        module.dump(sk_model, stream)
    model.add_flavor(FLAVOR_NAME, pickled_model="model.pkl", sklearn_version=sklearn.__version__, serialization_format=form, code=code)
    pyfunc = dict(loader_module="mlflow.sklearn", model_path="model.pkl", predict_fn=pyfunc_predict_fn, code=code) if predict else None
    said = _folder.Environment(conda_env, pip_requirements, extra_pip_requirements)
    _folder.finish(model, path, get_default_pip_requirements(form == "cloudpickle"), said, pyfunc)


def log_model(
    sk_model: Any, artifact_path: Optional[str] = None, conda_env: Any = None, code_paths: Optional[List[str]] = None, serialization_format: Optional[str] = None,
    registered_model_name: Optional[str] = None, signature: Any = None, input_example: Any = None, await_registration_for: Optional[int] = 300,
    pip_requirements: Any = None, extra_pip_requirements: Any = None, pyfunc_predict_fn: str = "predict", metadata: Optional[Dict[str, Any]] = None, **more: Any,
) -> ModelInfo:
    """Stores a model: with ``artifact_path`` among the artifacts of the current run, with ``name=`` as a logged model of its own."""
    import mlflow.sklearn

    return Model.log(
        artifact_path, mlflow.sklearn, registered_model_name, await_registration_for, metadata, sk_model=sk_model, conda_env=conda_env, code_paths=code_paths,
        serialization_format=serialization_format, signature=signature, input_example=input_example, pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements, pyfunc_predict_fn=pyfunc_predict_fn, **more)


def load_model(model_uri: str, dst_path: Optional[str] = None) -> Any:
    """Loads a model. Only load models that you trust: pickles run code."""
    folder, settings = _folder.open_flavor(model_uri, FLAVOR_NAME, dst_path)
    return _load(os.path.join(folder, settings["pickled_model"]), settings.get("serialization_format", SERIALIZATION_FORMAT_PICKLE))


def autolog(
    log_input_examples: bool = False, log_model_signatures: bool = True, log_models: bool = True, log_datasets: bool = True, disable: bool = False, exclusive: bool = False,
    disable_for_unsupported_versions: bool = False, silent: bool = False, max_tuning_runs: Optional[int] = 5, log_post_training_metrics: bool = True,
    serialization_format: Optional[str] = None, registered_model_name: Optional[str] = None, pos_label: Any = None, extra_tags: Optional[Dict[str, str]] = None,
) -> None:
    """Logs parameters, training metrics and models of the estimators that are fitted from here on; ``disable=True`` ends it."""
    from .._autolog import enable

    if max_tuning_runs is not None and max_tuning_runs < 0:
        raise invalid("`max_tuning_runs` must be non-negative, instead got {}.".format(max_tuning_runs))
    enable(FLAVOR_NAME, dict(locals()))


def eval_and_log_metrics(model: Any, X: Any, y_true: Any, *, prefix: str, sample_weight: Any = None, pos_label: Any = None) -> Dict[str, float]:
    """Logs the metrics of training for other data, under another prefix; returns them."""
    from .._autolog.scores import of_estimator
    from .._logging import log_metrics

    if not prefix:
        raise ValueError("Must specify a non-empty prefix")
    if not hasattr(model, "predict"):
        raise ValueError("Model does not support predictions. Please pass a model object defining a predict() method")
    found = of_estimator(model, X, y_true, sample_weight, prefix, pos_label)
    log_metrics(found)
    return found


def _load(path: str, form: str) -> Any:
    if form == SERIALIZATION_FORMAT_CLOUDPICKLE:
        # Its pickles name its functions; where it is missing, the load says so.
        importlib.import_module("cloudpickle")
    elif form != SERIALIZATION_FORMAT_PICKLE:
        raise invalid("This small mlflow does not load models of the serialization format '{}'.".format(form))
    with open(path, "rb") as stream:
        return pickle.load(stream)


class _Wrapper:
    """The model for pyfunc."""

    def __init__(self, model: Any, predict_fn: str) -> None:
        self.sklearn_model, self._predict = model, predict_fn

    def get_raw_model(self) -> Any:
        return self.sklearn_model

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        return getattr(self.sklearn_model, self._predict)(data, **(params or {}))


def _load_pyfunc(path: str) -> _Wrapper:
    flavors = Model.load(path).flavors
    settings = flavors[FLAVOR_NAME]
    model = _load(os.path.join(path, settings["pickled_model"]), settings.get("serialization_format", SERIALIZATION_FORMAT_PICKLE))
    return _Wrapper(model, flavors.get("python_function", {}).get("predict_fn") or "predict")
