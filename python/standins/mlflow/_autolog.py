"""Autologging of scikit-learn: what an estimator was, how well it fits its training data, and the model itself, whenever ``fit`` is called.

Other libraries are not logged by themselves; a script that uses one of them runs on as it is.
"""

import functools
import importlib.abc
import importlib.machinery
import os
import sys
import threading
from typing import Any, Callable, Dict, Optional, Sequence

_BASE = "sklearn.base"
_LONGEST = 500
_fitting = threading.local()
_options: Dict[str, Any] = {"enabled": False, "log_models": True, "silent": False}
_watching = threading.Event()


def autolog(log_models: bool = True, disable: bool = False, silent: bool = False, **_: Any) -> None:
    """Logs parameters, training metrics and models of scikit-learn estimators from here on; ``disable=True`` ends it. Other options of the real one change nothing."""
    _options.update(enabled=not disable, log_models=log_models, silent=silent)
    if disable or _watching.is_set():
        return
    _watching.set()
    if _BASE in sys.modules:
        _watch(sys.modules[_BASE])
    else:
        # The library may be imported later, or not at all; it is not imported for the sake of this.
        sys.meta_path.insert(0, _AtImport())


class _AtImport(importlib.abc.MetaPathFinder):
    """Waits for the base module of scikit-learn."""

    def find_spec(self, name: str, path: Optional[Sequence[str]], target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if name != _BASE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _watch(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _watch(base: Any) -> None:
    root = base.BaseEstimator
    inherited = root.__init_subclass__

    def __init_subclass__(cls: type, **options: Any) -> None:
        inherited.__func__(cls, **options) if hasattr(inherited, "__func__") else None
        _wrap(cls)

    root.__init_subclass__ = classmethod(__init_subclass__)
    below = [root]
    for cls in below:
        _wrap(cls)
        below.extend(one for one in cls.__subclasses__() if one not in below)


def _wrap(cls: type) -> None:
    for name in ("fit", "fit_transform", "fit_predict"):
        method = cls.__dict__.get(name)
        if callable(method) and not hasattr(method, "_zaffre_fit"):
            setattr(cls, name, _logged(method))


def _logged(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def fit(self: Any, *args: Any, **options: Any) -> Any:
        # A pipeline or a search fits its parts: only the outermost is logged.
        if not _options["enabled"] or getattr(_fitting, "now", False):
            return method(self, *args, **options)
        _fitting.now = True
        try:
            result = method(self, *args, **options)
            _log(self, args, options)
            return result
        finally:
            _fitting.now = False

    fit._zaffre_fit = True  # type: ignore[attr-defined]
    return fit


def _log(estimator: Any, args: Sequence[Any], options: Dict[str, Any]) -> None:
    """Never fails a fit: what cannot be logged is said once on the error stream."""
    import mlflow

    own = mlflow.active_run() is None and not os.environ.get("MLFLOW_RUN_ID")
    try:
        if own:
            mlflow.start_run()
        mlflow.set_tags({"estimator_name": type(estimator).__name__, "estimator_class": "{}.{}".format(type(estimator).__module__, type(estimator).__name__)})
        mlflow.log_params({name: str(value)[:_LONGEST] for name, value in estimator.get_params(deep=True).items()})
        data = args[0] if args else options.get("X")
        wanted = args[1] if len(args) > 1 else options.get("y")
        weights = args[2] if len(args) > 2 else options.get("sample_weight")
        metrics = _metrics(estimator, data, wanted, weights)
        if metrics:
            mlflow.log_metrics(metrics)
        if _options["log_models"] and hasattr(estimator, "predict"):
            mlflow.sklearn.log_model(estimator, "model")
    except Exception as error:  # noqa: BLE001  (a script's training must not end because of its log)
        if not _options["silent"]:
            print("mlflow: autologging of {} failed: {}".format(type(estimator).__name__, error), file=sys.stderr)
    finally:
        if own and mlflow.active_run() is not None:
            mlflow.end_run()


def _metrics(estimator: Any, data: Any, wanted: Any, weights: Any) -> Dict[str, float]:
    """The training metrics by the names that the real mlflow gives them."""
    import sklearn.base

    found: Dict[str, float] = {}
    if data is None or wanted is None or not hasattr(estimator, "predict"):
        return found
    guesses = estimator.predict(data)
    if sklearn.base.is_classifier(estimator):
        found.update(_classification(estimator, data, wanted, guesses, weights))
    elif sklearn.base.is_regressor(estimator):
        from sklearn import metrics

        squared = metrics.mean_squared_error(wanted, guesses, sample_weight=weights)
        found["training_mean_squared_error"] = squared
        found["training_root_mean_squared_error"] = squared**0.5
        found["training_mean_absolute_error"] = metrics.mean_absolute_error(wanted, guesses, sample_weight=weights)
        found["training_r2_score"] = metrics.r2_score(wanted, guesses, sample_weight=weights)
    if hasattr(estimator, "score"):
        found["training_score"] = estimator.score(data, wanted) if weights is None else estimator.score(data, wanted, sample_weight=weights)
    return {name: float(value) for name, value in found.items()}


def _classification(estimator: Any, data: Any, wanted: Any, guesses: Any, weights: Any) -> Dict[str, float]:
    from sklearn import metrics

    found = {
        "training_precision_score": metrics.precision_score(wanted, guesses, average="weighted", sample_weight=weights, zero_division=0),
        "training_recall_score": metrics.recall_score(wanted, guesses, average="weighted", sample_weight=weights, zero_division=0),
        "training_f1_score": metrics.f1_score(wanted, guesses, average="weighted", sample_weight=weights, zero_division=0),
        "training_accuracy_score": metrics.accuracy_score(wanted, guesses, sample_weight=weights),
    }
    if hasattr(estimator, "predict_proba"):
        chances = estimator.predict_proba(data)
        found["training_log_loss"] = metrics.log_loss(wanted, chances, sample_weight=weights)
        found["training_roc_auc"] = metrics.roc_auc_score(
            wanted, chances[:, 1] if chances.shape[1] == 2 else chances, average="weighted", multi_class="ovo" if chances.shape[1] > 2 else "raise", sample_weight=None if chances.shape[1] > 2 else weights)
    return found
