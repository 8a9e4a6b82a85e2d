"""A small mlflow for jobs whose environment has none: tracking by the standard library only.

It speaks the same REST protocol as the real package and stores models in the same format. The real package always wins
when it is installed. What is missing raises ``AttributeError`` by name, as any missing name does.
"""

from ._autolog import autolog
from ._fluent import (
    ActiveRun,
    active_run,
    create_experiment,
    delete_run,
    delete_tag,
    end_run,
    get_artifact_uri,
    get_experiment,
    get_experiment_by_name,
    get_parent_run,
    get_run,
    get_tracking_uri,
    last_active_run,
    log_artifact,
    log_artifacts,
    log_dict,
    log_figure,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    log_text,
    search_experiments,
    search_runs,
    set_experiment,
    set_tag,
    set_tags,
    set_tracking_uri,
    start_run,
)
from .client import MlflowClient
from .exceptions import MlflowException
from . import artifacts, entities, exceptions, pyfunc, sklearn, tracking  # noqa: E402  (they use the names above)

__version__ = "2.17.3+zaffre"

__all__ = [name for name in dir() if not name.startswith("_")]
