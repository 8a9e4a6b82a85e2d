"""Downloading and listing of artifacts."""

import json
from typing import Any, List, Optional

from . import _places
from .client import MlflowClient
from .entities import FileInfo
from .exceptions import invalid, missing


def download_artifacts(
    artifact_uri: Optional[str] = None, run_id: Optional[str] = None, artifact_path: Optional[str] = None, dst_path: Optional[str] = None, tracking_uri: Optional[str] = None,
) -> str:
    """Downloads a file or folder (``runs:/RUN/PATH``, ``models:/NAME/VERSION`` and others, or run id and path); returns where it is."""
    if (artifact_uri is None) == (run_id is None):
        raise invalid("Exactly one of `run_id` or `artifact_uri` must be specified")
    if artifact_uri is not None:
        return _places.fetch(artifact_uri, dst_path)
    return MlflowClient(tracking_uri).download_artifacts(str(run_id), artifact_path or "", dst_path)


def list_artifacts(artifact_uri: Optional[str] = None, run_id: Optional[str] = None, artifact_path: Optional[str] = None, tracking_uri: Optional[str] = None) -> List[FileInfo]:
    """What lies directly in a folder of a run."""
    if (artifact_uri is None) == (run_id is None):
        raise invalid("Exactly one of `run_id` or `artifact_uri` must be specified")
    if artifact_uri is None:
        return MlflowClient(tracking_uri).list_artifacts(str(run_id), artifact_path)
    client = MlflowClient(tracking_uri)
    place = _places.find(artifact_uri, client)
    if place.local is not None:
        raise invalid("'{}' is a path of this disk.".format(artifact_uri))
    found = client.list_place("/".join(part for part in (place.prefix, place.path) if part))
    return [FileInfo("/".join(part for part in (place.path if place.prefix else "", item.path) if part), item.is_dir, item.file_size) for item in found]


def load_text(artifact_uri: str) -> str:
    """The text of an artifact."""
    with open(_places.fetch(artifact_uri), encoding="utf-8") as stream:
        return stream.read()


def load_dict(artifact_uri: str) -> Any:
    """What a JSON artifact holds."""
    return json.loads(load_text(artifact_uri))


def load_image(artifact_uri: str) -> Any:
    """An image artifact, as PIL's image."""
    try:
        from PIL import Image
    except ImportError as error:
        raise missing("PIL", "load_image") from error
    return Image.open(_places.fetch(artifact_uri))
