"""``MlflowClient``: the tracking and registry API without a current run."""

from typing import Any

from ._api import now
from ._api.artifacts import ArtifactsApi
from ._api.logged_models import LoggedModelsApi
from ._api.registry import RegistryApi
from ._api.runs import RunsApi

__all__ = ["MlflowClient", "now"]


class MlflowClient(RunsApi, ArtifactsApi, RegistryApi, LoggedModelsApi):
    """Talks to one tracking server; safe to use from several threads."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError("'MlflowClient' has no attribute '{}': this is Zaffre's small mlflow, which lacks it. Install mlflow in the environment to have it.".format(name))
