"""What Azure's MLflow plugin and azureml-core send beside MLflow's own calls: run history, the artifact service, the metric store. Standard library only."""

from __future__ import annotations

import json
import re
import urllib.parse
from typing import Any, Dict, List

from mlflow_wire import Answer, Transport

RUN = re.compile(r"^azureml://(?P<host>[^/]+)/mlflow/v[0-9.]+(?P<scope>/subscriptions/.+?/workspaces/[^/]+)/experiments/(?P<experiment>[^/]+)/runs/(?P<run>[^/]+)/artifacts(?P<path>/.*)?$", re.I)
ARTIFACT = re.compile(r"^azureml://artifacts/(?P<origin>[^/]+)/(?P<container>[^/]+)(?P<path>/.*)?$")


class ServiceError(Exception):
    def __init__(self, status: int, error: Dict[str, Any]) -> None:
        super().__init__(f"{status} {error}")
        self.status, self.code, self.message = status, error["code"], error["message"]


class Service:
    """Calls with a token, which answer in JSON or with an error in Azure's form; and blobs by signed URLs, without a token."""

    def __init__(self, transport: Transport, scope: str) -> None:
        self.transport, self.scope = transport, scope

    def call(self, method: str, service: str, below: str, body: Any = None, **query: str) -> Any:
        url = f"{service}{self.scope}{below}" + ("?" + urllib.parse.urlencode(query) if query else "")
        answer = self.transport.send(method, url, None if body is None else json.dumps(body).encode(), {} if body is None else {"Content-Type": "application/json"})
        if answer.status >= 400:
            raise ServiceError(answer.status, answer.json()["error"])
        return answer.json() if answer.body else None

    def follow(self, method: str, service: str, below: str, **query: str) -> List[Any]:
        """Every item of a list that comes in pages."""
        items: List[Any] = []
        while True:
            page = self.call(method, service, below, **query)
            items += page["value"]
            if page.get("continuationToken") is None:
                return items
            assert page["nextLink"].startswith("https://"), page
            query["continuationToken"] = page["continuationToken"]

    def put_blob(self, url: str, content: bytes) -> None:
        answer = self.transport.send("PUT", url, content, {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-08-06", "Content-Type": "application/octet-stream"}, signed=True)
        assert answer.status == 201, (answer.status, answer.body)

    def get_blob(self, url: str) -> bytes:
        # The plugin takes the parts out of the address, and does nothing when it has another form.
        assert re.match(r"^https://[a-z0-9]+\.blob\.[^/]+/[^/]+/.+\?.*sig=", url), url
        answer: Answer = self.transport.send("GET", url, headers={"x-ms-version": "2021-08-06"}, signed=True)
        assert answer.status in (200, 206), (answer.status, answer.body)
        return answer.body


class RunArtifacts:
    """The plugin's artifact repository for azureml:// URIs of runs."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def put(self, uri: str, path: str, content: bytes) -> None:
        root, folder = self._root(uri)
        full = f"{folder}/{path}".lstrip("/")
        made = self.service.call("POST", "/history/v1.0", root + "/batch/metadata", {"paths": [{"path": full}]})
        self.service.put_blob(made["artifactContentInformation"][full]["contentUri"], content)

    def get(self, uri: str, path: str) -> bytes:
        root, folder = self._root(uri)
        found = self.service.call("GET", "/history/v1.0", root + "/contentinfo", path=f"{folder}/{path}".lstrip("/"))
        return self.service.get_blob(found["contentUri"])

    def list(self, uri: str, path: str = "") -> List[Dict[str, Any]]:
        """The plugin makes the folders itself; sizes are unknown to it."""
        root, folder = self._root(uri)
        prefix = f"{folder}/{path}".strip("/")
        prefix = prefix + "/" if prefix else ""
        names: Dict[str, bool] = {}
        for item in self.service.follow("GET", "/history/v1.0", root):
            if item["path"].startswith(prefix):
                name, slash, _ = item["path"][len(prefix):].partition("/")
                names[name] = names.get(name, False) or bool(slash)
        return [{"path": name, "is_dir": is_dir, "file_size": -1} for name, is_dir in sorted(names.items())]

    def download_folder(self, uri: str) -> Dict[str, bytes]:
        root, folder = self._root(uri)
        items = self.service.follow("GET", "/history/v1.0", root + "/prefix/contentinfo", path=folder)
        return {item["path"]: self.service.get_blob(item["contentUri"]) for item in items}

    @staticmethod
    def _root(uri: str) -> "tuple[str, str]":
        match = RUN.match(uri)
        assert match, uri
        return f"/experimentids/{match['experiment']}/runs/{match['run']}/artifacts", (match["path"] or "").strip("/")
