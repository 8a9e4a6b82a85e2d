"""The table of limits, and what is refused by name."""

from __future__ import annotations

import os
import re
from typing import Dict, Any

from contract_base import REFERENCE, SERVER, Contract, refused_because, unique
from mlflow_fluent import API
from mlflow_wire import MlflowError, Transport, Wire


class Limits(Contract):
    """The table of limits: what is just allowed, and what is one too much."""

    def setUp(self) -> None:
        super().setUp()
        self.run_id = self.call(f"POST {API}/runs/create")["run"]["info"]["run_id"]

    def test_keys_and_values(self) -> None:
        long, run = "k" * 250, {"run_id": self.run_id}
        for route, fields in (("runs/log-metric", {"value": 1, "timestamp": 1}), ("runs/log-parameter", {"value": "1"}), ("runs/set-tag", {"value": "1"})):
            self.call(f"POST {API}/{route}", **run, key=long, **fields)
            self.bad(f"POST {API}/{route}", "had length 251, which exceeded length limit of 250", **run, key=long + "k", **fields)
            for key in ("/a", "a/../b", "a//b", "a\tb", "a,b"):
                self.bad(f"POST {API}/{route}", "Invalid ", **run, key=key, **fields)
            self.call(f"POST {API}/{route}", **run, key="a/b.c-d_e f:g", **fields)
        self.call(f"POST {API}/runs/log-parameter", **run, key="p", value="x" * 9000)
        self.call(f"POST {API}/runs/set-tag", **run, key="t", value="x" * 9000)
        data = self.call(f"GET {API}/runs/get", **run)["run"]["data"]
        self.assertEqual((6000, 8000), (len(next(p["value"] for p in data["params"] if p["key"] == "p")), len(next(t["value"] for t in data["tags"] if t["key"] == "t"))))

    def test_batches(self) -> None:
        route, run = f"POST {API}/runs/log-batch", {"run_id": self.run_id}
        metric, param = [{"key": "m", "value": 1, "timestamp": 1}], [{"key": f"p{i}", "value": "1"} for i in range(101)]
        self.call(route, **run, metrics=metric * 1000)
        self.bad(route, "A batch logging request can contain at most 1000 metrics. Got 1001 metrics.", **run, metrics=metric * 1001)
        self.bad(route, "at most 100 params. Got 101 params.", **run, params=param)
        self.bad(route, "at most 100 tags. Got 101 tags.", **run, tags=param)
        self.bad(route, "at most 1000 metrics, params, and tags", **run, metrics=metric * 950, params=param[:51])
        self.bad(route, "at most 1000000 bytes", **run, tags=[{"key": "t", "value": "x" * 1_000_000}])
        self.bad(route, "Duplicate parameter keys have been submitted: ['p0']", **run, params=[param[0], param[0]])
        self.bad(route, "Invalid run ID: '../x'", run_id="../x", metrics=metric)

    def test_experiments_and_registry(self) -> None:
        create = f"POST {API}/experiments/create"
        experiment = self.call(create, name=unique("e" * 491))["experiment_id"]
        self.bad(create, "exceeds the maximum length of 500 characters", name="e" * 501)
        self.bad(create, "Missing value for required parameter 'name'", name="")
        tag = f"POST {API}/experiments/set-experiment-tag"
        self.call(tag, experiment_id=experiment, key="k" * 250, value="v" * 5000)
        self.bad(tag, "exceeded length limit of 250", experiment_id=experiment, key="k" * 251, value="v")
        self.bad(tag, "exceeded length limit of 5000", experiment_id=experiment, key="k", value="v" * 5001)
        name = unique("model")
        self.call(f"POST {API}/registered-models/create", name=name)
        tag = f"POST {API}/registered-models/set-tag"
        self.call(tag, name=name, key="k" * 250, value="v" * 100_000)
        self.bad(tag, "exceeded length limit of 250", name=name, key="k" * 251, value="v")
        self.bad(tag, "exceeded length limit of 100000", name=name, key="k", value="v" * 100_001)
        for alias, message in (("latest", "reserved"), ("v1", "reserved"), ("V23", "reserved"), ("a b", "Invalid alias name"), ("a" * 256, "exceeded length limit of 255")):
            self.bad(f"POST {API}/registered-models/alias", message, name=name, alias=alias, version="1")
        self.bad(f"GET {API}/registered-models/search", "for parameter 'max_results' supplied", max_results=1001)
        self.bad(f"GET {API}/model-versions/search", "for parameter 'max_results' supplied", max_results=200_001)
        self.bad(f"GET {API}/traces", "for parameter 'max_results' supplied", experiment_ids=["0"], max_results=501)

    def test_datasets_and_traces(self) -> None:
        def log(**changed: str) -> Dict[str, Any]:
            return {"run_id": self.run_id, "datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": "s", "source": "x", **changed}}]}

        route = f"POST {API}/runs/log-inputs"
        limits = {"name": 500, "digest": 36, "schema": 1_048_575, "source": 65_535, "profile": 16_777_215}
        for member, most in limits.items():
            self.call(route, **log(**{member: "x" * most}))
            self.bad(route, str(most), **log(**{member: "x" * (most + 1)}))
        tags = {**log(), "datasets": [{"tags": [{"key": "k" * 255, "value": "v" * 500}], **log()["datasets"][0]}]}
        self.call(route, **tags)
        for key, value in (("k" * 256, "v"), ("k", "v" * 501)):
            self.bad(route, "exceeds the maximum length", **{**log(), "datasets": [{"tags": [{"key": key, "value": value}], **log()["datasets"][0]}]})
        trace = self.client("plain", 2).trace()
        self.call(f"PATCH {API}/traces/{{request_id}}/tags", request_id=trace, key="k" * 250, value="v" * 9000)
        self.bad(f"PATCH {API}/traces/{{request_id}}/tags", "exceeded length limit of 250", request_id=trace, key="k" * 251, value="v")
        info = self.call(f"GET {API}/traces/{{request_id}}/info", request_id=trace)["trace_info"]
        self.assertEqual(8000, max(len(item["value"]) for item in info["tags"]))


class Refusals(Contract):
    def test_what_is_not_there_is_refused_by_name_and_listed(self) -> None:
        with open(os.environ["TEST_DOCUMENT"], encoding="utf-8") as file:
            document = " ".join(file.read().split())
        for route in REFERENCE.by_route:
            what = refused_because(route)
            if what:
                method, template = route.split(" ")
                path = re.sub(r"\{[\w.]+\}", "1", template)
                with self.subTest(route=route):
                    self.refused(route, "ENDPOINT_NOT_FOUND", f"{method} {path}", **{name: "1" for name in re.findall(r"\{(\w+)\}", template)})
                    self.assertTrue(what in document, f"docs/tracking.md does not name {what}")

    def test_paths_outside_the_reference_are_no_endpoints_either(self) -> None:
        for method, path in (
            ("POST", "/graphql"), ("GET", "/ajax-api/3.0/jobs/1"), ("GET", "/api/2.0/mlflow/users/get"), ("POST", "/gateway/mlflow/v1/chat/completions"),
            ("GET", "/api/2.0/endpoints/"), ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run"), ("GET", "/ajax-api/2.0/mlflow/gateway-proxy"),
            ("POST", "/ajax-api/3.0/mlflow/scorer/invoke"), ("GET", "/api/2.0/mlflow/runs/create"), ("POST", "/api/2.0/mlflow/nonsense"),
        ):
            with self.subTest(path=path), self.assertRaisesRegex(MlflowError, "^404 ENDPOINT_NOT_FOUND: .*" + re.escape(path)):
                self.wire.send(method, path, {})

    def test_a_header_that_names_an_MLflow_workspace_is_refused_but_for_the_probe(self) -> None:
        header = {"X-MLFLOW-WORKSPACE": "team-a"}
        self.assertEqual(
            ("FEATURE_DISABLED", "Workspace APIs are not available: workspaces are not enabled on this server"),
            self.wire.fails(f"GET {API}/experiments/get", {"experiment_id": "0"}, header))
        probe = self.wire.transport.send("GET", "/api/3.0/mlflow/server-info", headers=header).json()
        self.assertEqual({"store_type": "SqlStore", "workspaces_enabled": False}, probe)
        self.wire.call(f"GET {API}/experiments/get", {"experiment_id": "0"}, {"X-MLFLOW-WORKSPACE": " "})

    def test_who_has_no_token_is_told_so(self) -> None:
        wire = Wire(Transport(SERVER, None, "3.11.2"), REFERENCE)
        self.transports.append(wire.transport)
        self.assertEqual("UNAUTHENTICATED", wire.fails(f"GET {API}/experiments/get", {"experiment_id": "0"})[0])
        self.assertEqual((200, b"OK"), (wire.transport.send("GET", "/health").status, wire.transport.send("GET", "/health").body))

    def test_fields_that_nobody_knows_are_ignored_and_bodies_that_are_no_json_are_not(self) -> None:
        self.wire.send("POST", f"{API}/runs/create", {"experiment_id": "0", "brand_new": {"a": [1]}})
        for body in (b"{", b"[]", b"\xff\xfe", b'"x"'):
            with self.assertRaisesRegex(MlflowError, "^400 BAD_REQUEST"):
                self.wire.raw("POST", f"{API}/runs/create", body, {"Content-Type": "application/json; charset=utf-8"})
