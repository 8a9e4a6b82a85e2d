"""The operations that no sequence calls, and what each refuses."""

from __future__ import annotations

import json

from contract_base import CALLED, REFERENCE, Contract, unique
from mlflow_fluent import API, NEW, PROXY, now
from mlflow_wire import MlflowError


class Operations(Contract):
    """The operations that no sequence above calls, and what each refuses."""

    def test_experiments(self) -> None:
        name = unique("exp")
        self.missing(f"GET {API}/experiments/get-by-name", f"Could not find experiment with name '{name}'", experiment_name=name)
        experiment = self.call(f"POST {API}/experiments/create", name=name, tags=[{"key": "team", "value": "a"}])["experiment_id"]
        self.refused(f"POST {API}/experiments/create", "RESOURCE_ALREADY_EXISTS", f"Experiment '{name}' already exists.", name=name)
        self.bad(f"POST {API}/experiments/create", "Missing value for required parameter 'name'. See the API docs for more information about request parameters.")
        self.missing(f"GET {API}/experiments/get", "No Experiment with id=987654 exists", experiment_id="987654")
        for method in ("GET", "POST"):
            found = self.call(f"{method} {API}/experiments/search", max_results=5, filter=f"name = '{name}'")["experiments"]
            self.assertEqual([experiment], [item["experiment_id"] for item in found])
        self.call(f"POST {API}/experiments/set-experiment-tag", experiment_id=experiment, key="team", value="b")
        self.assertEqual([{"key": "team", "value": "b"}], self.call(f"GET {API}/experiments/get", experiment_id=experiment)["experiment"]["tags"])
        self.call(f"POST {API}/experiments/delete-experiment-tag", experiment_id=experiment, key="team")
        self.assertNotIn("tags", self.call(f"GET {API}/experiments/get", experiment_id=experiment)["experiment"])
        self.call(f"POST {API}/experiments/update", experiment_id=experiment, new_name=name + "-2")
        self.call(f"POST {API}/experiments/delete", experiment_id=experiment)
        self.refused(f"POST {API}/experiments/create", "RESOURCE_ALREADY_EXISTS", "deleted state", name=name + "-2")
        deleted = self.call(f"GET {API}/experiments/get-by-name", experiment_name=name + "-2")["experiment"]
        self.assertEqual("deleted", deleted["lifecycle_stage"])
        self.assertEqual({}, self.call(f"POST {API}/experiments/restore", experiment_id=experiment))
        zero = self.call(f"GET {API}/experiments/get", experiment_id="0")["experiment"]
        self.assertEqual(("Default", "active"), (zero["name"], zero["lifecycle_stage"]))

    def test_runs(self) -> None:
        run = self.call(f"POST {API}/runs/create")["run"]
        self.assertEqual("0", run["info"]["experiment_id"])
        self.assertRegex(run["info"]["run_name"], r"^[a-z]+-[a-z]+-\d{1,3}$")
        self.assertRegex(run["info"]["run_id"], r"^[0-9a-f]{32}$")
        run_id = run["info"]["run_id"]
        self.missing(f"GET {API}/runs/get", "Run with id=abc not found", run_id="abc")
        self.call(f"POST {API}/runs/log-parameter", run_id=run_id, key="a", value="1")
        self.bad(
            f"POST {API}/runs/log-parameter",
            f"Changing param values is not allowed. Param with key='a' was already logged with value='1' for run ID='{run_id}'. Attempted logging new value '2'.",
            run_id=run_id, key="a", value="2")
        self.missing(f"POST {API}/runs/delete-tag", f"No tag with name: zz in run with id {run_id}", run_id=run_id, key="zz")
        self.call(f"POST {API}/runs/set-tag", run_id=run_id, key="zz", value="1")
        self.call(f"POST {API}/runs/delete-tag", run_id=run_id, key="zz")
        info = self.call(f"POST {API}/runs/update", run_id=run_id, status="KILLED", end_time=str(now()), run_name="named")["run_info"]
        self.assertEqual(("KILLED", "named"), (info["status"], info["run_name"]))
        for number, status in ((1, "RUNNING"), (2, "SCHEDULED"), (3, "FINISHED"), (4, "FAILED"), (5, "KILLED")):
            self.assertEqual(status, self.call(f"POST {API}/runs/update", run_id=run_id, status=number)["run_info"]["status"])
        self.call(f"POST {API}/runs/delete", run_id=run_id)
        self.bad(f"POST {API}/runs/set-tag", f"The run {run_id} must be in the 'active' state. Current state is deleted.", run_id=run_id, key="a", value="1")
        self.assertEqual({}, self.call(f"POST {API}/runs/restore", run_id=run_id))
        self.assertEqual({}, self.call(f"POST {API}/runs/search", experiment_ids=["987654"]))
        self.bad(f"POST {API}/runs/search", "Invalid clause(s) in filter string: 'or'", experiment_ids=["0"], filter="params.a = '1' or params.a = '2'")
        self.bad(f"POST {API}/runs/search", "Invalid value 60000 for parameter 'max_results' supplied: ", experiment_ids=["0"], max_results=60_000)
        self.bad(f"POST {API}/runs/search", "Invalid attribute key 'foo' specified. Valid keys are", experiment_ids=["0"], filter="attribute.foo = 'x'")

    def test_metrics_of_several_runs(self) -> None:
        mlflow, runs = self.client("plain", 3), []
        for offset in (0, 100):
            runs.append(mlflow.start_run()["info"]["run_id"])
            self.call(f"POST {API}/runs/log-batch", run_id=runs[-1], metrics=[{"key": "m", "value": offset + step, "timestamp": step, "step": step} for step in range(50)])
        chart = self.call(f"GET {API}/metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", start_step=10, end_step=40, max_results=5)["metrics"]
        steps = {run: [point["step"] for point in chart if point["run_id"] == run] for run in runs}
        self.assertEqual([[10, 16, 22, 28, 34, 40]] * 2, list(steps.values()))
        self.bad(f"GET {API}/metrics/get-history-bulk-interval", "both must be specified", run_ids=runs, metric_key="m", start_step=10)
        self.bad(f"GET {API}/metrics/get-history-bulk-interval", "for parameter 'max_results' supplied", run_ids=runs, metric_key="m", max_results=2501)
        bulk = self.wire.read(self.wire.transport.send("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={runs[0]}&run_id={runs[1]}&metric_key=m"))
        self.assertEqual(100, len(bulk["metrics"]))
        self.assertEqual([], [problem for point in bulk["metrics"] for problem in REFERENCE.check_fields("MetricWithRunId", point)])
        self.assertEqual(sorted(runs), sorted({point["run_id"]: 1 for point in bulk["metrics"]}))
        self.bad(f"GET {API}/metrics/get-history", "Missing value for required parameter 'metric_key'", run_id=runs[0])

    def test_datasets_and_models_of_runs(self) -> None:
        mlflow = self.client("plain", 3)
        experiment = mlflow.set_experiment(unique("exp"))["experiment_id"]
        mlflow.start_run()
        mlflow.log_input("iris", "d1", "training")
        mlflow.log_input("iris", "d1", "training")
        route = "POST /api/2.0mlflow/experiments/search-datasets"
        self.assertEqual([{"experiment_id": experiment, "name": "iris", "digest": "d1", "context": "training"}], self.call(route, experiment_ids=[experiment])["dataset_summaries"])
        self.bad(route, "experiment_ids", experiment_ids=[str(number) for number in range(21)])
        model = self.call(f"POST {API}/logged-models", experiment_id=experiment, name="net")["model"]["info"]["model_id"]
        self.call(f"POST {API}/runs/log-inputs", run_id=mlflow.run_id, models=[{"model_id": model}])
        self.assertEqual([{"model_id": model}], mlflow.get_run()["inputs"]["model_inputs"])
        self.call(
            f"POST {API}/runs/log-metric", run_id=mlflow.run_id, key="acc", value=0.5, timestamp=1, step=3, model_id=model, dataset_name="iris", dataset_digest="d1")
        self.call(f"POST {API}/runs/log-batch", run_id=mlflow.run_id, metrics=[
            {"key": "acc", "value": 0.75, "timestamp": 2, "step": 4, "model_id": model, "dataset_name": "iris", "dataset_digest": "d2", "run_id": mlflow.run_id}])
        metrics = self.call(f"GET {API}/logged-models/{{model_id}}", model_id=model)["model"]["data"]["metrics"]
        self.assertEqual([("d1", 0.5, 3), ("d2", 0.75, 4)], sorted((item["dataset_digest"], item["value"], item["step"]) for item in metrics))
        self.assertEqual({"iris"}, {item["dataset_name"] for item in metrics})
        self.assertEqual([0.75], [item["value"] for item in mlflow.get_run()["data"]["metrics"]])
        on_first = {"dataset_name": "iris", "dataset_digest": "d1"}
        order = [{"field_name": "metrics.acc", "ascending": False, **on_first}]
        found = self.call(f"POST {API}/logged-models/search", experiment_ids=[experiment], datasets=[on_first], filter="metrics.acc < 0.6", order_by=order, max_results=10)["models"]
        self.assertEqual([model], [item["info"]["model_id"] for item in found])
        self.assertEqual({}, self.call(f"POST {API}/logged-models/search", experiment_ids=[experiment], datasets=[on_first], filter="metrics.acc > 0.6"))

    def test_logged_models(self) -> None:
        model = self.call(
            f"POST {API}/logged-models", experiment_id="0", name="net", model_type="agent", params=[{"key": "lr", "value": "1"}], tags=[{"key": "a", "value": "1"}])["model"]
        model_id = model["info"]["model_id"]
        self.assertRegex(model_id, "^m-[0-9a-f]{32}$")
        self.assertEqual(f"mlflow-artifacts:/0/models/{model_id}/artifacts", model["info"]["artifact_uri"])
        self.assertEqual(({"params": [{"key": "lr", "value": "1"}]}, "agent"), (model["data"], model["info"]["model_type"]))
        self.assertEqual({}, self.call(f"POST {API}/logged-models/{{model_id}}/params", model_id=model_id, params=[{"key": "depth", "value": "2"}]))
        self.assertEqual({}, self.call(f"DELETE {API}/logged-models/{{model_id}}/tags/{{tag_key}}", model_id=model_id, tag_key="a"))
        failed = self.call(f"PATCH {API}/logged-models/{{model_id}}", model_id=model_id, status=3)["model"]
        self.assertEqual("LOGGED_MODEL_UPLOAD_FAILED", failed["info"]["status"])
        self.assertNotIn("tags", failed["info"])
        self.wire.raw("PUT", f"{PROXY}/0/models/{model_id}/artifacts/data/x.bin", b"12345")
        files = self.call(f"GET {API}/logged-models/{{model_id}}/artifacts/directories", model_id=model_id)
        self.assertEqual(([{"path": "data", "is_dir": True}], model["info"]["artifact_uri"]), (files["files"], files["root_uri"]))
        inside = self.call(f"GET {API}/logged-models/{{model_id}}/artifacts/directories", model_id=model_id, artifact_directory_path="data")["files"]
        self.assertEqual([{"path": "data/x.bin", "is_dir": False, "file_size": 5}], inside)
        self.assertEqual(b"12345", self.wire.raw("GET", f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files?artifact_file_path=data/x.bin").body)
        self.assertEqual({}, self.call(f"DELETE {API}/logged-models/{{model_id}}", model_id=model_id))
        self.missing(f"GET {API}/logged-models/{{model_id}}", f"Logged model with ID '{model_id}' not found", model_id=model_id)

    def test_the_registry(self) -> None:
        mlflow = self.client("plain", 2)
        mlflow.start_run()
        name = unique("model")
        mlflow.log_model("model", name)
        mlflow.log_model("model2", name)
        self.refused(f"POST {API}/registered-models/create", "RESOURCE_ALREADY_EXISTS", f"Registered Model (name={name}) already exists.", name=name)
        self.missing(f"GET {API}/registered-models/get", "Registered Model with name=none not found", name="none")
        self.missing(f"GET {API}/model-versions/get", f"Model Version (name={name}, version=9) not found", name=name, version="9")
        self.assertEqual("about", self.call(f"PATCH {API}/registered-models/update", name=name, description="about")["registered_model"]["description"])
        self.assertEqual("one", self.call(f"PATCH {API}/model-versions/update", name=name, version="1", description="one")["model_version"]["description"])
        self.assertEqual({}, self.call(f"POST {API}/registered-models/set-tag", name=name, key="a", value="1"))
        self.assertEqual({}, self.call(f"POST {API}/model-versions/set-tag", name=name, version="1", key="b", value="2"))
        self.assertEqual([{"key": "a", "value": "1"}], self.call(f"GET {API}/registered-models/get", name=name)["registered_model"]["tags"])
        self.assertEqual([{"key": "b", "value": "2"}], self.call(f"GET {API}/model-versions/get", name=name, version="1")["model_version"]["tags"])
        self.assertEqual({}, self.call(f"DELETE {API}/registered-models/delete-tag", name=name, key="a"))
        self.assertEqual({}, self.call(f"DELETE {API}/model-versions/delete-tag", name=name, version="1", key="b"))
        moved = self.call(f"POST {API}/model-versions/transition-stage", name=name, version="1", stage="production", archive_existing_versions=False)["model_version"]
        self.assertEqual("Production", moved["current_stage"])
        self.call(f"POST {API}/model-versions/transition-stage", name=name, version="2", stage="Production", archive_existing_versions=True)
        self.assertEqual("Archived", self.call(f"GET {API}/model-versions/get", name=name, version="1")["model_version"]["current_stage"])
        self.bad(f"POST {API}/model-versions/transition-stage", "Invalid Model Version stage: Best.", name=name, version="1", stage="Best", archive_existing_versions=False)
        for method in ("GET", "POST"):
            latest = self.call(f"{method} {API}/registered-models/get-latest-versions", name=name, stages=["Production"])["model_versions"]
            self.assertEqual(["2"], [version["version"] for version in latest])
        self.call(f"POST {API}/registered-models/alias", name=name, alias="best", version="1")
        aliases = self.call(f"GET {API}/registered-models/get", name=name)["registered_model"]["aliases"]
        self.assertEqual([{"alias": "best", "version": "1"}], aliases)
        self.assertEqual({}, self.call(f"DELETE {API}/registered-models/alias", name=name, alias="best"))
        self.bad(f"GET {API}/registered-models/alias", "Registered model alias best not found.", name=name, alias="best")
        self.bad(f"POST {API}/model-versions/create", "Invalid model version source: '/etc/passwd'", name=name, source="/etc/passwd", run_id=mlflow.run_id)
        content = self.wire.raw("GET", f"/model-versions/get-artifact?path=MLmodel&name={name}&version=1").body
        self.assertIn(b"loader_module", content)
        name, before = unique("renamed"), name
        self.assertEqual(name, self.call(f"POST {API}/registered-models/rename", name=before, new_name=name)["registered_model"]["name"])
        self.assertEqual({}, self.call(f"DELETE {API}/model-versions/delete", name=name, version="1"))
        self.assertEqual({}, self.call(f"DELETE {API}/registered-models/delete", name=name))

    def test_artifacts(self) -> None:
        mlflow = self.client("plain", 3)
        mlflow.start_run()
        run, root = mlflow.run_id, f"0/{mlflow.run_id}/artifacts"
        self.assertEqual({"root_uri": f"mlflow-artifacts:/{root}"}, self.call(f"GET {API}/artifacts/list", run_id=run))
        upload = self.call(f"POST {API}/artifacts/presigned-upload-url", run_id=run, path="up/a.txt", expiration=60)
        self.assertEqual(200, self.wire.raw("PUT", upload["presigned_url"], b"0123456789", signed=True).status)
        files = self.call(f"GET {API}/artifacts/list", run_id=run, path="up")["files"]
        self.assertEqual([{"path": "up/a.txt", "is_dir": False, "file_size": 10}], files)
        part = self.wire.raw("GET", f"{PROXY}/{root}/up/a.txt", headers={"Range": "bytes=2-4"})
        self.assertEqual((206, b"234"), (part.status, part.body))
        presigned = self.wire.raw("GET", f"/api/2.0/mlflow-artifacts/presigned/{root}/up/a.txt").json()
        self.assertEqual([], REFERENCE.check_answer("GET /api/2.0/mlflow-artifacts/presigned/<path:artifact_path>", presigned))
        self.assertEqual((10, b"345"), (presigned["file_size"], self.wire.raw("GET", presigned["url"], headers={"Range": "bytes=3-5"}, signed=True).body))
        self.multipart(root)
        self.assertEqual(b"0123456789", self.wire.raw("GET", f"/get-artifact?run_uuid={run}&path=up/a.txt").body)
        self.assertEqual({}, self.wire.raw("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=ui/b.txt", b"from the page").json())
        self.assertEqual(b"from the page", self.wire.raw("GET", f"/get-artifact?run_uuid={run}&path=ui/b.txt").body)
        with self.assertRaisesRegex(MlflowError, "INVALID_PARAMETER_VALUE: Invalid path"):
            self.wire.raw("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=../b.txt", b"x")
        with self.assertRaisesRegex(MlflowError, "INVALID_PARAMETER_VALUE: .*10"):
            self.wire.raw("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=b.txt", bytes(10 * 1024 * 1024 + 1))
        self.assertEqual({}, self.wire.raw("DELETE", f"{PROXY}/{root}/up").json())
        with self.assertRaisesRegex(MlflowError, "RESOURCE_DOES_NOT_EXIST"):
            self.wire.raw("GET", f"{PROXY}/{root}/up/a.txt")
        for path in ("%2e%2e/x", "a%5Cb", "a/%252e%252e/%252e%252e/x"):
            with self.assertRaisesRegex(MlflowError, "400 INVALID_PARAMETER_VALUE: Invalid path"):
                self.wire.raw("PUT", f"{PROXY}/{root}/{path}", b"x")
        CALLED.update(f"{method} /api/2.0/mlflow-artifacts/{path}<path:artifact_path>" for method, path in (
            ("GET", "presigned/"), ("DELETE", "artifacts/"), ("POST", "mpu/create/"), ("POST", "mpu/complete/"), ("POST", "mpu/abort/")))

    def multipart(self, root: str) -> None:
        base = "/api/2.0/mlflow-artifacts/mpu"
        made = self.wire.send("POST", f"{base}/create/{root}/big.bin", {"path": f"{root}/big.bin", "num_parts": 2})
        self.assertEqual([], REFERENCE.check_answer(f"POST {base}/create/<path:artifact_path>", made))
        parts = []
        for credential, content in zip(made["credentials"], (b"first", b"second")):
            put = self.wire.raw("PUT", credential["url"], content, credential.get("headers"), signed=True)
            parts.append({"part_number": credential["part_number"], "etag": put.headers["ETag"], "url": credential["url"]})
        done = self.wire.send("POST", f"{base}/complete/{root}/big.bin", {"path": f"{root}/big.bin", "upload_id": made["upload_id"], "parts": parts})
        self.assertEqual(({}, b"firstsecond"), (done, self.wire.raw("GET", f"{PROXY}/{root}/big.bin").body))
        made = self.wire.send("POST", f"{base}/create/{root}/none.bin", {"path": f"{root}/none.bin", "num_parts": 1})
        self.assertEqual({}, self.wire.send("POST", f"{base}/abort/{root}/none.bin", {"path": f"{root}/none.bin", "upload_id": made["upload_id"]}))


class Traces(Contract):
    def test_traces(self) -> None:
        old, new = self.client("plain", 2), self.client("plain", 3)
        experiment = old.set_experiment(unique("exp"))["experiment_id"]
        new.set_experiment(new.wire.call(f"GET {API}/experiments/get", {"experiment_id": experiment})["experiment"]["name"])
        second, third = old.trace(), new.trace()
        for version, name in ((API, "request_id"), (NEW, "trace_id")):
            self.assertEqual({}, self.call(f"PATCH {version}/traces/{{{name}}}/tags", **{name: third, "key": "k", "value": "v"}))
            self.assertEqual({}, self.call(f"DELETE {version}/traces/{{{name}}}/tags", **{name: third, "key": "k"}))
        self.missing(f"DELETE {NEW}/traces/{{trace_id}}/tags", f"No trace tag with key 'k' for trace with ID '{third}'", trace_id=third, key="k")
        whole = self.call(f"GET {NEW}/traces/get", trace_id=third, allow_partial=True)["trace"]
        self.assertEqual(["predict"], [span["name"] for span in whole["spans"]])
        self.assertEqual(whole["trace_info"], self.call(f"GET {NEW}/traces/{{trace_id}}", trace_id=third)["trace"]["trace_info"])
        infos = self.call(f"POST {NEW}/traces/batchGetInfos", trace_ids=[second, third, "tr-none"])["trace_infos"]
        self.assertEqual([second, third], [info["trace_id"] for info in infos])
        run = new.start_run()["info"]["run_id"]
        self.assertEqual({}, self.call(f"POST {API}/traces/link-to-run", trace_ids=[second, third], run_id=run))
        self.assertEqual({}, self.call(f"POST {API}/traces/link-prompts", trace_id=third, prompt_versions=[{"name": "hello", "version": "1"}]))
        tags = self.call(f"GET {NEW}/traces/{{trace_id}}", trace_id=third)["trace"]["trace_info"]["tags"]
        self.assertEqual([{"name": "hello", "version": "1"}], json.loads(tags["mlflow.linkedPrompts"]))
        self.bad(f"POST {API}/traces/link-to-run", "100 traces", trace_ids=[third] * 101, run_id=run)
        self.assertEqual(b'{"spans": []}', self.wire.raw("GET", f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={third}").body)
        self.assertEqual({"traces_deleted": 1}, self.call(f"POST {API}/traces/delete-traces", experiment_id=experiment, request_ids=[second]))
        self.assertEqual({"traces_deleted": 1}, self.call(f"POST {NEW}/traces/delete-traces", experiment_id=experiment, max_timestamp_millis=now(), max_traces=10))

    def test_figures_of_traces(self) -> None:
        mlflow = self.client("plain", 3)
        experiment = mlflow.set_experiment(unique("exp"))["experiment_id"]
        mlflow.trace()
        mlflow.trace()
        count = {"experiment_ids": [experiment], "view_type": "TRACES", "metric_name": "trace_count", "aggregations": [{"aggregation_type": "COUNT"}]}
        points = self.call(f"POST {NEW}/traces/metrics", **count, dimensions=["trace_name"])["data_points"]
        self.assertEqual([{"metric_name": "trace_count", "dimensions": {"trace_name": "predict"}, "values": {"COUNT": 2}}], points)
        spread = self.call(f"POST {NEW}/traces/metrics", **{**count, "metric_name": "latency", "aggregations": [{"aggregation_type": "PERCENTILE", "percentile_value": 50}]})
        self.assertEqual([1500.0], list(spread["data_points"][0]["values"].values()))
        together = self.call(f"POST {NEW}/traces/calculate-filter-correlation", experiment_ids=[experiment], filter_string1="status = 'OK'", filter_string2="name = 'predict'")
        self.assertEqual((2, 2, 2, 2), tuple(together[name] for name in ("filter1_count", "filter2_count", "joint_count", "total_count")))

    def test_assessments(self) -> None:
        mlflow = self.client("plain", 3)
        mlflow.set_experiment(unique("exp"))
        trace = mlflow.trace()
        route = f"{NEW}/traces/{{trace_id}}/assessments/{{assessment_id}}"
        said = {"assessment_name": "good", "trace_id": trace, "source": {"source_type": "HUMAN", "source_id": "me"}, "feedback": {"value": True}, "rationale": "because", "metadata": {"a": "1"}}
        made = self.call(f"POST {NEW}/traces/{{assessment.trace_id}}/assessments", assessment=said)["assessment"]
        ids = {"trace_id": trace, "assessment_id": made["assessment_id"]}
        self.assertEqual({**said, **{name: made[name] for name in ("assessment_id", "create_time", "last_update_time", "valid")}}, made)
        self.assertEqual(made, self.call(f"GET {route}", **ids)["assessment"])
        changed = self.call(f"PATCH {route}", assessment={**ids, "feedback": {"value": 0.5}}, update_mask="feedback", **ids)["assessment"]
        self.assertEqual(({"value": 0.5}, "because"), (changed["feedback"], changed["rationale"]))
        expected = {"assessment_name": "answer", "trace_id": trace, "source": {"source_type": "CODE", "source_id": "x"}, "expectation": {"value": {"a": [1]}}}
        self.call(f"POST {NEW}/traces/{{assessment.trace_id}}/assessments", assessment=expected)
        found = self.call(f"GET {NEW}/traces/{{trace_id}}", trace_id=trace)["trace"]["trace_info"]["assessments"]
        self.assertEqual(["good", "answer"], [item["assessment_name"] for item in found])
        self.assertEqual({}, self.call(f"DELETE {route}", **ids))
        self.missing(f"GET {route}", f"Assessment with ID '{made['assessment_id']}' not found for trace '{trace}'", **ids)
