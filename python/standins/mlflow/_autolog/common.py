"""What the flavors log alike: parameters, models with signatures and examples, data sets, importance of features."""

import importlib
import json
from typing import Any, Callable, Dict, List, Optional

from . import guarded

_LONGEST = 6000
EXAMPLE_ROWS = 5


def log_params(flavor: str, params: Dict[str, Any]) -> None:
    """Logs parameters. Where a run has another value of one already, the others are logged all the same."""
    from .._fluent import current
    from ..client import MlflowClient

    client, run_id = MlflowClient(), current()
    texts = {str(k): str(v)[:_LONGEST] for k, v in params.items()}

    def send() -> None:
        known = client.get_run(run_id).data.params
        changed = sorted(k for k, v in texts.items() if k in known and known[k] != v)
        client.send_batch(run_id, [], [{"key": k, "value": v} for k, v in texts.items() if k not in known], [])
        if changed:
            raise ValueError("the run has other values already of {}".format(", ".join(changed[:10])))

    guarded(flavor, "parameters", send)


def example_of(data: Any) -> Any:
    """The first rows, in the form that the data has; None when it has no rows."""
    if data is None or isinstance(data, str):
        return None
    head = data.iloc[:EXAMPLE_ROWS] if hasattr(data, "iloc") else data[:EXAMPLE_ROWS]
    if hasattr(head, "toarray"):
        return head.toarray()
    if isinstance(head, list):
        numpy = importlib.import_module("numpy")

        return numpy.array(head)
    return head.copy() if hasattr(head, "copy") else head


def keep(flavor: str, options: Dict[str, Any], owner: Any, data: Any, label: Any) -> None:
    """Remembers what a library's own container was made of: the first rows, and what the server is told of training data. Not the data, which may be large."""
    owner._zaffre_example, owner._zaffre_dataset = None, None
    try:
        owner._zaffre_example = example_of(data)
    except Exception:  # noqa: BLE001  (files and iterators have no rows to keep)
        return
    if label is not None and owner._zaffre_example is not None and options.get("log_datasets", True):
        owner._zaffre_dataset = guarded(flavor, "the data set", lambda: _dataset(data, label, None))


def log_kept(flavor: str, owner: Any, context: str, name: Optional[str] = None) -> None:
    """Notes the data of a container that a training reads."""
    known = getattr(owner, "_zaffre_dataset", None)
    if known is None:
        return
    from ..client import MlflowClient
    from ..entities import Dataset, DatasetInput, InputTag
    from .._fluent import current

    entity = Dataset(**dict(dict(known), name=name or known.name))
    guarded(flavor, "the data set", lambda: MlflowClient().log_inputs(current(), [DatasetInput(entity, [InputTag("mlflow.data.context", context)])]))


def log_model(flavor: str, options: Dict[str, Any], log: Callable[..., Any], model: Any, data: Any, predict: Callable[[Any], Any], name: str = "model", **more: Any) -> None:
    """Logs a model, with a signature and an example from the first rows of its training data as the options say."""
    if not options.get("log_models", True):
        return

    def send() -> None:
        example, signature = None, None
        if options.get("log_model_signatures", True) or options.get("log_input_examples"):
            example = guarded(flavor, "an example of the input", lambda: example_of(data))
        if example is not None and options.get("log_model_signatures", True):
            from ..models.signature import infer_signature

            signature = guarded(flavor, "the model's signature", lambda: infer_signature(example, predict(example)))
        log(
            model, artifact_path=name, signature=signature if signature is not None else False, input_example=example if options.get("log_input_examples") else None,
            registered_model_name=options.get("registered_model_name"), **more)

    guarded(flavor, "the model", send)


def log_dataset(flavor: str, options: Dict[str, Any], data: Any, targets: Any, context: str, name: Optional[str] = None) -> None:
    """Notes the data that a training reads."""
    if not options.get("log_datasets", True) or data is None:
        return

    def send() -> None:
        from ..client import MlflowClient
        from ..entities import DatasetInput, InputTag
        from .._fluent import current

        MlflowClient().log_inputs(current(), [DatasetInput(_dataset(data, targets, name), [InputTag("mlflow.data.context", context)])])

    guarded(flavor, "the data set", send)


def _dataset(data: Any, targets: Any, name: Optional[str]) -> Any:
    """What the server is told of data."""
    from .. import data as datasets

    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return datasets.from_pandas(data, name=name)._to_mlflow_entity()
    numpy = importlib.import_module("numpy")

    features = numpy.asarray(data.toarray() if hasattr(data, "toarray") else data)
    return datasets.from_numpy(features, targets=numpy.asarray(targets) if targets is not None else None, name=name)._to_mlflow_entity()


def log_importance(flavor: str, kind: str, importance: Dict[str, Any]) -> None:
    """``feature_importance_KIND.json``, and a picture of it where matplotlib is there."""
    from .._logging import log_text

    plain = {str(k): v.tolist() if hasattr(v, "tolist") else v for k, v in importance.items()}
    guarded(flavor, "feature importance", lambda: log_text(json.dumps(plain), "feature_importance_{}.json".format(kind)))
    if plain and has_matplotlib():
        guarded(flavor, "a picture of feature importance", lambda: _draw(kind, plain))


def has_matplotlib() -> bool:
    """Whether pictures can be drawn."""
    import importlib.util

    return importlib.util.find_spec("matplotlib") is not None


def log_figure(figure: Any, name: str) -> None:
    """Logs a picture."""
    from .._logging import log_figure as log

    log(figure, name)


def new_figure(width: float = 6.4, height: float = 4.8) -> Any:
    """A figure that needs no screen and leaves the script's own alone."""
    FigureCanvasAgg = importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
    Figure = importlib.import_module("matplotlib.figure").Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def _draw(kind: str, importance: Dict[str, Any]) -> None:
    total: Callable[[Any], float] = lambda value: sum(abs(v) for v in value) if isinstance(value, list) else float(value)
    names = sorted(importance, key=lambda name: total(importance[name]))
    classes: List[Any] = list(zip(*(importance[n] for n in names))) if isinstance(importance[names[0]], list) else [[importance[n] for n in names]]
    figure = new_figure(height=4.8 + (0.1 * len(names) if len(names) > 10 else 0))
    axes = figure.add_subplot()
    height = 0.5 / len(classes)
    for index, values in enumerate(classes):
        axes.barh([i + (index - (len(classes) - 1) / 2) * height for i in range(len(names))], values, height=height, label="Class {}".format(index) if len(classes) > 1 else None)
    axes.set_yticks(range(len(names)))
    axes.set_yticklabels(names)
    axes.set_xlabel("Importance")
    axes.set_title("Feature Importance ({})".format(kind))
    if len(classes) > 1:
        axes.legend()
    figure.tight_layout()
    log_figure(figure, "feature_importance_{}.png".format(kind))
