"""Autologging: what a library trains is logged without a word of the script.

Each flavor patches its library when that is imported, at once or later. Only the outermost training is logged: a search
fits its candidates, a pipeline its steps, an estimator its booster. No failure to log ends a training.
"""

import contextlib
import functools
import importlib
import importlib.abc
import importlib.machinery
import inspect
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from ..exceptions import MlflowException

#: Of each flavor, the modules after whose import something is patched, and what patches it.
_MODULES = {
    "sklearn": {"sklearn.base": "sklearn_fits", "sklearn.metrics": "afterwards"}, "xgboost": {"xgboost": "xgboost_fits"}, "lightgbm": {"lightgbm": "lightgbm_fits"},
}
_options: Dict[str, Dict[str, Any]] = {}
_patched: List[str] = []
# Of the whole process: a training may fit its parts in threads of its own.
_stack: List["Session"] = []
_lock = threading.RLock()


def autolog(
    log_input_examples: bool = False, log_model_signatures: bool = True, log_models: bool = True, log_datasets: bool = True, log_traces: bool = True, disable: bool = False,
    exclusive: bool = False, disable_for_unsupported_versions: bool = False, silent: bool = False, extra_tags: Optional[Dict[str, str]] = None,
    exclude_flavors: Optional[List[str]] = None,
) -> None:
    """Autologging of all libraries that this package knows: scikit-learn, XGBoost and LightGBM. PyTorch's plain loops log by ``log_metric``."""
    given = dict(locals())
    for name in ("sklearn", "xgboost", "lightgbm"):
        if name not in (exclude_flavors or []):
            flavor = importlib.import_module("mlflow." + name)
            flavor.autolog(**{k: v for k, v in given.items() if k in inspect.signature(flavor.autolog).parameters})


def enable(flavor: str, options: Dict[str, Any]) -> None:
    """Sets the options of a flavor, and patches its library now or when it is imported."""
    options.pop("enable", None)
    _options[flavor] = options
    if options.get("disable") or flavor in _patched:
        return
    _patched.append(flavor)
    for module, patches in _MODULES[flavor].items():
        if module in sys.modules and not getattr(getattr(sys.modules[module], "__spec__", None), "_initializing", False):
            _patch(flavor, patches)
        else:
            # The library may be imported later, or not at all; it is not imported for the sake of this.
            sys.meta_path.insert(0, _AtImport(flavor, module, patches))


def options_of(flavor: str) -> Optional[Dict[str, Any]]:
    """The options of a flavor that is enabled, else None."""
    found = _options.get(flavor)
    return None if found is None or found.get("disable") else found


class _AtImport(importlib.abc.MetaPathFinder):
    """Waits for a module."""

    def __init__(self, flavor: str, module: str, patches: str) -> None:
        self._flavor, self._module, self._patches = flavor, module, patches

    def find_spec(self, name: str, path: Optional[Sequence[str]], target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _patch(self._flavor, self._patches)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _patch(flavor: str, patches: str) -> None:
    try:
        importlib.import_module("mlflow._autolog." + patches).patch()
    except Exception as error:  # noqa: BLE001  (the import of a library must not fail for the sake of this)
        warn(flavor, "{} could not be prepared for autologging".format(flavor), error)


class Session:
    """A training that goes on; ``logs`` says whether it is the one to be logged."""

    def __init__(self, owner: Any, logs: bool, allows_parts: bool) -> None:
        self.owner, self.logs, self.allows_parts = owner, logs, allows_parts


@contextlib.contextmanager
def session(flavor: str, owner: Any, allows_parts: bool = False) -> Iterator[Session]:
    """Around a training. Its parts are not logged, save by a part of another kind that it leaves the details to."""
    with _lock:
        above = _stack[-1] if _stack else None
        # A class whose fit calls its parent's is still in the same training.
        again = above is not None and above.owner is owner
        logs = options_of(flavor) is not None and not again and _may_log(flavor) and (above is None or (above.allows_parts and above.logs))
        own = Session(owner, logs, allows_parts)
        if not again:
            _stack.append(own)
    try:
        yield own
    finally:
        with _lock:
            if not again:
                _stack.remove(own)


@contextlib.contextmanager
def run_of(flavor: str) -> Iterator[bool]:
    """The current run, or one for this training only. In a job it is the job's own, which does not end. False when there is none to be had."""
    import mlflow

    from .._fluent import is_job, leave

    options = _options[flavor]
    if mlflow.active_run() is not None:
        yield True
        return
    own = guarded(flavor, "a run", lambda: mlflow.start_run(tags=dict({"mlflow.autologging": flavor}, **(options.get("extra_tags") or {}))))
    if own is None:
        yield False
        return
    ended = "FAILED"
    try:
        yield True
        ended = "FINISHED"
    finally:
        if mlflow.active_run() is own:
            guarded(flavor, "the end of the run", lambda: leave(own) if is_job(own) else mlflow.end_run(ended))


def guarded(flavor: str, what: str, action: Callable[[], Any]) -> Any:
    """Logs something; what cannot be logged is said on the error stream."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  (a script's training must not end because of its log)
        warn(flavor, what, error)
        return None


def warn(flavor: str, what: str, error: BaseException) -> None:
    """Says what was not logged, unless the script asked for silence."""
    if not (_options.get(flavor) or {}).get("silent"):
        said = error.message if isinstance(error, MlflowException) else "{}: {}".format(type(error).__name__, error)
        print("mlflow: autologging: {}: {}".format(what, said), file=sys.stderr)


def wrap(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Replaces a function of a module or class by ``wrapper(original, *args, **kwargs)``, once."""
    original = owner.__dict__.get(name) if isinstance(owner, type) else getattr(owner, name, None)
    if callable(original) and not hasattr(original, "_zaffre_patched"):
        setattr(owner, name, wrapped(original, wrapper))


def wrapped(original: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls ``wrapper(original, *args, **kwargs)``."""

    @functools.wraps(original)
    def patched(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    patched._zaffre_patched = True  # type: ignore[attr-defined]
    return patched


def _may_log(flavor: str) -> bool:
    """``exclusive`` keeps what is logged out of the runs that the script made."""
    if not _options[flavor].get("exclusive"):
        return True
    from .._fluent import active_run

    return active_run() is None


@contextlib.contextmanager
def training(flavor: str, owner: Any, allows_parts: bool = False) -> Iterator[Optional[Dict[str, Any]]]:
    """Around a training with a run to log on: the flavor's options, or None when nothing of it is logged."""
    with session(flavor, owner, allows_parts) as own:
        if not own.logs:
            yield None
            return
        options = dict(options_of(flavor) or {})
        with run_of(flavor) as logs:
            yield options if logs else None
