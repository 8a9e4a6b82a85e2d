"""What the contract's tests share: the mounts, the clients, what is refused."""

from __future__ import annotations

import os
import unittest
import uuid
from typing import Any, List, Set

from azureml_plugin import RunArtifacts, Service
from mlflow_fluent import VERSIONS, Fluent
from mlflow_reference import Reference
from mlflow_wire import Transport, Wire

SERVER = os.environ["TEST_SERVER"]
TOKEN = os.environ["TEST_TOKEN"]
SCOPE = os.environ["TEST_SCOPE"]
REFERENCE = Reference(os.environ["TEST_REFERENCE"])
CALLED: Set[str] = set()

# What the server refuses by name. The documentation lists the words.
REFUSED = {
    "/mlflow/scorers/": "scorers",
    "/3.0/mlflow/datasets/": "evaluation datasets",
    "/mlflow/gateway/": "AI gateway",
    "/mlflow/webhooks": "webhooks",
    "/mlflow/issues": "issues",
    "/mlflow/workspaces": "MLflow's own workspaces",
    "/mlflow/prompt-optimization/": "prompt optimization",
    "/mlflow/unified-traces": "traces of Databricks",
    "/mlflow/get-online-trace-details": "traces of Databricks",
}

# Mount, prefix of the API's paths, whether artifacts have azureml:// URIs.
MOUNTS = {
    "plain": ("", "/api", False),
    "ajax": ("", "/ajax-api", False),
    "workspace": ("/zaffre/v1" + SCOPE, "/api", False),
    "azure 1": ("/mlflow/v1.0" + SCOPE, "/api", True),
    "azure 2": ("/mlflow/v2.0" + SCOPE, "/api", True),
}


def refused_because(route: str) -> str:
    return next((what for part, what in REFUSED.items() if part in route), "")


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Contract(unittest.TestCase):
    """A client of one generation at one mount; what it called is noted for the whole suite."""

    maxDiff = None

    def setUp(self) -> None:
        self.transports: List[Transport] = []
        self.wires: List[Wire] = []
        self.wire = self.client("plain", 3).wire

    def tearDown(self) -> None:
        for transport in self.transports:
            transport.close()
        self.assertEqual([], [problem for wire in self.wires for problem in wire.problems])

    def client(self, mount: str, generation: int) -> Fluent:
        prefix, api, azure = MOUNTS[mount]
        transport = Transport(SERVER, TOKEN, VERSIONS[generation])
        wire = Wire(transport, REFERENCE, prefix, api, CALLED)
        self.transports.append(transport)
        self.wires.append(wire)
        return Fluent(wire, generation, RunArtifacts(Service(transport, SCOPE)) if azure else None)

    def call(self, route: str, **fields: Any) -> Any:
        return self.wire.call(route, fields)

    def refused(self, route: str, code: str, message: str, **fields: Any) -> None:
        found = self.wire.fails(route, fields)
        self.assertEqual(code, found[0], found)
        self.assertIn(message, found[1])

    def bad(self, route: str, message: str, **fields: Any) -> None:
        self.refused(route, "INVALID_PARAMETER_VALUE", message, **fields)

    def missing(self, route: str, message: str, **fields: Any) -> None:
        self.refused(route, "RESOURCE_DOES_NOT_EXIST", message, **fields)
