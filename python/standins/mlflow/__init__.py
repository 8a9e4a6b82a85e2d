"""A small mlflow for jobs whose environment has none: tracking, models and autologging by the standard library only.

It speaks the same REST protocol as the real package and stores models in the same format. The real package always wins
when it is installed. What is missing raises ``AttributeError`` that names it. Everything is loaded when it is first used.
"""

# Not even typing is imported: scripts that only import this package pay for nothing else.
import importlib

__version__ = "2.17.3+zaffre"

_NAMES = {
    "_fluent": (
        "ActiveRun active_run create_experiment delete_experiment delete_run delete_tag end_run get_artifact_uri get_experiment get_experiment_by_name "
        "get_parent_run get_run get_tracking_uri is_tracking_uri_set last_active_run search_experiments search_runs set_experiment set_experiment_tag "
        "set_experiment_tags set_tag set_tags set_tracking_uri start_run"
    ),
    "_logging": (
        "flush_artifact_async_logging flush_async_logging load_table log_artifact log_artifacts log_dict log_figure log_image log_input log_inputs log_metric "
        "log_metrics log_param log_params log_table log_text"
    ),
    "_registered": (
        "delete_logged_model_tag finalize_logged_model get_logged_model get_registry_uri initialize_logged_model last_logged_model log_model_params register_model "
        "search_logged_models search_model_versions search_registered_models set_logged_model_tags set_registry_uri"
    ),
    "_autolog": "autolog",
    "_queue": "RunOperations",
    "client": "MlflowClient",
    "config": "disable_system_metrics_logging enable_system_metrics_logging set_system_metrics_node_id set_system_metrics_samples_before_logging set_system_metrics_sampling_interval",
    "exceptions": "MlflowException",
    "images": "Image",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = "artifacts client config data entities exceptions images lightgbm models pyfunc pytorch sklearn tracking types utils xgboost".split()

__all__ = sorted(list(_HOME) + _MODULES)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module("mlflow." + name)
    if name in _HOME:
        value: object = getattr(importlib.import_module("mlflow." + _HOME[name]), name)
        globals()[name] = value
        return value
    if name == "evaluate":
        return importlib.import_module("mlflow.models").evaluate
    raise AttributeError("module 'mlflow' has no attribute '{}': this is Zaffre's small mlflow, which lacks it. Install mlflow in the environment to have it.".format(name))


def __dir__() -> "list[str]":
    return sorted(list(globals()) + __all__)
