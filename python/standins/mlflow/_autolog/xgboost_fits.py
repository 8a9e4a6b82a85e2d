"""Autologging of XGBoost: ``train``, and the estimators that call it."""

from typing import Any, Callable, Dict, List

from . import guarded, options_of, training, wrap
from .common import keep, log_dataset, log_importance, log_kept, log_model, log_params

_FLAVOR = "xgboost"
_NOT_PARAMS = ("params", "dtrain", "evals", "obj", "feval", "custom_metric", "evals_result", "xgb_model", "callbacks")


def patch() -> None:
    """Patches training, the matrices that it reads, and the estimators."""
    import xgboost
    import xgboost.sklearn

    wrap(xgboost.DMatrix, "__init__", _keep_rows)
    wrap(xgboost, "train", lambda original, *a, **k: _train(original, True, *a, **k))
    wrap(xgboost.sklearn, "train", lambda original, *a, **k: _train(original, False, *a, **k))
    for name in ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"):
        if hasattr(xgboost.sklearn, name):
            wrap(getattr(xgboost.sklearn, name), "fit", _fit)


def _keep_rows(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> None:
    # A matrix does not give its rows back; the first ones are kept for the signature.
    original(self, *args, **kwargs)
    if options_of(_FLAVOR) is not None:
        keep(_FLAVOR, options_of(_FLAVOR) or {}, self, args[0] if args else kwargs.get("data"), args[1] if len(args) > 1 else kwargs.get("label"))


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    import mlflow.xgboost

    from .sklearn_fits import arguments, tags_of

    with training(_FLAVOR, type(self), allows_parts=True) as options:
        if options is None:
            return original(self, *args, **kwargs)
        from .._fluent import set_tags

        data, wanted, _ = arguments(original, args, kwargs)
        guarded(_FLAVOR, "what is fitted", lambda: set_tags(tags_of(self)))
        log_dataset(_FLAVOR, options, data, wanted, "train")
        result = original(self, *args, **kwargs)
        log_model(_FLAVOR, options, mlflow.xgboost.log_model, self, data, self.predict, model_format=options.get("model_format", "xgb"))
        return result


def _train(original: Callable[..., Any], whole: bool, *args: Any, **kwargs: Any) -> Any:
    import xgboost

    with training(_FLAVOR, xgboost.train) as options:
        if options is None:
            return original(*args, **kwargs)
        return _logged(original, options, whole, args, kwargs)


def _logged(original: Callable[..., Any], options: Dict[str, Any], whole: bool, args: Any, kwargs: Dict[str, Any]) -> Any:
    import inspect

    import mlflow.xgboost
    import xgboost

    given = inspect.signature(original).bind(*args, **kwargs)
    given.apply_defaults()
    log_params(_FLAVOR, dict(given.arguments["params"]))
    log_params(_FLAVOR, {k: v for k, v in given.arguments.items() if k not in _NOT_PARAMS and k not in given.arguments["params"]})
    matrix, evals = given.arguments["dtrain"], list(given.arguments.get("evals") or ())
    if whole:
        _note_data(matrix, evals)
    rounds: List[Dict[str, float]] = []
    logs = _callback(rounds)
    given.arguments["callbacks"] = list(given.arguments.get("callbacks") or []) + [logs]
    model = original(*given.args, **given.kwargs)
    # XGBoost asks its callbacks in any order and stops asking when one ends the training: the last iteration may be missing.
    guarded(_FLAVOR, "the metrics of an iteration", logs.send)
    guarded(_FLAVOR, "the metrics", lambda: _after_rounds(model, rounds, bool(given.arguments.get("early_stopping_rounds"))))
    for kind in options.get("importance_types") or ["weight"]:
        found = guarded(_FLAVOR, "feature importance", lambda kind=kind: model.get_score(importance_type=kind))
        if found is not None:
            log_importance(_FLAVOR, kind, found)
    if whole:
        data = getattr(matrix, "_zaffre_example", None)
        log_model(
            _FLAVOR, options, mlflow.xgboost.log_model, model, data, lambda rows: model.predict(xgboost.DMatrix(rows)), model_format=options.get("model_format", "xgb"))
    return model


def _note_data(matrix: Any, evals: List[Any]) -> None:
    known = [(matrix, "train", None)] + [(one, "eval", name) for one, name in evals if one is not matrix]
    for one, context, name in known:
        log_kept(_FLAVOR, one, context, name)


def _callback(rounds: List[Dict[str, float]]) -> Any:
    """Sends the metrics of every iteration, by a thread so that the training does not wait."""
    import xgboost

    class Logs(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        held: Dict[str, Any] = {}

        def after_iteration(self, model: Any, epoch: int, evals_log: Dict[str, Any]) -> bool:
            self.held = evals_log
            guarded(_FLAVOR, "the metrics of an iteration", self.send)
            return False

        def send(self) -> None:
            known = {"{}-{}".format(data, name).replace("@", "_at_"): values for data, metrics in self.held.items() for name, values in metrics.items()}
            for step in range(len(rounds), max(map(len, known.values()), default=0)):
                rounds.append({name: values[step][0] if isinstance(values[step], tuple) else values[step] for name, values in known.items() if step < len(values)})
                _send(rounds[-1], step)

    return Logs()


def _send(found: Dict[str, float], step: int) -> None:
    from .._logging import log_metrics

    log_metrics(found, step=step, synchronous=False)


def _after_rounds(model: Any, rounds: List[Dict[str, float]], stops_early: bool) -> None:
    from .._fluent import flush
    from .._logging import log_metrics

    if stops_early and rounds:
        log_metrics({"stopped_iteration": len(rounds) - 1, "best_iteration": model.best_iteration})
        log_metrics(rounds[model.best_iteration], step=len(rounds))
    flush()
