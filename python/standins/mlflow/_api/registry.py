"""Registered models and their versions."""

import time
from typing import Any, Dict, List, Optional

from ..entities import PagedList
from ..entities.model_registry import ModelVersion, RegisteredModel
from ..exceptions import MlflowException
from . import Api, pairs


class RegistryApi(Api):
    """The registry part of the client."""

    def create_registered_model(
        self, name: str, tags: Optional[Dict[str, Any]] = None, description: Optional[str] = None, deployment_job_id: Optional[str] = None,
    ) -> RegisteredModel:
        return RegisteredModel.from_json(self._post("registered-models/create", {"name": name, "tags": pairs(tags), "description": description})["registered_model"])

    def get_registered_model(self, name: str) -> RegisteredModel:
        return RegisteredModel.from_json(self._get("registered-models/get", name=name)["registered_model"])

    def update_registered_model(self, name: str, description: Optional[str] = None, deployment_job_id: Optional[str] = None) -> RegisteredModel:
        return RegisteredModel.from_json(self._patch("registered-models/update", {"name": name, "description": description or ""})["registered_model"])

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        return RegisteredModel.from_json(self._post("registered-models/rename", {"name": name, "new_name": new_name})["registered_model"])

    def delete_registered_model(self, name: str) -> None:
        self._delete("registered-models/delete", {"name": name})

    def search_registered_models(
        self, filter_string: Optional[str] = None, max_results: int = 100, order_by: Optional[List[str]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        answer = self._get("registered-models/search", filter=filter_string, max_results=max_results, order_by=order_by, page_token=page_token)
        return PagedList([RegisteredModel.from_json(m) for m in answer.get("registered_models", [])], answer.get("next_page_token"))

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        self._post("registered-models/set-tag", {"name": name, "key": key, "value": str(value)})

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._delete("registered-models/delete-tag", {"name": name, "key": key})

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        self._post("registered-models/alias", {"name": name, "alias": alias, "version": str(version)})

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self._delete("registered-models/alias", {"name": name, "alias": alias})

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        return ModelVersion.from_json(self._get("registered-models/alias", name=name, alias=alias)["model_version"])

    def get_latest_versions(self, name: str, stages: Optional[List[str]] = None) -> List[ModelVersion]:
        answer = self._post("registered-models/get-latest-versions", {"name": name, "stages": stages})
        return [ModelVersion.from_json(v) for v in answer.get("model_versions", [])]

    def create_model_version(
        self, name: str, source: str, run_id: Optional[str] = None, tags: Optional[Dict[str, Any]] = None, run_link: Optional[str] = None,
        description: Optional[str] = None, await_creation_for: Optional[int] = 300, model_id: Optional[str] = None,
    ) -> ModelVersion:
        """Makes a version and waits until it is ready, at most ``await_creation_for`` seconds (None or 0 for not at all)."""
        body = {"name": name, "source": source, "run_id": run_id, "tags": pairs(tags), "run_link": run_link, "description": description, "model_id": model_id}
        version = ModelVersion.from_json(self._post("model-versions/create", body)["model_version"])
        deadline, pause = time.monotonic() + (await_creation_for or 0), 0.1
        while version.status == "PENDING_REGISTRATION" and await_creation_for:
            if time.monotonic() > deadline:
                raise MlflowException("Exceeded max wait time for model name: {} version: {} to become READY. Status: {}".format(name, version.version, version.status))
            time.sleep(pause)
            pause = min(2 * pause, 3)
            version = self.get_model_version(name, version.version)
        if version.status == "FAILED_REGISTRATION":
            raise MlflowException("Model version creation failed for model name: {} version: {}: {}".format(name, version.version, version.status_message))
        return version

    def get_model_version(self, name: str, version: Any) -> ModelVersion:
        return ModelVersion.from_json(self._get("model-versions/get", name=name, version=str(version))["model_version"])

    def get_model_version_download_uri(self, name: str, version: Any) -> str:
        return str(self._get("model-versions/get-download-uri", name=name, version=str(version))["artifact_uri"])

    def update_model_version(self, name: str, version: Any, description: Optional[str] = None) -> ModelVersion:
        return ModelVersion.from_json(self._patch("model-versions/update", {"name": name, "version": str(version), "description": description or ""})["model_version"])

    def transition_model_version_stage(self, name: str, version: Any, stage: str, archive_existing_versions: bool = False) -> ModelVersion:
        body = {"name": name, "version": str(version), "stage": stage, "archive_existing_versions": archive_existing_versions}
        return ModelVersion.from_json(self._post("model-versions/transition-stage", body)["model_version"])

    def get_model_version_stages(self, name: str, version: Any) -> List[str]:
        return ["None", "Staging", "Production", "Archived"]

    def delete_model_version(self, name: str, version: Any) -> None:
        self._delete("model-versions/delete", {"name": name, "version": str(version)})

    def search_model_versions(
        self, filter_string: Optional[str] = None, max_results: int = 10000, order_by: Optional[List[str]] = None, page_token: Optional[str] = None,
    ) -> PagedList:
        answer = self._get("model-versions/search", filter=filter_string, max_results=max_results, order_by=order_by, page_token=page_token)
        return PagedList([ModelVersion.from_json(v) for v in answer.get("model_versions", [])], answer.get("next_page_token"))

    def set_model_version_tag(self, name: str, version: Any = None, key: Optional[str] = None, value: Any = None, stage: Optional[str] = None) -> None:
        self._post("model-versions/set-tag", {"name": name, "version": self._at(name, version, stage), "key": key, "value": str(value)})

    def delete_model_version_tag(self, name: str, version: Any = None, key: Optional[str] = None, stage: Optional[str] = None) -> None:
        self._delete("model-versions/delete-tag", {"name": name, "version": self._at(name, version, stage), "key": key})

    def _at(self, name: str, version: Any, stage: Optional[str]) -> str:
        if (version is None) == (stage is None):
            raise MlflowException("Give either the version or the stage.", "INVALID_PARAMETER_VALUE")
        if version is not None:
            return str(version)
        found = self.get_latest_versions(name, [str(stage)])
        if not found:
            raise MlflowException("Could not find any model version for {} stage".format(stage), "RESOURCE_DOES_NOT_EXIST")
        return str(found[0].version)
