"""Models: the MLmodel document, signatures, and what they are saved with."""

from typing import Any

from ..exceptions import MlflowException
from .model import MLMODEL_FILE_NAME, Model, ModelInfo, get_model_info
from .signature import ModelSignature, infer_signature, set_signature

ModelInputExample = Any

__all__ = ["MLMODEL_FILE_NAME", "Model", "ModelInfo", "ModelInputExample", "ModelSignature", "evaluate", "get_model_info", "infer_signature", "set_signature"]


def evaluate(*_: Any, **__: Any) -> Any:
    """Refused: this package has no evaluators."""
    raise MlflowException("mlflow.evaluate is not in Zaffre's small mlflow: log the metrics yourself, or install mlflow in the environment.", "NOT_IMPLEMENTED")


def __getattr__(name: str) -> Any:
    raise AttributeError("module 'mlflow.models' has no attribute '{}': this is Zaffre's small mlflow, which lacks it. Install mlflow in the environment to have it.".format(name))
