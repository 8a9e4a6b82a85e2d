"""Loading of a model of any flavor that this package can load, as something with ``predict``."""

from typing import Any, Optional

from . import _models
from .exceptions import MlflowException


class PyFuncModel:
    """A loaded model with ``predict``."""

    def __init__(self, model: Any, predict: str) -> None:
        self._model = model
        self._predict = predict

    def predict(self, data: Any, params: Optional[Any] = None) -> Any:
        """The model's predictions."""
        return getattr(self._model, self._predict)(data)

    def unwrap_python_model(self) -> Any:
        """The model itself."""
        return self._model


def load_model(model_uri: str, **options: Any) -> PyFuncModel:
    """Loads a model from a folder or ``runs:/RUN/PATH``."""
    folder = _models.local(model_uri)
    flavors = _models.read(folder).get("flavors", {})
    if "sklearn" not in flavors:
        raise MlflowException("This small mlflow loads scikit-learn models only; '{}' has the flavors {}.".format(model_uri, sorted(flavors)), "INVALID_PARAMETER_VALUE")
    from . import sklearn

    return PyFuncModel(sklearn.load_model(folder), flavors.get("python_function", {}).get("predict_fn") or "predict")
