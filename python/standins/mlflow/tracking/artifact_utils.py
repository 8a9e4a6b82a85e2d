"""Artifacts of runs by URI, by the names that scripts import."""

from typing import Optional

from .. import _places
from ..client import MlflowClient


def _download_artifact_from_uri(artifact_uri: str, output_path: Optional[str] = None) -> str:
    """The local path of what a URI names."""
    return _places.fetch(artifact_uri, output_path)


def get_artifact_uri(run_id: str, artifact_path: Optional[str] = None, tracking_uri: Optional[str] = None) -> str:
    """The URI of a run's artifact."""
    root = MlflowClient(tracking_uri).get_run(run_id).info.artifact_uri
    return root + "/" + artifact_path.strip("/") if artifact_path else root
