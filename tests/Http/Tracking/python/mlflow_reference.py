"""The field reference of MLflow's REST API (spec/mlflow-rest.json), and the check of an answer against it, field by field."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Set

REAL = {"NaN", "Infinity", "-Infinity"}
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
DURATION = re.compile(r"^-?\d+(\.\d{1,9})?s$")

# What MLflow's server always sends of a message, besides what the reference calls required. "data" and "inputs" of a run are there when empty.
ALWAYS: Dict[str, Set[str]] = {
    "Experiment": {"experiment_id", "name", "artifact_location", "lifecycle_stage", "last_update_time", "creation_time"},
    "Run": {"info", "data", "inputs"},
    "RunInfo": {"run_id", "run_uuid", "run_name", "experiment_id", "user_id", "status", "start_time", "artifact_uri", "lifecycle_stage"},
    "FileInfo": {"path", "is_dir"},
    "Metric": {"key", "value", "timestamp", "step"},
    "MetricWithRunId": {"key", "value", "timestamp", "step", "run_id"},
    "TraceInfo": {"request_id", "experiment_id", "timestamp_ms", "status"},
    "TraceInfoV3": {"trace_id", "trace_location", "request_time", "state"},
    "TraceLocation": {"type", "mlflow_experiment"},
    "TraceLocation.MlflowExperimentLocation": {"experiment_id"},
    "Trace": {"trace_info"},
    "LoggedModel": {"info", "data"},
    "LoggedModelInfo": {"model_id", "experiment_id", "name", "creation_timestamp_ms", "last_updated_timestamp_ms", "artifact_uri", "status"},
    "LoggedModelRegistrationInfo": {"name", "version"},
    "RegisteredModel": {"name", "creation_timestamp", "last_updated_timestamp"},
    "RegisteredModelAlias": {"alias", "version"},
    "ModelVersion": {"name", "version", "creation_timestamp", "last_updated_timestamp", "current_stage", "source", "status"},
    "MultipartUploadCredential": {"url", "part_number"},
    "assessments.Assessment": {"assessment_id", "assessment_name", "trace_id", "source", "create_time", "last_update_time", "valid"},
    "assessments.Feedback": {"value"},
    "opentelemetry.proto.trace.v1.Span": {"trace_id", "span_id", "name", "start_time_unix_nano", "end_time_unix_nano"},
    "MetricDataPoint": {"metric_name", "values"},
}

# Members of answers that may be missing although they are neither lists nor maps.
OPTIONAL_ANSWERS = {"next_page_token"}


class Reference:
    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            read = json.load(file)
        self.operations: List[Dict[str, Any]] = read["operations"]
        self.messages: Dict[str, Dict[str, Any]] = read["messages"]
        self.enums: Dict[str, Dict[str, int]] = read["enums"]
        self.by_route = {route: operation for operation in self.operations for route in operation["routes"]}

    def check_answer(self, route: str, answer: Any) -> List[str]:
        """What is wrong with the answer of an operation; empty when it is as the reference says."""
        fields = self.by_route[route]["response"]
        problems = self._members(route, fields, answer)
        if isinstance(answer, dict):
            for name, field in fields.items():
                kind = field["type"]
                if name not in answer and name not in OPTIONAL_ANSWERS and not kind.endswith("[]") and not kind.startswith("map<"):
                    problems.append(f"{route}: '{name}' is missing")
        return problems

    def check_fields(self, message: str, value: Any) -> List[str]:
        return self._message(message, message, value)

    def check_request(self, route: str, sent: Any) -> List[str]:
        """What is wrong with a request of ours: members that the reference does not know, or required ones that are missing."""
        fields = self.by_route[route]["request"]
        problems = [f"{route}: request has '{name}', which the reference does not know" for name in sent if name not in fields]
        return problems + [f"{route}: request lacks '{name}'" for name, field in fields.items() if field.get("required") and name not in sent]

    def _members(self, where: str, fields: Dict[str, Any], value: Any) -> List[str]:
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        problems = []
        for name, member in value.items():
            if name not in fields:
                problems.append(f"{where}: '{name}' is not in the reference")
            else:
                problems += self._value(f"{where}.{name}", fields[name]["type"], member)
        return problems

    def _message(self, where: str, name: str, value: Any) -> List[str]:
        fields = self.messages[name]
        problems = self._members(where, fields, value)
        if isinstance(value, dict):
            required = ALWAYS.get(name, set()) | {field for field, about in fields.items() if about.get("required")}
            if name.endswith(("Tag", "Param", "Parameter", "Metadata")):
                required |= {"key", "value"} & set(fields)
            problems += [f"{where}: '{field}' is missing" for field in sorted(required - set(value))]
            if name == "RunInfo" and ("end_time" in value) != (value.get("status") in ("FINISHED", "FAILED", "KILLED")):
                problems.append(f"{where}: a run has an end_time when it has ended, and only then")
            if name == "FileInfo" and ("file_size" in value) == value.get("is_dir"):
                problems.append(f"{where}: a file has a size, and a folder has none")
        return problems

    def _value(self, where: str, kind: str, value: Any) -> List[str]:
        if kind.endswith("[]"):
            if not isinstance(value, list):
                return [f"{where}: {value!r} is no list"]
            if not value:
                return [f"{where}: an empty list is sent"]
            return [problem for index, item in enumerate(value) for problem in self._value(f"{where}[{index}]", kind[:-2], item)]
        if kind.startswith("map<"):
            if not isinstance(value, dict):
                return [f"{where}: {value!r} is no map"]
            inner = kind[4:-1].split(",")[1].strip()
            return [problem for name, item in value.items() for problem in self._value(f"{where}[{name}]", inner, item)]
        if kind in self.messages:
            return self._message(where, kind, value)
        if kind in self.enums:
            return [] if value in self.enums[kind] else [f"{where}: {value!r} is no {kind}"]
        return [] if self._scalar(kind, value) else [f"{where}: {value!r} is no {kind}"]

    @staticmethod
    def _scalar(kind: str, value: Any) -> bool:
        number = isinstance(value, int) and not isinstance(value, bool)
        if kind in ("int64", "int32", "uint32", "fixed32", "fixed64"):
            return number
        if kind in ("double", "float"):
            return number or isinstance(value, float) or value in REAL
        if kind == "bool":
            return isinstance(value, bool)
        if kind == "google.protobuf.Timestamp":
            return isinstance(value, str) and bool(TIMESTAMP.match(value))
        if kind == "google.protobuf.Duration":
            return isinstance(value, str) and bool(DURATION.match(value))
        if kind == "google.protobuf.Value":
            return True
        return kind in ("string", "bytes") and isinstance(value, str)
