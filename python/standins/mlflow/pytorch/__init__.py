"""Saving and loading of PyTorch models. Plain training loops log what they want themselves."""

import importlib
import inspect
import os
from typing import Any, Dict, List, Optional

from .. import _folder, _places
from ..exceptions import invalid
from ..models.model import Model, ModelInfo

FLAVOR_NAME = "pytorch"
_MODEL = "model.pth"
_PICKLER = "pickle_module_info.txt"
_STATE = "state_dict.pth"


def get_default_pip_requirements() -> List[str]:
    """The packages that loading a model needs."""
    torch = importlib.import_module("torch")

    return [_folder.pinned("torch", str(torch.__version__)), _folder.pinned("cloudpickle")]


def get_default_conda_env() -> Dict[str, Any]:
    """The same as a conda environment."""
    return _folder.conda_env(["mlflow>=2.17"] + get_default_pip_requirements())


def save_model(
    pytorch_model: Any, path: Any, conda_env: Any = None, mlflow_model: Optional[Model] = None, code_paths: Optional[List[str]] = None, pickle_module: Any = None,
    signature: Any = None, input_example: Any = None, requirements_file: Any = None, extra_files: Optional[List[str]] = None, pip_requirements: Any = None,
    extra_pip_requirements: Any = None, metadata: Optional[Dict[str, Any]] = None, **saving: Any,
) -> None:
    """Saves a module or a scripted one into a new folder; other options go to ``torch.save``."""
    torch = importlib.import_module("torch")

    if not isinstance(pytorch_model, torch.nn.Module):
        raise TypeError("Argument 'pytorch_model' should be a torch.nn.Module")
    if saving.pop("export_model", False) or saving.pop("serialization_format", "pickle") != "pickle":
        raise invalid("This small mlflow saves PyTorch models pickled only.")
    _folder.refuse({"requirements_file": requirements_file})
    pickle_module = pickle_module or importlib.import_module("mlflow.pytorch.pickle_module")
    path, code = _folder.begin(path, code_paths)
    model = _folder.describe(mlflow_model, path, signature, input_example, metadata, _Wrapper(pytorch_model).predict)
    data = os.path.join(path, "data")
    os.makedirs(data)
    with open(os.path.join(data, _PICKLER), "w", encoding="utf-8") as stream:
        stream.write(pickle_module.__name__)
    if isinstance(pytorch_model, torch.jit.ScriptModule):
        torch.jit.ScriptModule.save(pytorch_model, os.path.join(data, _MODEL))
    else:
        torch.save(pytorch_model, os.path.join(data, _MODEL), pickle_module=pickle_module, **saving)
    more = {"extra_files": [{"path": name} for name in _extra(extra_files, path)]} if extra_files else {}
    model.add_flavor(FLAVOR_NAME, model_data="data", pytorch_version=str(torch.__version__), code=code, **more)
    said = _folder.Environment(conda_env, pip_requirements, extra_pip_requirements)
    pyfunc = dict(loader_module="mlflow.pytorch", data="data", pickle_module_name=pickle_module.__name__, code=code, config={"device": None})
    _folder.finish(model, path, get_default_pip_requirements(), said, pyfunc)


def log_model(
    pytorch_model: Any, artifact_path: Optional[str] = None, conda_env: Any = None, code_paths: Optional[List[str]] = None, pickle_module: Any = None,
    registered_model_name: Optional[str] = None, signature: Any = None, input_example: Any = None, await_registration_for: Optional[int] = 300,
    requirements_file: Any = None, extra_files: Optional[List[str]] = None, pip_requirements: Any = None, extra_pip_requirements: Any = None,
    metadata: Optional[Dict[str, Any]] = None, **more: Any,
) -> ModelInfo:
    """Stores a model: with ``artifact_path`` among the artifacts of the current run, with ``name=`` as a logged model of its own."""
    import mlflow.pytorch

    return Model.log(
        artifact_path, mlflow.pytorch, registered_model_name, await_registration_for, metadata, pytorch_model=pytorch_model, conda_env=conda_env, code_paths=code_paths,
        pickle_module=pickle_module, signature=signature, input_example=input_example, requirements_file=requirements_file, extra_files=extra_files, pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements, **more)


def load_model(model_uri: str, dst_path: Optional[str] = None, **loading: Any) -> Any:
    """Loads a model; ``device=`` and other options go to ``torch.load``. Only load models that you trust: pickles run code."""
    folder, settings = _folder.open_flavor(model_uri, FLAVOR_NAME, dst_path)
    return _load(os.path.join(folder, settings["model_data"]), **loading)


def save_state_dict(state_dict: Any, path: Any, **saving: Any) -> None:
    """Saves the state of a module into a folder."""
    torch = importlib.import_module("torch")

    if not isinstance(state_dict, dict):
        raise TypeError("Invalid object type for `state_dict`: {}. Must be an instance of `dict`".format(type(state_dict)))
    os.makedirs(path, exist_ok=True)
    torch.save(state_dict, os.path.join(path, _STATE), **saving)


def log_state_dict(state_dict: Any, artifact_path: str, **saving: Any) -> None:
    """Stores the state of a module among the artifacts of the current run."""
    import tempfile

    from .._logging import log_artifacts

    with tempfile.TemporaryDirectory() as folder:
        save_state_dict(state_dict, folder, **saving)
        log_artifacts(folder, artifact_path)


def load_state_dict(state_dict_uri: str, **loading: Any) -> Any:
    """Loads the state of a module."""
    torch = importlib.import_module("torch")

    return torch.load(os.path.join(_places.fetch(state_dict_uri), _STATE), **loading)


def autolog(
    log_every_n_epoch: int = 1, log_every_n_step: Optional[int] = None, log_models: bool = True, log_datasets: bool = True, disable: bool = False, exclusive: bool = False,
    disable_for_unsupported_versions: bool = False, silent: bool = False, registered_model_name: Optional[str] = None, extra_tags: Optional[Dict[str, str]] = None,
    checkpoint: bool = True, checkpoint_monitor: str = "val_loss", checkpoint_mode: str = "min", checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False, checkpoint_save_freq: str = "epoch", log_model_signatures: bool = True,
) -> None:
    """Says when Lightning is there, which this package does not log; plain loops log by ``log_metric``, as with the real mlflow."""
    import importlib.util
    import sys

    found = [name for name in ("lightning", "pytorch_lightning") if importlib.util.find_spec(name) is not None]
    if found and not disable and not silent:
        print("mlflow: this small mlflow does not log {} by itself; install mlflow in the environment, or log by log_metric.".format(found[0]), file=sys.stderr)


def _extra(files: Optional[List[str]], path: str) -> List[str]:
    import shutil

    os.makedirs(os.path.join(path, "extra_files"), exist_ok=True)
    found = []
    for uri in files or []:
        source = _places.fetch(uri)
        found.append("extra_files/" + os.path.basename(source))
        shutil.copy(source, os.path.join(path, *found[-1].split("/")))
    return found


def _load(path: str, device: Any = None, **loading: Any) -> Any:
    torch = importlib.import_module("torch")

    if os.path.isdir(path):
        with open(os.path.join(path, _PICKLER), encoding="utf-8") as stream:
            loading.setdefault("pickle_module", importlib.import_module(stream.read().strip() or "pickle"))
        path = os.path.join(path, _MODEL)
    if device is not None:
        loading["map_location"] = device
    elif not torch.cuda.is_available():
        loading.setdefault("map_location", "cpu")
    if "weights_only" in inspect.signature(torch.load).parameters:
        loading.setdefault("weights_only", False)
    try:
        return torch.jit.load(path, map_location=loading.get("map_location"))
    except RuntimeError:
        return torch.load(path, **loading)


class _Wrapper:
    """The model for pyfunc: numbers in, numbers out."""

    def __init__(self, model: Any) -> None:
        self.pytorch_model = model

    def get_raw_model(self) -> Any:
        return self.pytorch_model

    def predict(self, data: Any, params: Optional[Dict[str, Any]] = None) -> Any:
        numpy = importlib.import_module("numpy")
        torch = importlib.import_module("torch")

        is_frame = hasattr(data, "iloc")
        if not is_frame and not hasattr(data, "shape"):
            raise TypeError("Input data should be pandas.DataFrame or numpy.ndarray")
        array = data.to_numpy(dtype=numpy.float32) if is_frame else numpy.asarray(data)
        array = array.astype(numpy.float32) if array.dtype.kind == "f" else array
        device = next((p.device for p in self.pytorch_model.parameters()), None)
        self.pytorch_model.eval()
        with torch.no_grad():
            found = self.pytorch_model(torch.from_numpy(numpy.ascontiguousarray(array)).to(device) if device is not None else torch.from_numpy(numpy.ascontiguousarray(array)))
        if not isinstance(found, torch.Tensor):
            raise TypeError("Expected PyTorch model to output a single output tensor, but got output of type '{}'".format(type(found)))
        if not is_frame:
            return found.cpu().numpy()
        pandas = importlib.import_module("pandas")

        return pandas.DataFrame(found.cpu().numpy(), index=data.index)


def _load_pyfunc(path: str, model_config: Optional[Dict[str, Any]] = None) -> _Wrapper:
    return _Wrapper(_load(path, device=(model_config or {}).get("device")))
