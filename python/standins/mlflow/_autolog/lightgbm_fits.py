"""Autologging of LightGBM: ``train``, and the estimators that call it."""

from typing import Any, Callable, Dict, List

from . import guarded, options_of, training, wrap
from .common import keep, log_dataset, log_importance, log_kept, log_model, log_params

_FLAVOR = "lightgbm"
_NOT_PARAMS = ("params", "train_set", "valid_sets", "valid_names", "fobj", "feval", "init_model", "evals_result", "learning_rates", "callbacks")


def patch() -> None:
    """Patches training, the data sets that it reads, and the estimators."""
    import lightgbm
    import lightgbm.sklearn

    wrap(lightgbm.Dataset, "__init__", _keep_rows)
    wrap(lightgbm, "train", lambda original, *a, **k: _train(original, True, *a, **k))
    wrap(lightgbm.sklearn, "train", lambda original, *a, **k: _train(original, False, *a, **k))
    for name in ("LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker"):
        if hasattr(lightgbm.sklearn, name):
            wrap(getattr(lightgbm.sklearn, name), "fit", _fit)


def _keep_rows(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> None:
    # A data set may not give its rows back; the first ones are kept for the signature.
    original(self, *args, **kwargs)
    if options_of(_FLAVOR) is not None:
        keep(_FLAVOR, options_of(_FLAVOR) or {}, self, args[0] if args else kwargs.get("data"), args[1] if len(args) > 1 else kwargs.get("label"))


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    import mlflow.lightgbm

    from .sklearn_fits import arguments, tags_of

    # A classifier's fit calls its parent's: the outer one logs, and leaves the details to train.
    with training(_FLAVOR, "fit", allows_parts=True) as options:
        if options is None:
            return original(self, *args, **kwargs)
        from .._fluent import set_tags

        data, wanted, _ = arguments(original, args, kwargs)
        guarded(_FLAVOR, "what is fitted", lambda: set_tags(tags_of(self)))
        log_dataset(_FLAVOR, options, data, wanted, "train")
        result = original(self, *args, **kwargs)
        log_model(_FLAVOR, options, mlflow.lightgbm.log_model, self, data, self.predict)
        return result


def _train(original: Callable[..., Any], whole: bool, *args: Any, **kwargs: Any) -> Any:
    with training(_FLAVOR, "train") as options:
        if options is None:
            return original(*args, **kwargs)
        return _logged(original, options, whole, args, kwargs)


def _logged(original: Callable[..., Any], options: Dict[str, Any], whole: bool, args: Any, kwargs: Dict[str, Any]) -> Any:
    import inspect

    import mlflow.lightgbm

    given = inspect.signature(original).bind(*args, **kwargs)
    given.apply_defaults()
    params = dict(given.arguments["params"])
    log_params(_FLAVOR, params)
    log_params(_FLAVOR, {k: v for k, v in given.arguments.items() if k not in _NOT_PARAMS and k not in params})
    data_set = given.arguments["train_set"]
    if whole:
        _note_data(data_set, given.arguments.get("valid_sets"), given.arguments.get("valid_names"))
    rounds: List[Dict[str, float]] = []
    given.arguments["callbacks"] = list(given.arguments.get("callbacks") or []) + [_callback(rounds)]
    model = original(*given.args, **given.kwargs)
    guarded(_FLAVOR, "the metrics", lambda: _after_rounds(model, rounds))
    for kind in ("split", "gain"):
        found = guarded(_FLAVOR, "feature importance", lambda kind=kind: dict(zip(model.feature_name(), model.feature_importance(importance_type=kind))))
        if found is not None:
            log_importance(_FLAVOR, kind, found)
    if whole:
        log_model(_FLAVOR, options, mlflow.lightgbm.log_model, model, getattr(data_set, "_zaffre_example", None), model.predict)
    return model


def _note_data(data_set: Any, valid_sets: Any, valid_names: Any) -> None:
    several = list(valid_sets) if isinstance(valid_sets, (list, tuple)) else [valid_sets] if valid_sets is not None else []
    names = list(valid_names) if isinstance(valid_names, (list, tuple)) else [valid_names] * len(several)
    for one, context, name in [(data_set, "train", None)] + [(v, "eval", n) for v, n in zip(several, names) if v is not data_set]:
        log_kept(_FLAVOR, one, context, name)


def _callback(rounds: List[Dict[str, float]]) -> Callable[[Any], None]:
    """Sends the metrics of every iteration, by a thread so that the training does not wait."""

    def log(env: Any) -> None:
        found = {"{}-{}".format(one[0], one[1]).replace("@", "_at_"): one[2] for one in env.evaluation_result_list or []}
        rounds.append(found)
        if found:
            guarded(_FLAVOR, "the metrics of an iteration", lambda: _send(found, env.iteration))

    return log


def _send(found: Dict[str, float], step: int) -> None:
    from .._logging import log_metrics

    log_metrics(found, step=step, synchronous=False)


def _after_rounds(model: Any, rounds: List[Dict[str, float]]) -> None:
    from .._fluent import flush
    from .._logging import log_metrics

    # LightGBM counts its best iteration from one, and has none where nothing looks for it.
    if rounds and 0 < model.best_iteration <= len(rounds):
        log_metrics({"stopped_iteration": len(rounds), "best_iteration": model.best_iteration})
        log_metrics(rounds[model.best_iteration - 1], step=len(rounds))
    flush()
