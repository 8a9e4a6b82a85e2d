"""Logged models: models as things of their own."""

from typing import Any, Dict, List, Optional, Sequence

from ..entities import FileInfo, LoggedModel, PagedList
from . import Api, pairs


class LoggedModelsApi(Api):
    """The part of the client for logged models."""

    def create_logged_model(
        self, experiment_id: str, name: Optional[str] = None, source_run_id: Optional[str] = None, tags: Optional[Dict[str, Any]] = None,
        params: Optional[Dict[str, Any]] = None, model_type: Optional[str] = None,
    ) -> LoggedModel:
        body = {"experiment_id": experiment_id, "name": name, "source_run_id": source_run_id, "tags": pairs(tags), "params": pairs(params), "model_type": model_type}
        return LoggedModel.from_json(self._post("logged-models", body)["model"])

    def get_logged_model(self, model_id: str) -> LoggedModel:
        return LoggedModel.from_json(self._get("logged-models/" + model_id)["model"])

    def finalize_logged_model(self, model_id: str, status: str) -> LoggedModel:
        named = {"READY": "LOGGED_MODEL_READY", "FAILED": "LOGGED_MODEL_UPLOAD_FAILED"}.get(str(status), str(status))
        return LoggedModel.from_json(self._patch("logged-models/" + model_id, {"model_id": model_id, "status": named})["model"])

    def delete_logged_model(self, model_id: str) -> None:
        self._delete("logged-models/" + model_id, {})

    def set_logged_model_tags(self, model_id: str, tags: Dict[str, Any]) -> None:
        self._patch("logged-models/{}/tags".format(model_id), {"model_id": model_id, "tags": pairs(tags)})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        from urllib.parse import quote

        self._delete("logged-models/{}/tags/{}".format(model_id, quote(key, safe="")), {})

    def log_model_params(self, model_id: str, params: Dict[str, Any]) -> None:
        self._post("logged-models/{}/params".format(model_id), {"model_id": model_id, "params": pairs(params)})

    def search_logged_models(
        self, experiment_ids: Sequence[str], filter_string: Optional[str] = None, datasets: Optional[List[Dict[str, Any]]] = None, max_results: Optional[int] = None,
        order_by: Optional[List[Dict[str, Any]]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        body = {
            "experiment_ids": [str(e) for e in experiment_ids], "filter": filter_string, "datasets": datasets, "max_results": max_results, "order_by": order_by,
            "page_token": page_token,
        }
        answer = self._post("logged-models/search", body)
        return PagedList([LoggedModel.from_json(m) for m in answer.get("models", [])], answer.get("next_page_token"))

    def list_logged_model_artifacts(self, model_id: str, path: Optional[str] = None) -> List[FileInfo]:
        answer = self._get("logged-models/{}/artifacts/directories".format(model_id), artifact_directory_path=path or None)
        return [FileInfo(f["path"], bool(f.get("is_dir")), f.get("file_size")) for f in answer.get("files", [])]
