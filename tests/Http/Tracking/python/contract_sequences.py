"""Section 10 of the contract: what user code makes the official clients send, and send again."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Any, Dict, List

from contract_base import MOUNTS, SCOPE, SERVER, TOKEN, Contract, unique
from mlflow_fluent import API, NEW, Fluent
from mlflow_wire import Transport


class Sequences(Contract):
    """Section 10 of the contract: what user code makes the official clients send."""

    def each(self) -> List[Any]:
        return [(generation, mount, self.client(mount, generation)) for generation in (2, 3) for mount in MOUNTS]

    def test_a_training_script(self) -> None:
        for _, mount, mlflow in self.each():
            name = unique("exp")
            experiment = mlflow.set_experiment(name)
            self.assertEqual((name, "active"), (experiment["name"], experiment["lifecycle_stage"]))
            self.assertEqual(experiment, mlflow.set_experiment(name))
            run = mlflow.start_run("first")
            self.assertEqual({}, run["inputs"])
            self.assertNotIn("outputs", run)
            self.assertEqual(("first", "RUNNING", "me"), (run["info"]["run_name"], run["info"]["status"], run["info"]["user_id"]))
            mlflow.log_param("lr", 0.1)
            mlflow.log_params({"depth": 3, "empty": ""})
            mlflow.log_metric("loss", 0.5, step=1)
            mlflow.log_metric("odd", "NaN")
            mlflow.log_metric("odd", "Infinity", step=1)
            mlflow.log_metrics({"loss": 0.25, "acc": 0.75}, step=2)
            mlflow.set_tag("stage", "test")
            mlflow.log_text("hello", "notes/hello.txt")
            mlflow.log_text('{"a": 1}', "config.json")
            self.assertEqual([("config.json", False), ("notes", True)], sorted((file["path"], file["is_dir"]) for file in mlflow.list_artifacts()))
            self.assertEqual([("hello.txt", False)], [(file["path"], file["is_dir"]) for file in mlflow.list_artifacts("notes")])
            self.assertEqual("hello", mlflow.load_text("notes/hello.txt"))
            mlflow.log_input("iris", "abc123", "training")
            self.assertEqual("FINISHED", mlflow.end_run()["status"])
            found = mlflow.search_runs(name)
            self.assertEqual([mlflow.get_run()], found)
            data = found[0]["data"]
            self.assertEqual({"lr": "0.1", "depth": "3", "empty": ""}, {param["key"]: param["value"] for param in data["params"]})
            self.assertEqual({"loss": 0.25, "acc": 0.75, "odd": "Infinity"}, {metric["key"]: metric["value"] for metric in data["metrics"]})
            tags = {tag["key"]: tag["value"] for tag in data["tags"]}
            self.assertEqual(("first", "me", "test", "LOCAL"), tuple(tags[key] for key in ("mlflow.runName", "mlflow.user", "stage", "mlflow.source.type")))
            dataset = found[0]["inputs"]["dataset_inputs"][0]
            self.assertEqual(("iris", "abc123", "local", [{"key": "mlflow.data.context", "value": "training"}]), (dataset["dataset"]["name"], dataset["dataset"]["digest"], dataset["dataset"]["source_type"], dataset["tags"]))
            self.assertEqual([0.5, 0.25], [point["value"] for point in mlflow.get_metric_history("loss", size=1)])
            self.assertEqual(["NaN", "Infinity"], [point["value"] for point in mlflow.get_metric_history("odd")])
            uri = found[0]["info"]["artifact_uri"]
            expected = f"azureml://localhost:8443/mlflow/v2.0{SCOPE}/experiments/" if mount.startswith("azure") else "mlflow-artifacts:/"
            self.assertTrue(uri.startswith(expected) and uri.endswith(f"/{mlflow.run_id}/artifacts"), uri)

    def test_a_model_is_logged_registered_named_and_loaded(self) -> None:
        for generation, mount, mlflow in self.each():
            name = unique("model")
            mlflow.set_experiment(unique("exp"))
            mlflow.start_run()
            mlflow.log_param("lr", 0.1)
            mlflow.log_metric("loss", 0.5, step=1)
            mlflow.log_metric("odd", "NaN")
            version = mlflow.log_model("model", registered=name)
            self.assertEqual(("1", "READY", "None"), (version["version"], version["status"], version["current_stage"]))
            self.assertEqual(("2", mlflow.run_id), (mlflow.log_model("again", registered=name)["version"], version["run_id"]))
            mlflow.set_alias(name, "champion", "1")
            files = mlflow.load_model(name, "champion")
            self.assertIn("loader_module", files["MLmodel"].decode())
            self.assertEqual(7, len(files))
            wire = mlflow.wire
            found = wire.call(f"GET {API}/model-versions/search", {"filter": f"name='{name}'", "max_results": 10_000})["model_versions"]
            self.assertEqual(["2", "1"], [item["version"] for item in found])
            self.assertEqual(["champion"], found[1]["aliases"])
            listed = wire.call(f"GET {API}/registered-models/search", {"filter": "tag.`mlflow.prompt.is_prompt` != 'true'", "max_results": 100})["registered_models"]
            self.assertIn(name, [item["name"] for item in listed])
            run = mlflow.get_run()
            self.assertEqual({"loss": 0.5, "odd": "NaN"}, {metric["key"]: metric["value"] for metric in run["data"]["metrics"]})
            self.assertEqual([0.5], [point["value"] for point in mlflow.get_metric_history("loss")])
            if generation == 3:
                self.logged_model(mlflow, run, version["model_id"], name)
            else:
                history = next(tag["value"] for tag in run["data"]["tags"] if tag["key"] == "mlflow.log-model.history")
                self.assertEqual(["model", "again"], [item["artifact_path"] for item in json.loads(history)])

    def logged_model(self, mlflow: Fluent, run: Dict[str, Any], model_id: str, name: str) -> None:
        self.assertIn({"model_id": model_id, "step": 0}, run["outputs"]["model_outputs"])
        model = mlflow.wire.call(f"GET {API}/logged-models/{{model_id}}", {"model_id": model_id})["model"]
        self.assertEqual([{"name": name, "version": "1"}], model["info"]["registrations"])
        self.assertEqual([{"key": "lr", "value": "0.1"}], model["data"]["params"])
        self.assertEqual([("loss", 0.5), ("odd", "NaN")], sorted((metric["key"], metric["value"]) for metric in model["data"]["metrics"]))
        self.assertTrue(all((metric["run_id"], metric["model_id"]) == (mlflow.run_id, model_id) for metric in model["data"]["metrics"]))
        self.assertIn("mlflow.modelVersions", [tag["key"] for tag in model["info"]["tags"]])

    def test_calls_are_traced_and_found(self) -> None:
        for generation, mount, mlflow in self.each():
            if mount == "ajax":
                continue  # Spans go to /v1/traces, which has no other name.
            experiment = mlflow.set_experiment(unique("exp"))["experiment_id"]
            trace = mlflow.trace()
            wire = mlflow.wire
            if generation == 2:
                found = wire.call(f"GET {API}/traces", {"experiment_ids": [experiment], "max_results": 100})["traces"]
                self.assertEqual([trace], [item["request_id"] for item in found])
                self.assertEqual(found[0], wire.call(f"GET {API}/traces/{{request_id}}/info", {"request_id": trace})["trace_info"])
            else:
                location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
                found = wire.call(f"POST {NEW}/traces/search", {"locations": [location], "max_results": 100})["traces"]
                self.assertEqual([(trace, "OK", "1.500s")], [(item["trace_id"], item["state"], item["execution_duration"]) for item in found])
                spans = wire.call(f"GET {NEW}/traces/batchGet", {"trace_ids": [trace]})["traces"][0]["spans"]
                self.assertEqual(["predict"], [span["name"] for span in spans])

    def test_prompts_are_registered_and_loaded(self) -> None:
        for _, _, mlflow in self.each():
            name = unique("prompt")
            self.assertEqual("1", mlflow.register_prompt(name, "Say {{x}}")["version"])
            self.assertEqual("2", mlflow.register_prompt(name, "Shout {{x}}")["version"])
            self.assertEqual("Say {{x}}", mlflow.load_prompt(name, "1"))
            mlflow.wire.call(f"POST {API}/registered-models/alias", {"name": name, "alias": "live", "version": "2"})
            found = mlflow.wire.call(f"GET {API}/registered-models/alias", {"name": name, "alias": "live"})["model_version"]
            self.assertEqual("2", found["version"])
            prompts = mlflow.wire.call(f"GET {API}/registered-models/search", {"filter": f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` = 'true'"})["registered_models"]
            self.assertEqual([name], [item["name"] for item in prompts])


class Flaky(http.server.BaseHTTPRequestHandler):
    """Passes calls on, and loses the first answers as the list says: a status, or 0 for an answer that is lost after the server gave it."""

    protocol_version = "HTTP/1.1"
    plan: List[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = Flaky.plan.pop(0) if Flaky.plan else None
        if fault in (None, 0):
            onward = Transport(SERVER, TOKEN, "3.11.2")
            answer = onward.send("POST", self.path, body, {"Content-Type": "application/json"})
            onward.close()
            if fault == 0:
                self.close_connection = True
                return
            self.answer(answer.status, answer.body)
        else:
            self.answer(fault, b"{}")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "3") if status == 429 else None
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Retries(Contract):
    def test_what_a_client_sends_again_is_logged_once(self) -> None:
        waits: List[float] = []
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky) as flaky:
            threading.Thread(target=flaky.serve_forever, daemon=True).start()
            mlflow = self.client("plain", 3)
            mlflow.start_run()
            through = Transport(f"http://127.0.0.1:{flaky.server_port}", TOKEN, "3.11.2", waits.append)
            self.transports.append(through)
            direct, mlflow.wire.transport = mlflow.wire.transport, through
            Flaky.plan = [503, 0, 429, 0]
            mlflow.log_metrics({"loss": 0.5, "odd": "NaN"}, step=1)
            Flaky.plan = [0]
            mlflow.log_param("lr", 1)
            mlflow.wire.transport = direct
            flaky.shutdown()
        self.assertEqual([2, 4, 3, 16, 2], waits)
        self.assertEqual(1, len(mlflow.get_metric_history("loss")))
        self.assertEqual(1, len(mlflow.get_metric_history("odd")))
