"""Autologging of scikit-learn: estimators, pipelines and searches, whenever they are fitted."""

import inspect
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import guarded, training, wrap
from .common import has_matplotlib, log_dataset, log_figure, log_model, log_params
from .scores import draw, of_estimator

_FLAVOR = "sklearn"
# What prepares data is logged as a step of a pipeline only.
_NOT_ALONE = ("sklearn.preprocessing", "sklearn.impute", "sklearn.feature_extraction", "sklearn.feature_selection", "sklearn.compose._column_transformer")
_OTHERS = ("xgboost.", "lightgbm.", "catboost.")


def patch() -> None:
    """Patches every estimator that there is and every one that will be defined."""
    import sys

    from . import afterwards

    base: Any = sys.modules["sklearn.base"]
    root = base.BaseEstimator
    for mixin in (base.ClassifierMixin, base.RegressorMixin):
        # Where most estimators have their score from.
        afterwards.watch(mixin)
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
    if cls.__module__.startswith(_NOT_ALONE + _OTHERS):
        return
    for name in ("fit", "fit_transform", "fit_predict"):
        if not isinstance(cls.__dict__.get(name), (property, staticmethod, classmethod)) and inspect.isfunction(cls.__dict__.get(name)):
            wrap(cls, name, _fit)
    from . import afterwards

    afterwards.watch(cls)


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    if type(self).__module__.startswith(_NOT_ALONE):
        return original(self, *args, **kwargs)
    with training(_FLAVOR, type(self)) as options:
        if options is None:
            return original(self, *args, **kwargs)
        data, wanted, weights = arguments(original, args, kwargs)
        guarded(_FLAVOR, "what is fitted", lambda: _before(self, options, data, wanted))
        result = original(self, *args, **kwargs)
        guarded(_FLAVOR, "what was fitted", lambda: _after(self, options, data, wanted, weights))
        return result


def arguments(method: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Tuple[Any, Any, Any]:
    """Data, targets and weights of a call of ``fit``, whatever the method calls them."""
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    given = dict(zip(names, args), **kwargs)
    first, second = (names + ["X", "y"])[:2]
    return given.get(first, given.get("X")), given.get(second, given.get("y")) if second != "sample_weight" else given.get("y"), given.get("sample_weight")


def tags_of(estimator: Any) -> Dict[str, str]:
    """The tags that say what an estimator is."""
    return {"estimator_name": type(estimator).__name__, "estimator_class": "{}.{}".format(type(estimator).__module__, type(estimator).__name__)}


def _before(estimator: Any, options: Dict[str, Any], data: Any, wanted: Any) -> None:
    from .._fluent import set_tags

    set_tags(tags_of(estimator))
    log_params(_FLAVOR, estimator.get_params(deep=not _searches(estimator)))
    log_dataset(_FLAVOR, options, data, wanted, "train")


def _after(estimator: Any, options: Dict[str, Any], data: Any, wanted: Any, weights: Any) -> None:
    import mlflow.sklearn

    from . import afterwards
    from .._logging import log_metrics

    metrics = of_estimator(estimator, data, wanted, weights, "training_", options.get("pos_label"))
    if metrics:
        log_metrics(metrics)
    guarded(_FLAVOR, "estimator.html", lambda: _log_drawing(estimator))
    if has_matplotlib():
        for name, figure in draw(estimator, data, wanted, weights, "training_").items():
            guarded(_FLAVOR, name, lambda figure=figure, name=name: log_figure(figure, name))
    form = options.get("serialization_format")
    if hasattr(estimator, "predict") or hasattr(estimator, "transform"):
        predict = getattr(estimator, "predict", None) or getattr(estimator, "transform")
        log_model(_FLAVOR, options, mlflow.sklearn.log_model, estimator, data, predict, serialization_format=form)
    if _searches(estimator):
        guarded(_FLAVOR, "the search", lambda: _log_search(estimator, options, data, form))
    if options.get("log_post_training_metrics", True):
        afterwards.trained(estimator)


def _log_drawing(estimator: Any) -> None:
    """What scikit-learn draws of an estimator and its parts."""
    import sklearn.utils

    from .._logging import log_text

    if hasattr(sklearn.utils, "estimator_html_repr"):
        log_text(sklearn.utils.estimator_html_repr(estimator), "estimator.html")


def _searches(estimator: Any) -> bool:
    return hasattr(estimator, "cv") and hasattr(estimator, "scoring") and type(estimator).__module__.startswith("sklearn.model_selection._search")


def _log_search(search: Any, options: Dict[str, Any], data: Any, form: Optional[str]) -> None:
    """The best candidate as parameters and model, all of them as a table, and some as child runs."""
    import mlflow.sklearn

    from .._logging import log_metrics, log_text

    if hasattr(search, "best_params_"):
        log_params(_FLAVOR, {"best_" + k: v for k, v in search.best_params_.items()})
    if hasattr(search, "best_score_"):
        log_metrics({"best_cv_score": search.best_score_})
    if hasattr(search, "best_estimator_"):
        without = dict(options, registered_model_name=None)
        log_model(_FLAVOR, without, mlflow.sklearn.log_model, search.best_estimator_, data, search.best_estimator_.predict, "best_estimator", serialization_format=form)
    log_text(_as_csv(search.cv_results_), "cv_results.csv")
    _log_candidates(search, options.get("max_tuning_runs", 5))


def _log_candidates(search: Any, most: Optional[int]) -> None:
    from .._api import now
    from .._fluent import current
    from ..client import MlflowClient

    client, parent, results = MlflowClient(), current(), search.cv_results_
    experiment = client.get_run(parent).info.experiment_id
    rank = next((results[name] for name in results if name.startswith("rank_test_")), None)
    order = sorted(range(len(results["params"])), key=lambda i: (rank[i] if rank is not None else 0, i))
    base = search.estimator.get_params(deep=True)
    started = now()
    for at in order if most is None else order[:most]:
        run_id = client.create_run(experiment, started, dict(tags_of(search.estimator), **{"mlflow.parentRunId": parent, "mlflow.autologging": _FLAVOR})).info.run_id
        params = {str(k): str(v)[:6000] for k, v in dict(base, **results["params"][at]).items()}
        metrics = {k: float(v[at]) for k, v in results.items() if not k.startswith(("param", "split")) and _is_number(v[at])}
        client.send_batch(
            run_id, [{"key": k, "value": _spelled(v), "timestamp": started, "step": 0} for k, v in metrics.items()], [{"key": k, "value": v} for k, v in params.items()], [])
        client.set_terminated(run_id)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, (bool, str))


def _spelled(value: float) -> Any:
    from .._rest import number

    return number(value)


def _as_csv(results: Dict[str, Any]) -> str:
    import csv
    import io

    held = io.StringIO()
    rows: List[List[Any]] = [[column[i] for column in results.values()] for i in range(len(results["params"]))]
    csv.writer(held, lineterminator="\n").writerows([list(results)] + rows)
    return held.getvalue()
