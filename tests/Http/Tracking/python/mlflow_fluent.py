"""What user code of MLflow 2.17 and 3.11 makes their clients send, call by call and in their order."""

from __future__ import annotations

import json
import mimetypes
import struct
import time
import uuid
from typing import Any, Dict, List, Optional

from mlflow_wire import MlflowError, Wire

API = "/api/2.0/mlflow"
NEW = "/api/3.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
VERSIONS = {2: "2.17.3", 3: "3.11.2"}
MODEL_FILES = {
    2: ["requirements.txt", "MLmodel", "python_env.yaml", "conda.yaml", "serving_input_example.json", "input_example.json", "model.pkl"],
    3: ["conda.yaml", "python_env.yaml", "requirements.txt", "MLmodel", "input_example.json", "serving_input_example.json", "model.pkl"],
}


def now() -> int:
    return int(time.time() * 1000)


class ProxiedArtifacts:
    """mlflow-artifacts: URIs, which the client resolves against its tracking host."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def put(self, uri: str, path: str, content: bytes) -> None:
        kind = mimetypes.guess_type(path)[0]
        answer = self.wire.raw("PUT", f"{self._url(uri)}/{path}", content, {"Content-Type": kind} if kind else {})
        assert answer.json() == {}, answer.body
        self.wire.called.add("PUT /api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>")

    def get(self, uri: str, path: str) -> bytes:
        answer = self.wire.raw("GET", f"{self._url(uri)}/{path}")
        assert answer.headers["Content-Disposition"].startswith("attachment"), answer.headers
        self.wire.called.add("GET /api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>")
        return answer.body

    def list(self, uri: str, path: str = "") -> List[Dict[str, Any]]:
        """The names in the answer are relative to the folder."""
        if "://" in uri:
            root, folder = uri.split(PROXY + "/")
            answer = self.wire.raw("GET", f"{root}{PROXY}?path={folder}/{path}".rstrip("/")).json()
            self.wire.problems += self.wire.reference.check_answer("GET " + PROXY, answer)
        else:
            answer = self.wire.call("GET " + PROXY, {"path": f"{uri.split(':/', 1)[1]}/{path}".rstrip("/")})
        return answer.get("files", [])

    def _url(self, uri: str) -> str:
        return uri if "://" in uri else f"{PROXY}/{uri.split(':/', 1)[1]}"


class Fluent:
    """mlflow.* of one generation over one mount. `azure` says how artifacts of azureml:// URIs are moved."""

    def __init__(self, wire: Wire, generation: int, azure: Any = None) -> None:
        self.wire, self.generation = wire, generation
        self.proxied, self.azure = ProxiedArtifacts(wire), azure
        self.experiment_id = "0"
        self.run: Dict[str, Any] = {}

    @property
    def run_id(self) -> str:
        return self.run["info"]["run_id"]

    def artifacts(self, uri: str) -> Any:
        return self.azure if uri.startswith("azureml:") else self.proxied

    # Experiments and runs

    def set_experiment(self, name: str) -> Dict[str, Any]:
        found = self.get_experiment_by_name(name)
        if found is None:
            found = {"experiment_id": self.wire.call(f"POST {API}/experiments/create", {"name": name})["experiment_id"]}
        self.experiment_id = found["experiment_id"]
        return self.wire.call(f"GET {API}/experiments/get", {"experiment_id": self.experiment_id})["experiment"]

    def get_experiment_by_name(self, name: str) -> Optional[Dict[str, Any]]:
        try:
            return self.wire.call(f"GET {API}/experiments/get-by-name", {"experiment_name": name})["experiment"]
        except MlflowError as error:
            assert error.code == "RESOURCE_DOES_NOT_EXIST", error
            return None

    def start_run(self, run_name: Optional[str] = None, **tags: str) -> Dict[str, Any]:
        all_tags = {"mlflow.user": "me", "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL", "mlflow.source.git.commit": "0" * 40, **tags}
        fields: Dict[str, Any] = {"experiment_id": self.experiment_id, "user_id": "me", "start_time": now()}
        if run_name is not None:
            all_tags["mlflow.runName"] = fields["run_name"] = run_name
        self.run = self.wire.call(f"POST {API}/runs/create", {**fields, "tags": [{"key": key, "value": value} for key, value in all_tags.items()]})["run"]
        return self.run

    def end_run(self, status: str = "FINISHED") -> Dict[str, Any]:
        self.get_run()
        return self.wire.call(f"POST {API}/runs/update", {**self._ids(), "status": status, "end_time": now()})["run_info"]

    def get_run(self, run_id: Optional[str] = None) -> Dict[str, Any]:
        return self.wire.call(f"GET {API}/runs/get", {"run_uuid": run_id or self.run_id, "run_id": run_id or self.run_id})["run"]

    def search_runs(self, experiment: str, **search: Any) -> List[Dict[str, Any]]:
        """mlflow.search_runs: by name, in pages of 10,000."""
        found = self.get_experiment_by_name(experiment)
        assert found is not None
        runs: List[Dict[str, Any]] = []
        token = None
        while True:
            fields = {"experiment_ids": [found["experiment_id"]], "filter": "", "run_view_type": "ACTIVE_ONLY", "max_results": 10_000, "order_by": [], **search}
            page = self.wire.call(f"POST {API}/runs/search", fields if token is None else {**fields, "page_token": token})
            runs += page.get("runs", [])
            token = page.get("next_page_token")
            if token is None:
                return runs

    # What is logged on them

    def log_param(self, key: str, value: Any) -> None:
        self.wire.call(f"POST {API}/runs/log-parameter", {**self._ids(), "key": key, "value": str(value)})

    def log_params(self, values: Dict[str, Any]) -> None:
        self._batch(params=[{"key": key, "value": str(value)} for key, value in values.items()])

    def log_metric(self, key: str, value: Any, step: int = 0, timestamp: Optional[int] = None, **of_model: str) -> None:
        self.wire.call(f"POST {API}/runs/log-metric", {**self._ids(), "key": key, "value": value, "timestamp": timestamp or now(), "step": step, **of_model})

    def log_metrics(self, values: Dict[str, Any], step: int = 0) -> None:
        at = now()
        self._batch(metrics=[{"key": key, "value": value, "timestamp": at, "step": step} for key, value in values.items()])

    def set_tag(self, key: str, value: str) -> None:
        self.wire.call(f"POST {API}/runs/set-tag", {**self._ids(), "key": key, "value": value})

    def log_text(self, text: str, path: str) -> None:
        uri = self.get_run()["info"]["artifact_uri"]
        self.artifacts(uri).put(uri, path, text.encode())

    def list_artifacts(self, path: str = "") -> List[Dict[str, Any]]:
        uri = self.run["info"]["artifact_uri"]
        return self.artifacts(uri).list(uri, path)

    def load_text(self, path: str) -> str:
        """The file is listed first, to see whether it is a folder: the list of a file is empty."""
        uri = self.run["info"]["artifact_uri"]
        artifacts = self.artifacts(uri)
        if not uri.startswith("azureml:"):
            assert artifacts.list(uri, path) == [], path
        return artifacts.get(uri, path).decode()

    def log_input(self, name: str, digest: str, context: str) -> None:
        dataset = {"name": name, "digest": digest, "source_type": "local", "source": json.dumps({"uri": "data.csv"}), "schema": "{}", "profile": json.dumps({"num_rows": 3})}
        self.wire.call(f"POST {API}/runs/log-inputs", {"run_id": self.run_id, "datasets": [{"tags": [{"key": "mlflow.data.context", "value": context}], "dataset": dataset}]})

    def get_metric_history(self, key: str, size: int = 25_000) -> List[Dict[str, Any]]:
        points: List[Dict[str, Any]] = []
        token = None
        while True:
            fields = {**self._ids(), "metric_key": key, "max_results": size}
            page = self.wire.call(f"GET {API}/metrics/get-history", fields if token is None else {**fields, "page_token": token})
            points += page.get("metrics", [])
            token = page.get("next_page_token")
            if token is None:
                return points

    # Models

    def log_model(self, name: str, registered: str) -> Dict[str, Any]:
        """The version that was registered."""
        return self._log_model_2(name, registered) if self.generation == 2 else self._log_model_3(name, registered)

    def _log_model_2(self, path: str, registered: str) -> Dict[str, Any]:
        uri = self.get_run()["info"]["artifact_uri"]
        self._upload(uri, path + "/", 2)
        about = {"run_id": self.run_id, "artifact_path": path, "utc_time_created": "2025-01-01 00:00:00", "model_uuid": uuid.uuid4().hex, "flavors": {"python_function": {}}}
        self.wire.call(f"POST {API}/runs/log-model", {"run_id": self.run_id, "model_json": json.dumps(about)})
        self._register_name(registered)
        version = self.wire.call(f"POST {API}/model-versions/create", {"name": registered, "source": f"{uri}/{path}", "run_id": self.run_id})["model_version"]
        while version["status"] != "READY":
            version = self.wire.call(f"GET {API}/model-versions/get", {"name": registered, "version": version["version"]})["model_version"]
        return version

    def _log_model_3(self, name: str, registered: str) -> Dict[str, Any]:
        run = self.get_run()
        model = self.wire.call(
            f"POST {API}/logged-models",
            {"experiment_id": run["info"]["experiment_id"], "name": name, "source_run_id": self.run_id, "params": run["data"].get("params", []), "tags": [{"key": "mlflow.user", "value": "me"}]},
        )["model"]
        model_id = model["info"]["model_id"]
        assert model["info"]["status"] == "LOGGED_MODEL_PENDING", model
        self.wire.call(f"POST {API}/runs/outputs", {"run_id": self.run_id, "models": [{"model_id": model_id, "step": 0}]})
        again: List[Dict[str, Any]] = []
        for metric in self.get_run()["data"].get("metrics", []):
            again += [{**point, "model_id": model_id, "run_id": self.run_id} for point in self.get_metric_history(metric["key"])]
        if again:
            self.wire.call(f"POST {API}/runs/log-batch", {"run_id": self.run_id, "metrics": again})
        where = self.wire.call(f"GET {API}/logged-models/{{model_id}}", {"model_id": model_id})["model"]["info"]["artifact_uri"]
        self._upload(where, "", 3)
        done = self.wire.call(f"PATCH {API}/logged-models/{{model_id}}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})["model"]
        assert done["info"]["status"] == "LOGGED_MODEL_READY", done
        self._register_name(registered)
        version = self.wire.call(
            f"POST {API}/model-versions/create", {"name": registered, "source": "models:/" + model_id, "run_id": self.run_id, "model_id": model_id})["model_version"]
        for _ in range(2):
            self.wire.call(f"GET {API}/logged-models/{{model_id}}", {"model_id": model_id})
        named = [{"key": "mlflow.modelVersions", "value": json.dumps([{"name": registered, "version": int(version["version"])}])}]
        self.wire.call(f"PATCH {API}/logged-models/{{model_id}}/tags", {"model_id": model_id, "tags": named})
        return version

    def load_model(self, name: str, alias: str) -> Dict[str, bytes]:
        """pyfunc.load_model("models:/name@alias"): the files, by name."""
        version = self.wire.call(f"GET {API}/registered-models/alias", {"name": name, "alias": alias})["model_version"]["version"]
        uri = self.wire.call(f"GET {API}/model-versions/get-download-uri", {"name": name, "version": version})["artifact_uri"]
        artifacts = self.artifacts(uri)
        for _ in range(2):
            files = artifacts.list(uri)
        return {file["path"]: artifacts.get(uri, file["path"]) for file in files if not file["is_dir"]}

    def set_alias(self, name: str, alias: str, version: str) -> None:
        if self.generation == 3:
            self.wire.call(f"GET {API}/registered-models/get", {"name": name})
        self.wire.call(f"POST {API}/registered-models/alias", {"name": name, "alias": alias, "version": version})

    # Traces and prompts

    def trace(self) -> str:
        """A traced call; its id."""
        return self._trace_2() if self.generation == 2 else self._trace_3()

    def _trace_2(self) -> str:
        begun = now()
        metadata = [{"key": "mlflow.traceInputs", "value": "{}"}, {"key": "mlflow.trace_schema.version", "value": "2"}]
        started = self.wire.call(f"POST {API}/traces", {
            "experiment_id": self.experiment_id, "timestamp_ms": begun, "request_metadata": metadata, "tags": [{"key": "mlflow.traceName", "value": "predict"}]})["trace_info"]
        where = next(tag["value"] for tag in started["tags"] if tag["key"] == "mlflow.artifactLocation")
        self.proxied.put(where, "traces.json", b'{"spans": []}')
        ended = self.wire.call(f"PATCH {API}/traces/{{request_id}}", {
            "request_id": started["request_id"], "timestamp_ms": begun + 25, "status": "OK", "request_metadata": [{"key": "mlflow.traceOutputs", "value": "1"}], "tags": []})["trace_info"]
        assert (ended["status"], ended["execution_time_ms"]) == ("OK", 25), ended
        return started["request_id"]

    def _trace_3(self) -> str:
        self.wire.raw("GET", "/version")
        identity = uuid.uuid4()
        trace_id = "tr-" + identity.hex
        started = self.wire.call(f"POST {NEW}/traces", {"trace": {"trace_info": {
            "trace_id": trace_id, "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self.experiment_id}}, "request_preview": '{"x": 1}',
            "response_preview": "2", "request_time": "2025-01-31T12:00:00.123Z", "execution_duration": "1.500s", "state": "OK",
            "trace_metadata": {"mlflow.traceInputs": '{"x": 1}', "mlflow.trace_schema.version": "3"}, "tags": {"mlflow.traceName": "predict"}}}})["trace"]["trace_info"]
        assert started["trace_id"] == trace_id and started["request_time"] == "2025-01-31T12:00:00.123Z", started
        self.wire.raw("POST", "/v1/traces", otlp(identity.bytes, "predict"), {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": self.experiment_id})
        self.proxied.put(started["tags"]["mlflow.artifactLocation"], "traces.json", b'{"spans": []}')
        return trace_id

    def register_prompt(self, name: str, text: str) -> Dict[str, Any]:
        prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
        try:
            self.wire.call(f"GET {API}/registered-models/get", {"name": name})
        except MlflowError as error:
            assert error.code == "RESOURCE_DOES_NOT_EXIST", error
            self.wire.call(f"POST {API}/registered-models/create", {"name": name, "tags": prompt})
        tags = prompt + [{"key": "_mlflow_prompt_type", "value": "text"}, {"key": "mlflow.prompt.text", "value": text}]
        version = self.wire.call(f"POST {API}/model-versions/create", {"name": name, "source": "dummy-source", "tags": tags})["model_version"]
        self.load_prompt(name, version["version"])
        self.wire.call(f"POST {API}/registered-models/set-tag", {"name": name, "key": "_mlflow_experiment_ids", "value": f",{self.experiment_id},"})
        return version

    def load_prompt(self, name: str, version: str) -> str:
        self.wire.call(f"GET {API}/registered-models/get", {"name": name})
        found = self.wire.call(f"GET {API}/model-versions/get", {"name": name, "version": version})["model_version"]
        return next(tag["value"] for tag in found["tags"] if tag["key"] == "mlflow.prompt.text")

    def _ids(self) -> Dict[str, str]:
        return {"run_uuid": self.run_id, "run_id": self.run_id}

    def _batch(self, **entities: List[Dict[str, Any]]) -> None:
        if self.generation == 3:
            entities = {kind: [{**item, "run_id": self.run_id} if kind == "metrics" else item for item in items] for kind, items in entities.items()}
        self.wire.call(f"POST {API}/runs/log-batch", {"run_id": self.run_id, **entities})

    def _upload(self, uri: str, folder: str, generation: int) -> None:
        for file in MODEL_FILES[generation]:
            content = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n" if file == "MLmodel" else "x"
            self.artifacts(uri).put(uri, folder + file, content.encode())

    def _register_name(self, name: str) -> None:
        try:
            self.wire.call(f"POST {API}/registered-models/create", {"name": name})
        except MlflowError as error:
            assert error.code == "RESOURCE_ALREADY_EXISTS", error


def otlp(trace: bytes, name: str) -> bytes:
    """An ExportTraceServiceRequest with one root span, in protobuf."""

    def field(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    def fixed(number: int, value: int) -> bytes:
        return varint(number << 3 | 1) + struct.pack("<Q", value)

    def text(key: str, value: str) -> bytes:
        return field(1, key.encode()) + field(2, field(1, value.encode()))

    start = 1_738_324_800_123_000_000
    span = (field(1, trace) + field(2, trace[:8]) + field(5, name.encode()) + varint(6 << 3) + varint(1) + fixed(7, start) + fixed(8, start + 1_500_000_000)
            + field(9, text("mlflow.spanType", '"CHAIN"')) + field(9, text("mlflow.traceRequestId", json.dumps("tr-" + trace.hex()))) + field(15, varint(3 << 3) + varint(1)))
    return field(1, field(1, field(1, text("service.name", "app"))) + field(2, field(1, field(1, b"mlflow")) + field(2, span)))


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))
