"""Files of runs and of logged models."""

import json
import os
import posixpath
from typing import Any, Dict, List, Optional

from .. import _rest
from ..entities import FileInfo
from ..exceptions import MlflowException
from . import Api


class ArtifactsApi(Api):
    """The artifact part of the client."""

    # A run never moves to another experiment, so what is known stays true.
    _experiments: Dict[str, str] = {}

    def log_artifact(self, run_id: str, local_path: str, artifact_path: Optional[str] = None) -> None:
        self.put_files(self.prefix(run_id), os.fspath(local_path), artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: Optional[str] = None) -> None:
        self.put_folder(self.prefix(run_id), os.fspath(local_dir), artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        self.put_bytes(run_id, text.encode("utf-8"), artifact_file)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Writes JSON, or YAML when the file is named so."""
        if artifact_file.endswith((".yaml", ".yml")):
            from .. import _yaml

            text = _yaml.dump(json.loads(json.dumps(dictionary, default=str)))
        else:
            text = json.dumps(dictionary, indent=2, default=str)
        self.log_text(run_id, text, artifact_file)

    def log_figure(self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Optional[Dict[str, Any]] = None) -> None:
        """Stores a figure of matplotlib, or one of plotly (HTML, or an image by the file's name)."""
        from .. import images

        images.log_figure(self, run_id, figure, artifact_file, save_kwargs)

    def log_image(
        self, run_id: str, image: Any, artifact_file: Optional[str] = None, key: Optional[str] = None, step: Optional[int] = None,
        timestamp: Optional[int] = None, synchronous: Optional[bool] = None,
    ) -> None:
        """Stores an image of PIL, numpy or ``mlflow.Image``, under a file name or under a key and step."""
        from .. import images

        images.log_image(self, run_id, image, artifact_file, key, step, timestamp)

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Stores a table (dictionary or DataFrame) as JSON; what is logged under the same name later is added below."""
        from .. import _tables

        _tables.log(self, run_id, data, artifact_file)

    def load_table(self, experiment_id: str, artifact_file: str, run_ids: Optional[List[str]] = None, extra_columns: Optional[List[str]] = None) -> Any:
        """The tables of this name of an experiment's runs, as one DataFrame."""
        from .. import _tables

        return _tables.load(self, experiment_id, artifact_file, run_ids, extra_columns)

    def list_artifacts(self, run_id: str, path: Optional[str] = None) -> List[FileInfo]:
        answer = self._get("artifacts/list", run_id=run_id, path=path or None)
        return [FileInfo(f["path"], bool(f.get("is_dir")), f.get("file_size")) for f in answer.get("files", [])]

    def download_artifacts(self, run_id: str, path: str = "", dst_path: Optional[str] = None) -> str:
        """Downloads a file or a folder; returns where it is."""
        return self.fetch(self.prefix(run_id), path, dst_path)

    # By places of the artifact proxy

    def prefix(self, run_id: str) -> str:
        """Where the proxy keeps the artifacts of a run."""
        if run_id not in self._experiments:
            self._experiments[run_id] = self.get_run(run_id).info.experiment_id  # type: ignore[attr-defined]
        return "{}/{}/artifacts".format(self._experiments[run_id], run_id)

    def put_bytes(self, run_id: str, content: bytes, artifact_file: str) -> None:
        """Stores bytes as an artifact."""
        _rest.put(self.tracking_uri, _joined(self.prefix(run_id), artifact_file), content, _kind(artifact_file))

    def put_files(self, prefix: str, local_path: str, artifact_path: Optional[str]) -> None:
        """Stores a file, or a folder under its own name."""
        if os.path.isdir(local_path):
            self.put_folder(prefix, local_path, posixpath.join(artifact_path or "", os.path.basename(os.path.normpath(local_path))))
        else:
            name = posixpath.join(artifact_path or "", os.path.basename(local_path))
            _rest.upload(self.tracking_uri, _joined(prefix, name), local_path, _kind(name))

    def put_folder(self, prefix: str, local_dir: str, artifact_path: Optional[str] = None) -> None:
        """Stores what a folder holds."""
        for folder, _, names in os.walk(local_dir):
            below = os.path.relpath(folder, local_dir).replace(os.sep, "/")
            for name in sorted(names):
                target = posixpath.normpath(posixpath.join(artifact_path or "", below, name))
                _rest.upload(self.tracking_uri, _joined(prefix, target), os.path.join(folder, name), _kind(name))

    def list_place(self, place: str) -> List[FileInfo]:
        """What lies directly in a folder of the proxy; the paths are names."""
        answer = _rest.artifacts(self.tracking_uri, place)
        return [FileInfo(f["path"], bool(f.get("is_dir")), f.get("file_size")) for f in answer.get("files", [])]

    def fetch(self, prefix: str, path: str, dst_path: Optional[str] = None) -> str:
        """Downloads what lies at a path below a prefix of the proxy; returns where it is."""
        import tempfile

        root = os.path.abspath(dst_path or tempfile.mkdtemp())
        path = posixpath.normpath(path).lstrip("/") if path else ""
        if path == "." or path.startswith(".."):
            path = ""
        pending = [(path, False)]
        while pending:
            at, is_file = pending.pop()
            inside = [] if is_file else self.list_place(posixpath.join(prefix, at))
            for item in inside:
                # Names of one level: nothing that a server answers may be written elsewhere.
                if item.path in ("", ".", "..") or "/" in item.path or os.sep in item.path:
                    raise MlflowException("The server names an artifact '{}', which is no file name.".format(item.path))
            pending += [(posixpath.join(at, item.path), not item.is_dir) for item in inside]
            if at and (is_file or not inside):
                local = os.path.join(root, *at.split("/"))
                os.makedirs(os.path.dirname(local), exist_ok=True)
                _rest.download(self.tracking_uri, posixpath.join(prefix, at), local)
        return os.path.join(root, *path.split("/")) if path else root


def _joined(prefix: str, artifact_file: str) -> str:
    normal = posixpath.normpath(artifact_file)
    if normal.startswith(("/", "..")):
        raise MlflowException("Invalid artifact path: '{}'".format(artifact_file), "INVALID_PARAMETER_VALUE")
    return posixpath.join(prefix, normal)


def _kind(name: str) -> str:
    import mimetypes

    return mimetypes.guess_type(name)[0] or "application/octet-stream"
