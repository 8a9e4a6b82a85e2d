"""Registered models and their versions."""

from typing import Any, Dict

from .. import Param, _Entity, _pairs
from .model_version_status import ModelVersionStatus

__all__ = ["ModelVersion", "ModelVersionStatus", "ModelVersionTag", "RegisteredModel", "RegisteredModelAlias", "RegisteredModelTag"]


class ModelVersionTag(Param):
    """``key`` and ``value``, both text."""


class RegisteredModelTag(Param):
    """``key`` and ``value``, both text."""


class RegisteredModelAlias(_Entity):
    """``alias`` and the ``version`` that it points to."""

    def __init__(self, alias: str, version: str) -> None:
        super().__init__(alias=alias, version=str(version))


class ModelVersion(_Entity):
    """``name``, ``version``, ``source``, ``run_id``, ``status``, ``current_stage``, ``aliases``, ``tags``, ``description``, ..."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "ModelVersion":
        return cls(
            name=body["name"], version=str(body["version"]), creation_timestamp=body.get("creation_timestamp"), last_updated_timestamp=body.get("last_updated_timestamp"),
            description=body.get("description"), user_id=body.get("user_id"), current_stage=body.get("current_stage"), source=body.get("source"), run_id=body.get("run_id"),
            status=body.get("status", ModelVersionStatus.to_string(ModelVersionStatus.READY)), status_message=body.get("status_message"), tags=_pairs(body.get("tags")),
            run_link=body.get("run_link"), aliases=list(body.get("aliases", [])), model_id=body.get("model_id"))


class RegisteredModel(_Entity):
    """``name``, ``description``, ``latest_versions``, ``tags``, ``aliases`` (alias to version), ..."""

    @classmethod
    def from_json(cls, body: Dict[str, Any]) -> "RegisteredModel":
        return cls(
            name=body["name"], creation_timestamp=body.get("creation_timestamp"), last_updated_timestamp=body.get("last_updated_timestamp"), description=body.get("description"),
            latest_versions=[ModelVersion.from_json(v) for v in body.get("latest_versions", [])], tags=_pairs(body.get("tags")),
            aliases={a["alias"]: str(a["version"]) for a in body.get("aliases", [])})
