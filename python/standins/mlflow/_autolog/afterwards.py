"""Metrics that a script computes after a training: ``model.score(...)`` and the functions of ``sklearn.metrics``.

They are logged on the run of the training, as ``NAME_DATASET`` (``NAME-2_DATASET`` the second time), where DATASET is the
name that the caller's variable has. A function of metrics counts when one of its arguments is what the model predicted.
"""

import inspect
import sys
import threading
import weakref
from typing import Any, Callable, Dict, Optional, Tuple

from . import guarded, options_of, wrap, wrapped
from . import _stack as _trainings

_FLAVOR = "sklearn"
_runs: "weakref.WeakKeyDictionary[Any, str]" = weakref.WeakKeyDictionary()
# Of each prediction that is still held by somebody: itself, the run, and the name of the data.
_predicted: Dict[int, Tuple[Any, str, str]] = {}
_calls: Dict[Tuple[str, str], int] = {}
_inside = threading.local()


def watch(cls: type) -> None:
    """Patches what predicts and scores of a class."""
    for name, wrapper in _METHODS.items():
        method = cls.__dict__.get(name)
        if inspect.isfunction(method):
            wrap(cls, name, wrapper)
        elif inspect.isfunction(getattr(method, "fn", None)) and not hasattr(method.fn, "_zaffre_patched"):
            # Pipelines and searches have these methods when what they hold has them.
            method.fn = wrapped(method.fn, wrapper)


def trained(estimator: Any) -> None:
    """A training was logged: what is computed with the estimator later belongs to the current run."""
    from .._fluent import current

    try:
        _runs[estimator] = current()
    except TypeError:
        return


def patch() -> None:
    """Patches the functions of ``sklearn.metrics``."""
    metrics = sys.modules["sklearn.metrics"]
    for name in getattr(metrics, "__all__", ()):
        original = getattr(metrics, name, None)
        if inspect.isfunction(original) and (name.endswith(("_score", "_error", "_loss", "_deviance")) or name == "auc"):
            wrap(metrics, name, lambda original, *a, _name=name, **k: _metric(_name, original, *a, **k))
            # A function is pickled by the name under which it is found: this one only here, the original still where it is defined.
            getattr(metrics, name).__module__ = "sklearn.metrics"


def _run_of(estimator: Any) -> Optional[str]:
    options = options_of(_FLAVOR)
    if options is None or not options.get("log_post_training_metrics", True) or _trainings or getattr(_inside, "now", False):
        return None
    try:
        return _runs.get(estimator)
    except TypeError:
        return None


def _quietly(action: Callable[[], Any]) -> Any:
    """A call of the library whose own calls are not to be logged."""
    _inside.now = True
    try:
        return action()
    finally:
        _inside.now = False


def _predict(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    run_id = _run_of(self)
    if run_id is None:
        return original(self, *args, **kwargs)
    result = _quietly(lambda: original(self, *args, **kwargs))
    data = args[0] if args else kwargs.get("X")
    key = id(result)
    try:
        held = weakref.ref(result, lambda _: _predicted.pop(key, None))
    except TypeError:
        # A plain list cannot be recognized again.
        return result
    _predicted[key] = (held, run_id, _name_of(data))
    return result


def _score(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    run_id = _run_of(self)
    if run_id is None:
        return original(self, *args, **kwargs)
    value = _quietly(lambda: original(self, *args, **kwargs))
    data = args[0] if args else kwargs.get("X")
    guarded(_FLAVOR, "a score", lambda: _log(run_id, type(self).__name__ + "_score", _name_of(data), value))
    return value


def _metric(name: str, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if getattr(_inside, "now", False) or _trainings or options_of(_FLAVOR) is None:
        return original(*args, **kwargs)
    value = _quietly(lambda: original(*args, **kwargs))
    for given in list(args) + list(kwargs.values()):
        known = _predicted.get(id(given))
        if known is not None and known[0]() is given:
            guarded(_FLAVOR, "a metric", lambda: _log(known[1], name, known[2], value))
            break
    return value


_METHODS = {"predict": _predict, "predict_proba": _predict, "predict_log_proba": _predict, "transform": _predict, "score": _score}


def _log(run_id: str, name: str, data: str, value: Any) -> None:
    from ..client import MlflowClient

    if getattr(value, "ndim", 0) or not isinstance(value, (int, float)) and not hasattr(value, "item"):
        return
    _calls[run_id, name] = index = _calls.get((run_id, name), 0) + 1
    MlflowClient().log_metric(run_id, "{}{}_{}".format(name, "-{}".format(index) if index > 1 else "", data), value)


def _name_of(data: Any) -> str:
    """The name of the variable of the script that holds the data."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(("mlflow.", "sklearn.")):
        frame = frame.f_back
    if frame is not None:
        for names in (frame.f_locals, frame.f_globals):
            for name, value in list(names.items()):
                if value is data and not name.startswith("__"):
                    return name
    return "unknown_dataset"
