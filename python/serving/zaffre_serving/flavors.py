"""Loading MLflow models: through the real mlflow when the environment has it, else by a plain loader of each flavor."""

import importlib
import importlib.util
import inspect
import os
import platform
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .answers import InputError, StartError
from .signature import Frame, Tensors, dtype

_STAND_INS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "standins")


class Loaded(NamedTuple):
    """A model in memory: ``predict(fitted input, params)``, and how it was loaded, for the log."""

    predict: Callable[[Any, Dict[str, Any]], Any]
    how: str


def load(folder: str, model: Dict[str, Any], flavor: str) -> Loaded:
    """Loads the model of a folder by its chosen flavor. Raises StartError that says what wrote the model when it does not load."""
    flavors = model.get("flavors") or {}
    _add_code(folder, flavors)
    try:
        if _has_mlflow() and "python_function" in flavors:
            return _by_mlflow(folder)
        return _LOADERS[flavor](folder, flavors.get(flavor) or {}, flavors.get("python_function") or {})
    except StartError:
        raise
    except Exception as error:  # loading runs whatever the pickle holds
        raise StartError(_blame(error, folder, model, flavor), "ModelLoadFailed") from error


def packages(flavors: Dict[str, Any]) -> List[Tuple[str, str, str]]:
    """For each package that the flavors name a version of: its name, that version, and the version that is here (or empty)."""
    found = []
    for flavor, settings in flavors.items():
        for key, package in _VERSIONS.get(flavor, ()):
            if isinstance(settings, dict) and settings.get(key) is not None:
                found.append((package, str(settings[key]), platform.python_version() if package == "Python" else _version(package)))
    return found


def _add_code(folder: str, flavors: Dict[str, Any]) -> None:
    for settings in flavors.values():
        code = settings.get("code") if isinstance(settings, dict) else None
        if isinstance(code, str) and code:
            path = _inside(folder, code)
            if path not in sys.path:
                sys.path.insert(0, path)


def _has_mlflow() -> bool:
    spec = importlib.util.find_spec("mlflow")
    return spec is not None and spec.origin is not None and not os.path.abspath(spec.origin).startswith(_STAND_INS + os.sep)


def _by_mlflow(folder: str) -> Loaded:
    import mlflow
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(folder)
    takes = _takes_params(model.predict)

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        return model.predict(to_frame(data), params=params) if takes and params else model.predict(to_frame(data))

    return Loaded(predict, f"mlflow {getattr(mlflow, '__version__', '')} (python_function)")


def _sklearn(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    model = _unpickle(_inside(folder, str(flavor.get("pickled_model") or "model.pkl")), str(flavor.get("serialization_format") or "pickle"))
    method = getattr(model, str(pyfunc.get("predict_fn") or "predict"))
    names, count = getattr(model, "feature_names_in_", None), getattr(model, "n_features_in_", None)

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        # A class of one's own that keeps neither names nor their number may ask for columns by name.
        by_name = names is not None or (count is None and isinstance(data, Frame) and data.names is not None)
        features = to_frame(data, list(names) if names is not None else None) if by_name else to_array(data)
        shape = getattr(features, "shape", ())
        if count is not None and (len(shape) != 2 or shape[1] != count):
            raise InputError(f"The model takes rows of {count} features; the input has the shape {tuple(shape)}.")
        return method(features)

    return Loaded(predict, f"scikit-learn {_version('scikit-learn')}, {type(model).__name__}.{method.__name__}")


def _xgboost(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    xgboost = _library("xgboost")

    path = _inside(folder, str(flavor.get("data") or "model.xgb"))
    name = str(flavor.get("model_class") or "xgboost.core.Booster").rpartition(".")[2]
    model = getattr(xgboost, name)()
    model.load_model(path)
    if name == "Booster":
        return Loaded(lambda data, params: model.predict(xgboost.DMatrix(to_frame(data))), f"xgboost {xgboost.__version__}, Booster")
    return Loaded(lambda data, params: model.predict(to_frame(data)), f"xgboost {xgboost.__version__}, {name}")


def _lightgbm(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    lightgbm = _library("lightgbm")

    path = _inside(folder, str(flavor.get("data") or "model.lgb"))
    model = _unpickle(path, "pickle") if path.endswith(".pkl") else lightgbm.Booster(model_file=path)
    return Loaded(lambda data, params: model.predict(to_frame(data)), f"lightgbm {lightgbm.__version__}, {type(model).__name__}")


def _pytorch(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    torch = _library("torch")

    path = _inside(folder, str(flavor.get("model_data") or "data"))
    path = os.path.join(path, "model.pth") if os.path.isdir(path) else path
    options = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
    model = torch.load(path, map_location="cpu", **options)
    model.eval()

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        numpy = _library("numpy")

        array = to_array(data)
        with torch.no_grad():
            result = model(torch.from_numpy(numpy.ascontiguousarray(array, dtype=array.dtype if array.dtype.kind == "i" and isinstance(data, Tensors) else "float32")))
        return {k: v.numpy() for k, v in result.items()} if isinstance(result, dict) else result.numpy()

    return Loaded(predict, f"torch {torch.__version__}, {type(model).__name__}")


def _onnx(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    onnxruntime = _library("onnxruntime")

    session = onnxruntime.InferenceSession(_inside(folder, str(flavor.get("data") or "model.onnx")), providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), [output.name for output in session.get_outputs()]

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        numpy = _library("numpy")

        if isinstance(data, Tensors) and None not in data.arrays:
            feed = data.arrays
        elif len(inputs) == 1:
            array = to_array(data)
            feed = {inputs[0].name: array.astype(numpy.float32) if inputs[0].type == "tensor(float)" else array}
        else:
            frame = to_frame(data)
            feed = {one.name: frame[one.name].to_numpy().reshape(-1, 1) for one in inputs}
        return dict(zip(outputs, session.run(outputs, feed)))

    return Loaded(predict, f"onnxruntime {onnxruntime.__version__}")


def _pyfunc(folder: str, flavor: Dict[str, Any], pyfunc: Dict[str, Any]) -> Loaded:
    if pyfunc.get("python_model"):
        return _python_model(folder, pyfunc)
    module = str(pyfunc.get("loader_module") or "")
    if not module or module.startswith("mlflow."):
        raise StartError(f"The model's loader '{module}' is a part of mlflow, which this environment lacks; it has no plain loader either. Add mlflow to the environment.", "ModelLoadFailed")
    model = importlib.import_module(module)._load_pyfunc(_inside(folder, str(pyfunc["data"])) if pyfunc.get("data") else folder)
    takes = _takes_params(model.predict)

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        return model.predict(to_frame(data), params=params) if takes else model.predict(to_frame(data))

    return Loaded(predict, f"the model's own loader {module}")


class _Context(NamedTuple):
    artifacts: Dict[str, str]
    model_config: Dict[str, Any]


def _python_model(folder: str, pyfunc: Dict[str, Any]) -> Loaded:
    artifacts = {name: _inside(folder, str(one["path"])) for name, one in (pyfunc.get("artifacts") or {}).items()}
    context = _Context(artifacts, pyfunc.get("config") or {})
    model = _unpickle(_inside(folder, str(pyfunc["python_model"])), "cloudpickle")
    if hasattr(model, "load_context"):
        model.load_context(context)
    takes = _takes_params(model.predict)
    named = inspect.signature(model.predict).parameters
    needed = [p.name for p in named.values() if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD and p.name != "params"]
    with_context = "context" in named or len(needed) > 1

    def predict(data: Any, params: Dict[str, Any]) -> Any:
        given = [context, to_frame(data)] if with_context else [to_frame(data)]
        return model.predict(*given, params=params) if takes else model.predict(*given)

    return Loaded(predict, f"the model's own class {type(model).__name__}")


def _unpickle(path: str, form: str) -> Any:
    if form == "skops":
        skops = _library("skops.io")
        return skops.load(path, trusted=skops.get_untrusted_types(file=path))
    if form == "joblib":
        joblib = _library("joblib")

        return joblib.load(path)
    import pickle

    if form == "cloudpickle":
        try:
            import cloudpickle  # noqa: F401  (its pickles name its functions)
        except ImportError:
            pass
    with open(path, "rb") as stream:
        return pickle.load(stream)


def _library(name: str) -> Any:
    """A package of the model's own environment. The runtime itself needs none."""
    return importlib.import_module(name)


def _inside(folder: str, relative: str) -> str:
    path = os.path.normpath(os.path.join(folder, relative))
    if os.path.isabs(relative) or not (path + os.sep).startswith(os.path.normpath(folder) + os.sep):
        raise StartError(f"MLmodel names the file '{relative}', which is outside of the model's folder.", "ModelLoadFailed")
    if not os.path.exists(path):
        raise StartError(f"MLmodel names the file '{relative}', which the model's folder lacks; it holds {', '.join(sorted(os.listdir(folder))[:20])}.", "ModelFilesMissing")
    return path


def _takes_params(predict: Callable[..., Any]) -> bool:
    return "params" in inspect.signature(predict).parameters


def to_frame(data: Any, names: Optional[List[str]] = None) -> Any:
    """A pandas DataFrame of a Frame (an array when pandas is missing); arrays and what is untyped as they are."""
    if isinstance(data, Tensors):
        return data.arrays[None] if None in data.arrays else data.arrays
    if not isinstance(data, Frame):
        return _array(data)
    try:
        import pandas
    except ImportError:
        return to_array(data)
    columns = data.names or (names if names is not None and len(names) == len(data.columns) else list(range(len(data.columns))))
    return pandas.DataFrame({n: pandas.Series(c, dtype=None if t == "any" else dtype(t)) for n, c, t in zip(columns, data.columns, data.types)})


def to_array(data: Any) -> Any:
    """A two-dimensional numpy array of a Frame; a DataFrame when its columns have no common type of numbers."""
    numpy = _library("numpy")

    if isinstance(data, Tensors):
        return next(iter(data.arrays.values()))
    if not isinstance(data, Frame):
        return _array(data)
    types = {dtype(kind) for kind in data.types}
    if types <= {"bool", "int32", "int64", "float32", "float64"}:
        return numpy.array(data.columns, dtype=numpy.result_type(*types)).T if types else numpy.empty((0, 0))
    array = numpy.array(data.columns).T
    return array if array.dtype.kind in "biuf" else to_frame(data)


def _array(data: Any) -> Any:
    try:
        numpy = _library("numpy")
    except ImportError:
        return data
    try:
        if isinstance(data, dict):
            return {name: numpy.array(value) for name, value in data.items()}
        return numpy.array(data) if isinstance(data, list) else data
    except ValueError:
        raise InputError("The rows have different lengths.") from None


def _version(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _blame(error: Exception, folder: str, model: Dict[str, Any], flavor: str) -> str:
    known = packages(model.get("flavors") or {})
    wrote = ", ".join(f"{name} {version}" for name, version, _ in known) or "versions that MLmodel does not name"
    here = ", ".join(f"{name} {version or '(missing)'}" for name, _, version in known) or f"Python {platform.python_version()}"
    return f"The model ({flavor}) does not load: {type(error).__name__}: {error}. It was written with {wrote}; here are {here}."


_LOADERS: Dict[str, Callable[[str, Dict[str, Any], Dict[str, Any]], Loaded]] = {
    "sklearn": _sklearn, "xgboost": _xgboost, "lightgbm": _lightgbm, "pytorch": _pytorch, "onnx": _onnx, "python_function": _pyfunc,
}

#: Of each flavor: the member of MLmodel that holds a version, and the package that it is of.
_VERSIONS = {
    "sklearn": (("sklearn_version", "scikit-learn"),), "xgboost": (("xgb_version", "xgboost"),), "lightgbm": (("lgb_version", "lightgbm"),),
    "pytorch": (("pytorch_version", "torch"),), "onnx": (("onnx_version", "onnx"),),
    "python_function": (("python_version", "Python"), ("cloudpickle_version", "cloudpickle")),
}
