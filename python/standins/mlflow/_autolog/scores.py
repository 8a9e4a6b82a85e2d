"""How well an estimator fits data, by the names of metrics that the real mlflow gives."""

import warnings
from typing import Any, Callable, Dict, Optional


def of_estimator(estimator: Any, data: Any, wanted: Any, weights: Any, prefix: str, pos_label: Any = None) -> Dict[str, float]:
    """The metrics of a classifier or regressor, and its own score. What cannot be computed is left out."""
    import sklearn.base

    found: Dict[str, Callable[[], float]] = {}
    if data is None or not hasattr(estimator, "predict"):
        return {}
    if wanted is not None:
        guesses = _quietly(lambda: estimator.predict(data))
        if guesses is not None and sklearn.base.is_classifier(estimator):
            found.update(_classification(estimator, data, wanted, guesses, weights, pos_label))
        elif guesses is not None and sklearn.base.is_regressor(estimator):
            found.update(_regression(wanted, guesses, weights))
    if wanted is not None and hasattr(estimator, "score"):
        found["score"] = lambda: estimator.score(data, wanted) if weights is None else estimator.score(data, wanted, sample_weight=weights)
    values = {prefix + name: _quietly(compute) for name, compute in found.items()}
    return {name: float(value) for name, value in values.items() if value is not None}


def _regression(wanted: Any, guesses: Any, weights: Any) -> Dict[str, Callable[[], float]]:
    from sklearn import metrics

    def squared() -> float:
        return float(metrics.mean_squared_error(wanted, guesses, sample_weight=weights))

    return {
        "mean_squared_error": squared,
        "root_mean_squared_error": lambda: squared() ** 0.5,
        "mean_absolute_error": lambda: metrics.mean_absolute_error(wanted, guesses, sample_weight=weights),
        "r2_score": lambda: metrics.r2_score(wanted, guesses, sample_weight=weights),
    }


def _classification(estimator: Any, data: Any, wanted: Any, guesses: Any, weights: Any, pos_label: Any) -> Dict[str, Callable[[], float]]:
    from sklearn import metrics

    how: Dict[str, Any] = dict(sample_weight=weights, **({"average": "binary", "pos_label": pos_label} if pos_label is not None else {"average": "weighted"}), zero_division=0)
    found: Dict[str, Callable[[], float]] = {
        "precision_score": lambda: metrics.precision_score(wanted, guesses, **how),
        "recall_score": lambda: metrics.recall_score(wanted, guesses, **how),
        "f1_score": lambda: metrics.f1_score(wanted, guesses, **how),
        "accuracy_score": lambda: metrics.accuracy_score(wanted, guesses, sample_weight=weights),
    }
    chances = _quietly(lambda: estimator.predict_proba(data)) if hasattr(estimator, "predict_proba") else None
    if chances is not None:
        several = chances.shape[1] > 2
        found["log_loss"] = lambda: metrics.log_loss(wanted, chances, sample_weight=weights)
        found["roc_auc"] = lambda: metrics.roc_auc_score(
            wanted, chances if several else chances[:, 1], average="weighted", multi_class="ovo" if several else "raise", sample_weight=None if several else weights)
    return found


def draw(estimator: Any, data: Any, wanted: Any, weights: Any, prefix: str) -> Dict[str, Any]:
    """Pictures of a classifier: confusion matrix, and for two classes the ROC and precision-recall curves, by file name."""
    import sklearn.base
    from sklearn import metrics

    from .common import new_figure

    if wanted is None or not sklearn.base.is_classifier(estimator) or not hasattr(metrics, "ConfusionMatrixDisplay"):
        return {}
    found: Dict[str, Any] = {}

    def add(name: str, title: str, plot: Callable[[Any], Any]) -> None:
        figure = new_figure()
        axes = figure.add_subplot()
        if _quietly(lambda: plot(axes) or True) is not None:
            axes.set_title(title)
            found[prefix + name + ".png"] = figure

    add("confusion_matrix", "Normalized confusion matrix", lambda axes: metrics.ConfusionMatrixDisplay.from_estimator(
        estimator, data, wanted, sample_weight=weights, normalize="true", cmap="Blues", ax=axes))
    if len(set(wanted.tolist() if hasattr(wanted, "tolist") else wanted)) == 2:
        add("roc_curve", "ROC curve", lambda axes: metrics.RocCurveDisplay.from_estimator(estimator, data, wanted, sample_weight=weights, ax=axes))
        add("precision_recall_curve", "Precision recall curve", lambda axes: metrics.PrecisionRecallDisplay.from_estimator(estimator, data, wanted, sample_weight=weights, ax=axes))
    return found


def _quietly(compute: Callable[[], Any]) -> Optional[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compute()
        except Exception:  # noqa: BLE001  (a metric that does not apply to this estimator)
            return None
