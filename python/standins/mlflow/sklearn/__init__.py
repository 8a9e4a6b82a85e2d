"""Saving and loading of scikit-learn models in the MLmodel format."""

import os
import pickle
import platform
from typing import Any, Dict, List, Optional

from .. import _models
from .._autolog import autolog  # noqa: F401  (mlflow.sklearn.autolog)
from ..exceptions import MlflowException

FLAVOR_NAME = "sklearn"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"


def get_default_pip_requirements(include_cloudpickle: bool = False) -> List[str]:
    """The packages that loading a model needs."""
    import sklearn

    return ["scikit-learn=={}".format(sklearn.__version__)]


def save_model(sk_model: Any, path: str, pip_requirements: Optional[List[str]] = None, **options: Any) -> None:
    """Saves a model into a new folder."""
    _save(sk_model, path, pip_requirements)


def log_model(sk_model: Any, artifact_path: Optional[str] = None, registered_model_name: Optional[str] = None, pip_requirements: Optional[List[str]] = None, name: Optional[str] = None, **options: Any) -> _models.ModelInfo:
    """Stores a model among the current run's artifacts."""
    if registered_model_name:
        raise MlflowException(
            "This small mlflow does not register models. Register the job's output instead: `zaffre model create --path azureml://jobs/JOB/outputs/artifacts/paths/MODEL`.", "INVALID_PARAMETER_VALUE")
    where = artifact_path or name
    return _models.log(where, lambda path, run_id: _save(sk_model, path, pip_requirements, run_id, where))


def load_model(model_uri: str, dst_path: Optional[str] = None) -> Any:
    """Loads a model from a folder, ``runs:/RUN/PATH`` or ``mlflow-artifacts:/...``. Only load models that you trust: pickles run code."""
    folder = _models.local(model_uri)
    flavor = _models.read(folder).get("flavors", {}).get(FLAVOR_NAME)
    if flavor is None:
        raise MlflowException("The model at '{}' has no {} flavor.".format(model_uri, FLAVOR_NAME), "RESOURCE_DOES_NOT_EXIST")
    with open(os.path.join(folder, flavor["pickled_model"]), "rb") as stream:
        return pickle.load(stream)


def _save(sk_model: Any, path: str, requirements: Optional[List[str]], run_id: Optional[str] = None, artifact_path: Optional[str] = None) -> Dict[str, Any]:
    import sklearn

    if os.path.exists(path) and os.listdir(path):
        raise MlflowException("Path '{}' already exists and is not empty".format(path), "RESOURCE_ALREADY_EXISTS")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "model.pkl"), "wb") as stream:
        pickle.dump(sk_model, stream)
    flavors = {
        "python_function": {
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "loader_module": "mlflow.sklearn",
            "model_path": "model.pkl",
            "predict_fn": "predict",
            "python_version": platform.python_version(),
        },
        FLAVOR_NAME: {"code": None, "pickled_model": "model.pkl", "serialization_format": SERIALIZATION_FORMAT_PICKLE, "sklearn_version": sklearn.__version__},
    }
    return _models.write(path, flavors, requirements or get_default_pip_requirements(), run_id, artifact_path)
