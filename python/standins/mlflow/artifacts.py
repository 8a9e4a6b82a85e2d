"""Downloading of artifacts."""

from typing import List, Optional

from .client import MlflowClient
from .entities import FileInfo
from .exceptions import MlflowException


def download_artifacts(artifact_uri: Optional[str] = None, run_id: Optional[str] = None, artifact_path: Optional[str] = None, dst_path: Optional[str] = None) -> str:
    """Downloads a file or folder of a run (``runs:/RUN/PATH``, or run id and path); returns where it is."""
    if artifact_uri:
        run_id, artifact_path = split_run_uri(artifact_uri)
    if not run_id:
        raise MlflowException("Give a runs:/ URI, or a run id and a path.", "INVALID_PARAMETER_VALUE")
    return MlflowClient().download_artifacts(run_id, artifact_path or "", dst_path)


def list_artifacts(run_id: str, artifact_path: Optional[str] = None) -> List[FileInfo]:
    """What lies directly in a folder of a run."""
    return MlflowClient().list_artifacts(run_id, artifact_path)


def split_run_uri(uri: str) -> "tuple[str, str]":
    """``runs:/RUN/PATH`` or ``mlflow-artifacts:/EXPERIMENT/RUN/artifacts/PATH`` as run and path."""
    scheme, _, rest = uri.partition(":/")
    parts = rest.strip("/").split("/")
    if scheme == "runs" and parts[0]:
        return parts[0], "/".join(parts[1:])
    if scheme == "mlflow-artifacts" and len(parts) >= 3 and parts[2] == "artifacts":
        return parts[1], "/".join(parts[3:])
    raise MlflowException("This small mlflow reads runs:/ and mlflow-artifacts:/ URIs, not '{}'.".format(uri), "INVALID_PARAMETER_VALUE")
