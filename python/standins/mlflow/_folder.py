"""A model's folder: what every flavor writes beside its own files, and how its files are found again."""

import os
import platform
import shutil
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import _examples, _places, _yaml
from .exceptions import MlflowException, invalid
from .models.model import Model

_USUAL = ("numpy", "scipy", "pandas")


class Environment(NamedTuple):
    """What a caller says about the packages of a model."""

    conda_env: Any = None
    pip_requirements: Any = None
    extra_pip_requirements: Any = None


def begin(path: Any, code_paths: Optional[List[str]]) -> Tuple[str, Optional[str]]:
    """An empty folder for a model, with the code that goes along: its path, and the code's folder below it."""
    path = os.path.abspath(os.fspath(path))
    if os.path.exists(path) and os.listdir(path):
        raise MlflowException("Path '{}' already exists and is not empty".format(path), "RESOURCE_ALREADY_EXISTS")
    os.makedirs(path, exist_ok=True)
    if not code_paths:
        return path, None
    if isinstance(code_paths, str):
        raise TypeError("Argument code_paths should be a list, not {}".format(type(code_paths)))
    for source in code_paths:
        source = os.path.abspath(os.fspath(source))
        target = os.path.join(path, "code", os.path.basename(source))
        os.makedirs(os.path.join(path, "code"), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        else:
            shutil.copy2(source, target)
    return path, "code"


def describe(model: Optional[Model], path: str, signature: Any, input_example: Any, metadata: Any, predict: Callable[[Any], Any]) -> Model:
    """The MLmodel document with signature and example; without a signature, the one that the example and its prediction have."""
    from .models.signature import infer_signature

    model = model or Model()
    example = _examples.save(path, input_example, model) if input_example is not None else None
    if signature is None and example is not None:
        try:
            signature = infer_signature(example.data, predict(example.data), example.params)
        except Exception as error:  # noqa: BLE001  (an example that the model does not take must not lose the model)
            print("mlflow: the signature could not be inferred from the input example: {}".format(error), file=sys.stderr)
    if signature is not None and signature is not False:
        model.signature = signature
    if metadata is not None:
        model.metadata = metadata
    return model


def finish(model: Model, path: str, packages: List[str], said: Environment, pyfunc: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Writes the environment files and MLmodel, with the python_function flavor when ``pyfunc`` describes it."""
    conda, requirements, constraints = _environment(packages, said)
    _text(path, "requirements.txt", "".join(line + "\n" for line in requirements))
    if constraints:
        _text(path, "constraints.txt", "".join(line + "\n" for line in constraints))
    build = ["pip=={}".format(_installed("pip"))] if _installed("pip") else ["pip"]
    _text(path, "python_env.yaml", _yaml.dump({"python": platform.python_version(), "build_dependencies": build + ["setuptools", "wheel"], "dependencies": ["-r requirements.txt"]}))
    _text(path, "conda.yaml", _yaml.dump(conda))
    if pyfunc is not None:
        known = {k: v for k, v in pyfunc.items() if v is not None}
        model.add_flavor("python_function", env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"}, python_version=platform.python_version(), **known)
    model.model_size_bytes = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)
    model.save_in(path)
    return model.to_dict()


def open_flavor(model_uri: Any, flavor: str, dst_path: Optional[str] = None) -> Tuple[str, Dict[str, Any]]:
    """The local folder of a model and the settings of a flavor; its code can be imported from then on."""
    folder = _places.fetch(model_uri, dst_path)
    settings = Model.load(folder).flavors.get(flavor)
    if settings is None:
        raise MlflowException('Model does not have the "{}" flavor'.format(flavor), "RESOURCE_DOES_NOT_EXIST")
    if settings.get("code"):
        code = os.path.join(folder, settings["code"])
        if code not in sys.path:
            sys.path.insert(0, code)
    return folder, settings


def refuse(options: Dict[str, Any]) -> None:
    """Options of the real package that this one lacks are errors when they have a value."""
    for name, value in options.items():
        if value is not None:
            raise invalid("This small mlflow saves models without the option '{}'.".format(name))


def pinned(package: str, version: Optional[str] = None) -> str:
    """A requirement of the version that is installed."""
    version = version or _installed(package)
    return "{}=={}".format(package, version.split("+")[0]) if version else package


def conda_env(packages: List[str]) -> Dict[str, Any]:
    """The conda environment with these packages of pip."""
    return {"channels": ["conda-forge"], "dependencies": ["python=" + platform.python_version(), "pip", {"pip": packages}], "name": "mlflow-env"}


def _environment(packages: List[str], said: Environment) -> Tuple[Dict[str, Any], List[str], List[str]]:
    if said.conda_env is not None and (said.pip_requirements is not None or said.extra_pip_requirements is not None):
        raise ValueError("Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be specified")
    if said.pip_requirements is not None and said.extra_pip_requirements is not None:
        raise ValueError("Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be specified")
    if said.conda_env is not None:
        conda = said.conda_env
        if not isinstance(conda, dict):
            with open(os.fspath(conda), encoding="utf-8") as stream:
                conda = dict(_yaml.load(stream.read()))
        pip = next((one["pip"] for one in conda.get("dependencies", []) if isinstance(one, dict) and "pip" in one), [])
        return conda, list(pip), []
    constraints: List[str] = []
    if said.pip_requirements is not None:
        requirements = _lines(said.pip_requirements, constraints)
    else:
        usual = [pinned(one) for one in _USUAL if one in sys.modules and _installed(one)]
        requirements = packages + [one for one in usual if one not in packages] + _lines(said.extra_pip_requirements or [], constraints)
    if not any(line.split("=")[0].split("<")[0].split(">")[0].strip() in ("mlflow", "mlflow-skinny") for line in requirements):
        requirements = ["mlflow>=2.17"] + requirements
    if constraints:
        requirements = requirements + ["-c constraints.txt"]
    return conda_env(requirements), requirements, constraints


def _lines(said: Any, constraints: List[str]) -> List[str]:
    """Requirements of a list or of a file; ``-r FILE`` and ``-c FILE`` are followed."""
    if isinstance(said, (str, os.PathLike)):
        with open(os.fspath(said), encoding="utf-8") as stream:
            said = stream.read().splitlines()
    found: List[str] = []
    for line in said:
        line = line.strip()
        if line.startswith(("-r ", "--requirement ")):
            found += _lines(line.split(None, 1)[1], constraints)
        elif line.startswith(("-c ", "--constraint ")):
            constraints += _lines(line.split(None, 1)[1], constraints)
        elif line and not line.startswith("#"):
            found.append(line)
    return found


def _installed(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        module = sys.modules.get(package)
        return str(getattr(module, "__version__", ""))


def _text(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def pickler(serialization_format: Optional[str]) -> Tuple[str, Any]:
    """The module that pickles, by the name of the format; without a name cloudpickle when it is there, which pickles what a script defines along."""
    if serialization_format not in (None, "pickle", "cloudpickle"):
        raise invalid("Unrecognized serialization format: {}. Please specify one of the following supported formats: ['pickle', 'cloudpickle'].".format(serialization_format))
    if serialization_format != "pickle":
        try:
            import cloudpickle
        except ImportError:
            if serialization_format == "cloudpickle":
                from .exceptions import missing

                raise missing("cloudpickle", "serialization_format='cloudpickle'") from None
        else:
            return "cloudpickle", cloudpickle
    import pickle

    return "pickle", pickle
