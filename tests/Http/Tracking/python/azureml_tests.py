"""What Azure's MLflow plugin, azureml-core and promptflow do beside MLflow's own calls, replayed against a server that listens. Run by ContractTests.cs."""

from __future__ import annotations

import base64
import json
import os
import time
import unittest
import uuid
from datetime import datetime, timezone
from typing import Any, Dict, List

from azureml_plugin import RunArtifacts, Service, ServiceError
from mlflow_fluent import API, PROXY, Fluent, now
from mlflow_reference import Reference
from mlflow_wire import MlflowError, Transport, Wire

SERVER = os.environ["TEST_SERVER"]
SCOPE = os.environ["TEST_SCOPE"]
JOB, JOB_TOKEN, OTHER_TOKEN = os.environ["TEST_JOB"], os.environ["TEST_JOB_TOKEN"], os.environ["TEST_OTHER_TOKEN"]
REFERENCE = Reference(os.environ["TEST_REFERENCE"])
HISTORY, ARTIFACT, METRIC = "/history/v1.0", "/artifact/v2.0", "/metric/v2.0"


class Plugin(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.transports: List[Transport] = []
        self.owner = self.client(os.environ["TEST_TOKEN"])
        self.service = self.owner.azure.service

    def tearDown(self) -> None:
        for transport in self.transports:
            transport.close()

    def client(self, token: str) -> Fluent:
        transport = Transport(SERVER, token, "2.17.3")
        self.transports.append(transport)
        return Fluent(Wire(transport, REFERENCE, "/mlflow/v2.0" + SCOPE), 2, RunArtifacts(Service(transport, SCOPE)))

    def refused(self, status: int, message: str, method: str, service: str, below: str, body: Any = None, by: Any = None, **query: str) -> None:
        with self.assertRaises(ServiceError) as caught:
            (by or self.service).call(method, service, below, body, **query)
        self.assertEqual(status, caught.exception.status, caught.exception)
        self.assertIn(message, caught.exception.message)

    def upload(self, files: Dict[str, bytes]) -> str:
        """As mlflow.register_model("file://...") does; the container."""
        container = datetime.now(timezone.utc).strftime("%y%m%d%H%M%S") + "-" + uuid.uuid4().hex[:8]
        made = self.service.call("POST", ARTIFACT, f"/artifacts/LocalUpload/{container}/batch/metadata", {"paths": [{"path": path} for path in files]})
        for path, content in files.items():
            self.assertEqual(("LocalUpload", container, path), tuple(made["artifacts"][path][name] for name in ("origin", "container", "path")))
            self.service.put_blob(made["artifactContentInformation"][path]["contentUri"], content)
        return container


class Models(Plugin):
    def test_a_local_model_is_registered_and_loaded(self) -> None:
        files = {"model/MLmodel": b"flavors:\n  python_function: {}\n", "model/data/model.pkl": b"\x80\x04"}
        container = self.upload(files)
        name = "local-" + container[-8:]
        wire = self.owner.wire
        wire.call(f"POST {API}/registered-models/create", {"name": name})
        source = f"azureml://artifacts/LocalUpload/{container}/model"
        version = wire.call(f"POST {API}/model-versions/create", {"name": name, "source": source})["model_version"]
        self.assertEqual((source, "1", "READY"), (version["source"], version["version"], version["status"]))
        asset = self.service.call("GET", "", f"/models/{name}/versions/1", **{"api-version": "2023-04-01"})
        self.assertEqual("mlflow_model", asset["properties"]["modelType"])
        self.assertIn(f"/paths/LocalUpload/{container}/model", asset["properties"]["modelUri"])
        uri = wire.call(f"GET {API}/model-versions/get-download-uri", {"name": name, "version": "1"})["artifact_uri"]
        proxied = self.owner.proxied
        self.assertEqual([("MLmodel", False), ("data", True)], sorted((file["path"], file["is_dir"]) for file in proxied.list(uri)))
        self.assertEqual(files["model/data/model.pkl"], proxied.get(uri, "data/model.pkl"))
        with self.assertRaisesRegex(MlflowError, "INVALID_PARAMETER_VALUE: Invalid model version source"):
            wire.call(f"POST {API}/model-versions/create", {"name": name, "source": "azureml://artifacts/LocalUpload/../model"})

    def test_a_model_of_a_run_is_registered_by_its_uri_and_loaded(self) -> None:
        mlflow = self.owner
        mlflow.start_run()
        name = "of-run-" + uuid.uuid4().hex[:8]
        version = mlflow.log_model("model", name)
        self.assertTrue(version["source"].startswith("azureml://"), version)
        uri = mlflow.wire.call(f"GET {API}/model-versions/get-download-uri", {"name": name, "version": "1"})["artifact_uri"]
        self.assertEqual(version["source"], uri)
        self.assertEqual(7, len(mlflow.azure.download_folder(uri)))


class Artifacts(Plugin):
    def test_an_upload_is_described_read_overwritten_and_deleted(self) -> None:
        container = self.upload({"a/b.txt": b"0123456789", "a2/c.txt": b"c"})
        root = f"/artifacts/LocalUpload/{container}"
        self.refused(409, f"Resource Conflict: ArtifactId LocalUpload/{container}/a/b.txt already exists", "POST", ARTIFACT, root + "/batch/metadata", {"paths": [{"path": "a/b.txt"}]})
        self.assertEqual(["a/b.txt", "a2/c.txt"], [item["path"] for item in self.service.follow("GET", ARTIFACT, root)])
        self.assertEqual(["a/b.txt"], [item["path"] for item in self.service.follow("GET", ARTIFACT, root, path="a")])
        about = self.service.call("GET", ARTIFACT, root + "/metadata", path="a/b.txt")
        self.assertEqual((f"LocalUpload/{container}/a/b.txt", 10), (about["artifactId"], about["contentLength"]))
        self.assertEqual({"dataStoreName": "workspaceartifactstore", "relativePath": f"LocalUpload/{container}/a/b.txt"}, about["dataPath"])
        read = self.service.call("GET", ARTIFACT, root + "/contentinfo", path="a/b.txt")
        self.assertEqual(b"0123456789", self.service.get_blob(read["contentUri"]))
        plain = self.service.call("GET", ARTIFACT, root + "/contentinfo/storageuri", path="a/b.txt")["contentUri"]
        self.assertEqual(read["contentUri"].split("?")[0], plain)
        self.assertEqual(2, len(self.service.follow("GET", ARTIFACT, root + "/prefix/contentinfo")))
        self.assertNotIn("sig=", self.service.follow("GET", ARTIFACT, root + "/prefix/contentinfo/storageuri")[0]["contentUri"])
        self.service.put_blob(self.service.call("GET", ARTIFACT, root + "/write", path="a/b.txt")["contentUri"], b"again")
        raw = self.service.transport.send("GET", f"{ARTIFACT}{SCOPE}{root}/content?path=a/b.txt", headers={"Range": "bytes=1-2"})
        self.assertEqual((206, b"ga"), (raw.status, raw.body))
        ids = [f"LocalUpload/{container}/a/b.txt", f"LocalUpload/{container}/none", "ExperimentRun/dcid.none/x"]
        for path, signed in (("/artifacts/batch/metadata", True), ("/artifacts/storageuri/batch/metadata", False)):
            found = self.service.call("POST", ARTIFACT, path, {"artifactIds": ids})
            self.assertEqual(([ids[0]], ids[1:]), (list(found["artifacts"]), list(found["errors"])))
            self.assertEqual(signed, "sig=" in found["artifactContentInformation"][ids[0]]["contentUri"])
        self.service.call("DELETE", ARTIFACT, root + "/metadata", path="a/b.txt")
        self.refused(404, f"Artifact LocalUpload/{container}/a/b.txt was not found", "GET", ARTIFACT, root + "/contentinfo", path="a/b.txt")
        self.service.call("POST", ARTIFACT, root + "/batch/metadata:delete", {"paths": [{"path": "a2/c.txt"}]})
        self.service.call("DELETE", ARTIFACT, root + "/batch")
        self.assertEqual([], self.service.follow("GET", ARTIFACT, root))

    def test_content_is_sent_to_the_service_itself(self) -> None:
        container = uuid.uuid4().hex
        root = f"{ARTIFACT}{SCOPE}/artifacts/LocalUpload/{container}"
        made = self.service.call("POST", ARTIFACT, "/artifacts/metadata", {"origin": "LocalUpload", "container": container, "path": "empty.txt"})
        self.assertEqual(0, made["contentLength"])

        def send(query: str) -> Any:
            return self.service.transport.send("POST", f"{root}/content?path=x.bin{query}", b"\x00\x01", {"Content-Type": "application/octet-stream"})

        self.assertEqual([200, 409, 200, 400], [send(query).status for query in ("", "", "&allowOverwrite=true", "&append=true")])
        here = {"origin": "LocalUpload", "container": container, "path": "x.bin"}
        inside = {"dataStoreName": "workspaceartifactstore", "relativePath": f"LocalUpload/{container}/x.bin"}
        self.assertEqual(2, self.service.call("POST", ARTIFACT, "/artifacts/register", {**here, "dataPath": inside})["contentLength"])
        self.refused(400, "does not support an artifact whose content lies elsewhere", "POST", ARTIFACT, "/artifacts/register", {**here, "dataPath": {"dataStoreName": "workspaceblobstore", "relativePath": "x"}})

    def test_a_run_is_a_container_too(self) -> None:
        mlflow = self.owner
        mlflow.start_run()
        root = f"/artifacts/ExperimentRun/dcid.{mlflow.run_id}"
        mlflow.log_text("hello", "notes/a.txt")
        self.assertEqual(["notes/a.txt"], [item["path"] for item in self.service.follow("GET", ARTIFACT, root)])
        made = self.service.call("POST", ARTIFACT, root + "/batch/metadata", {"paths": [{"path": "notes/b.txt"}, {"path": "notes/a.txt"}]})
        self.assertEqual((["notes/b.txt"], ["notes/a.txt"]), (list(made["artifacts"]), list(made["errors"])))
        self.service.put_blob(made["artifactContentInformation"]["notes/b.txt"]["contentUri"], b"b")
        self.assertEqual("b", mlflow.load_text("notes/b.txt"))
        names = [item["path"] for item in self.service.follow("GET", HISTORY, f"/experiments/Default/runs/{mlflow.run_id}/artifacts")]
        self.assertEqual(["notes/a.txt", "notes/b.txt"], names)

    def test_what_leads_out_or_is_not_known_is_refused(self) -> None:
        post = {"paths": [{"path": "x"}]}
        for origin, container, message in (("Dataset", "c", "origin 'Dataset'"), ("LocalUpload", "..", ""), ("LocalUpload", "a..b", "name of a container"), ("LocalUpload", "-a", "name of a container")):
            with self.assertRaises((ServiceError, ValueError)) as caught:
                self.service.call("POST", ARTIFACT, f"/artifacts/{origin}/{container}/batch/metadata", post)
            self.assertIn(message, str(caught.exception))
        root = "/artifacts/LocalUpload/c1"
        for path in ("../x", "/etc/passwd", "a/../../x", "a\\b", "%2e%2e/x", ""):
            self.refused(400, "", "POST", ARTIFACT, root + "/batch/metadata", {"paths": [{"path": path}]})
            self.refused(400, "", "GET", ARTIFACT, root + "/write", path=path)
        self.refused(400, "1 to 1000 paths", "POST", ARTIFACT, root + "/batch/metadata", {"paths": [{"path": f"f{number}"} for number in range(1001)]})
        self.refused(400, "does not support the ingestion of artifacts", "POST", ARTIFACT, root + "/batch/ingest/containersas", {"containerSas": "x", "containerUri": "y"})
        self.refused(404, "Run none was not found", "GET", ARTIFACT, "/artifacts/ExperimentRun/dcid.none")
        self.refused(400, "3 problems", "POST", ARTIFACT, "/artifacts/metadata", {})

    def test_a_job_reaches_its_own_run_and_changes_no_upload(self) -> None:
        container, job = self.upload({"a.txt": b"a"}), self.client(JOB_TOKEN)
        service, foreign = job.azure.service, self.owner.start_run()["info"]["run_id"]
        post = {"paths": [{"path": "outputs/x.txt"}]}
        made = service.call("POST", ARTIFACT, f"/artifacts/ExperimentRun/dcid.{JOB}/batch/metadata", post)
        service.put_blob(made["artifactContentInformation"]["outputs/x.txt"]["contentUri"], b"x")
        for below, body in (
            (f"/artifacts/ExperimentRun/dcid.{foreign}/batch/metadata", post), (f"/artifacts/ExperimentRun/dcid.{JOB}/batch/metadata", {"paths": [{"path": "user_logs/std_log.txt"}]}),
        ):
            self.refused(403, JOB if "user_logs" in str(body) else "may write to the job's own run", "POST", ARTIFACT, below, body, by=service)
        root = f"/artifacts/LocalUpload/{container}"
        self.refused(403, "may not delete uploads", "DELETE", ARTIFACT, root + "/metadata", by=service, path="a.txt")
        self.refused(409, "already exists", "GET", ARTIFACT, root + "/write", by=service, path="a.txt")
        self.assertTrue(service.call("GET", ARTIFACT, root + "/write", path="new.txt")["contentUri"])


class Runs(Plugin):
    def test_a_job_renews_its_token_and_nobody_else_gets_it(self) -> None:
        job = self.client(JOB_TOKEN)
        experiment = job.get_run(JOB)["info"]["experiment_id"]
        for below in (f"/experimentids/{experiment}/runs/{JOB}/token", f"/experiments/jobs/runs/{JOB}/token"):
            renewed = job.azure.service.call("GET", HISTORY, below)
            payload = renewed["token"].split(".")[1]
            expiry = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
            self.assertGreater(expiry, time.time() + 95)
            self.assertEqual(expiry, int(datetime.fromisoformat(renewed["expiryTimeUtc"][:19] + "+00:00").timestamp()))
            self.client(renewed["token"]).wire.call(f"POST {API}/runs/set-tag", {"run_uuid": JOB, "run_id": JOB, "key": "renewed", "value": "yes"})
            for other in (self.service, self.client(OTHER_TOKEN).azure.service):
                self.refused(403, "given to its own job only", "GET", HISTORY, below, by=other)
        self.refused(404, "was not found", "GET", HISTORY, f"/experimentids/{experiment}/runs/none/token")

    def test_an_evaluation_of_promptflow_is_logged(self) -> None:
        """promptflow-evals posts by hand: a run in experiment 0, metrics, an artifact by run history, the end."""
        wire, mlflow = self.owner.wire, self.owner
        run = wire.call(f"POST {API}/runs/create", {"experiment_id": "0", "user_id": "azure-ai-evaluation", "start_time": now(), "tags": [{"key": "mlflow.user", "value": "azure-ai-evaluation"}]})["run"]
        run_id = run["info"]["run_id"]
        wire.call(f"POST {API}/runs/log-metric", {"run_id": run_id, "key": "relevance", "value": 4.5, "timestamp": now(), "step": 0})
        made = self.service.call("POST", HISTORY, f"/experimentids/0/runs/{run_id}/artifacts/batch/metadata", {"paths": [{"path": "instance_results.jsonl"}]})
        self.service.put_blob(made["artifactContentInformation"]["instance_results.jsonl"]["contentUri"], b"{}\n")
        info = wire.call(f"POST {API}/runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": now()})["run_info"]
        self.assertEqual("FINISHED", info["status"])
        self.assertEqual(b"{}\n", mlflow.azure.get(run["info"]["artifact_uri"], "instance_results.jsonl"))
        self.assertEqual([], wire.problems)


class Metrics(Plugin):
    def log(self, run: str, *metrics: Dict[str, Any], verb: str = "batch", **more: Any) -> Any:
        return self.service.call("POST", METRIC, f"/runs/{run}/{verb}", {"values": list(metrics), **more})

    @staticmethod
    def scalar(name: str, *values: Any, **more: Any) -> Dict[str, Any]:
        return {"name": name, "columns": {name: "Double"}, "properties": {"uxMetricType": "azureml.v1.scalar"}, "value": [{"data": {name: value}, **more} for value in values]}

    def test_what_one_side_logs_the_other_reads_while_the_run_goes_on(self) -> None:
        mlflow = self.owner
        run = mlflow.start_run()["info"]["run_id"]
        self.assertEqual({"errors": []}, self.log(run, self.scalar("acc", 0.5, step=0), verb="batchsync"))
        self.log(run, self.scalar("acc", 0.75, step=1, createdUtc="2025-01-31T12:00:00.5Z"), self.scalar("odd", "NaN"), self.scalar("many", 3, 2, 2))
        self.assertEqual([("acc", 0.75), ("many", 2), ("odd", "NaN")], sorted((metric["key"], metric["value"]) for metric in mlflow.get_run()["data"]["metrics"]))
        self.assertEqual([3, 2, 2], [point["value"] for point in mlflow.get_metric_history("many")])
        mlflow.log_metric("loss", 0.25, step=7, timestamp=1_738_324_800_123)
        listed = self.service.call("POST", METRIC, f"/runs/{run}/list", {})
        self.assertEqual(["acc", "loss", "many", "odd"], [item["metricKey"]["name"] for item in listed["value"]])
        self.assertEqual({"uxMetricType": "azureml.v1.scalar"}, listed["value"][0]["properties"])
        full = self.service.call("POST", METRIC, f"/runs/{run}/full", {"metricName": "loss"})
        point = full["value"][0]
        self.assertEqual(("dcid." + run, {"loss": "Double"}, 7, {"loss": 0.25}, "2025-01-31T12:00:00.1230000Z"), (full["dataContainerId"], full["columns"], point["step"], point["data"], point["createdUtc"]))
        early = self.service.call("POST", METRIC, f"/runs/{run}/full", {"metricName": "acc", "startTime": "2025-01-31T12:00:00Z", "endTime": "2025-01-31T13:00:00Z"})
        self.assertEqual([0.75], [item["data"]["acc"] for item in early["value"]])
        sample = self.service.call("POST", METRIC, f"/runs/{run}/sample", {"metricName": "many"})
        self.assertEqual((False, 3, [3, 2, 2]), (sample["isPartialResult"], sample["numValuesLogged"], [item["data"]["many"] for item in sample["value"]]))

    def test_a_long_metric_comes_in_pages_and_as_a_sample_with_its_peak(self) -> None:
        mlflow = self.owner
        run = mlflow.start_run()["info"]["run_id"]
        values = [1.0] * 10_500
        values[5_001] = 99.0
        for start in range(0, len(values), 5_000):
            self.log(run, {**self.scalar("m"), "value": [{"data": {"m": value}, "step": start + at, "createdUtc": "2025-01-31T12:00:00Z"} for at, value in enumerate(values[start:start + 5_000])]})
        first = self.service.call("POST", METRIC, f"/runs/{run}/full", {"metricName": "m"})
        rest = self.service.call("POST", METRIC, f"/runs/{run}/full", {"metricName": "m", "continuationToken": first["continuationToken"]})
        self.assertEqual((10_000, 500, None), (len(first["value"]), len(rest["value"]), rest["continuationToken"]))
        self.assertEqual(10_500, len({point["metricId"] for page in (first, rest) for point in page["value"]}))
        sample = self.service.call("POST", METRIC, f"/runs/{run}/sample", {"metricName": "m"})
        self.assertTrue(sample["isPartialResult"])
        self.assertIn(99.0, [point["data"]["m"] for point in sample["value"]])
        self.assertLess(len(sample["value"]), 1_100)

    def test_what_is_no_number_is_reported_or_nothing_is_logged(self) -> None:
        run = self.owner.start_run()["info"]["run_id"]
        table = {"name": "table", "columns": {"x": "Double", "y": "Double"}, "value": [{"data": {"x": 1, "y": 2}}]}
        words = self.scalar("words", "many")
        for wrong, message in ((table, "'table': only metrics with one column"), (words, "must be a number"), (self.scalar("../up", 1), "Invalid metric name")):
            self.refused(400, message, "POST", METRIC, f"/runs/{run}/batch", {"values": [self.scalar("fine", 1), wrong]})
        self.assertEqual([], self.service.call("POST", METRIC, f"/runs/{run}/list", {})["value"])
        reported = self.log(run, self.scalar("fine", 1), table, reportErrors=True)["errors"]
        self.assertEqual([("table", "OperationNotSupported")], [(error["metric"]["name"], error["errorResponse"]["error"]["code"]) for error in reported])
        self.assertEqual(["fine"], [item["metricKey"]["name"] for item in self.service.call("POST", METRIC, f"/runs/{run}/list", {})["value"]])
        self.refused(400, "1 to 1000 metrics", "POST", METRIC, f"/runs/{run}/batch", {"values": []})
        self.refused(400, "'metricName' is missing", "POST", METRIC, f"/runs/{run}/full", {})
        self.refused(400, "continuationToken", "POST", METRIC, f"/runs/{run}/full", {"metricName": "fine", "continuationToken": "bm90"})
        self.refused(404, "not found", "POST", METRIC, "/runs/none/list", {})
        self.refused(400, "does not support the deletion of metrics", "DELETE", METRIC, f"/runs/{run}/deleteMetrics")
        self.refused(403, "may write to the job's own run", "POST", METRIC, f"/runs/{run}/batch", {"values": [self.scalar("fine", 2)]}, by=self.client(JOB_TOKEN).azure.service)


if __name__ == "__main__":
    assert PROXY
    unittest.main(verbosity=0)
