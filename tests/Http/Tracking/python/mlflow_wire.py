"""A Python client that sends what MLflow's own clients send (2.17 and 3.11): headers, paths, bodies, order, retries. Standard library only.

Every answer is checked against the field reference, and every operation that was called is noted, so that a test can say which were not.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import ssl
import time
import urllib.parse
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from mlflow_reference import Reference

RETRIED = (408, 429, 500, 502, 503, 504)
RETRIES = 7
STATUS = {
    "INVALID_PARAMETER_VALUE": 400, "BAD_REQUEST": 400, "RESOURCE_ALREADY_EXISTS": 400, "FEATURE_DISABLED": 400, "PERMISSION_DENIED": 403, "UNAUTHENTICATED": 401,
    "CUSTOMER_UNAUTHORIZED": 401, "RESOURCE_DOES_NOT_EXIST": 404, "NOT_FOUND": 404, "ENDPOINT_NOT_FOUND": 404, "RESOURCE_CONFLICT": 409, "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 413,
}


class MlflowError(Exception):
    """An error of MLflow's protocol; clients branch on its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


class Answer:
    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


class Transport:
    """One kept connection to the server. An absolute URL goes to the same server, with the host that it names."""

    def __init__(self, server: str, token: Optional[str], version: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.server = urllib.parse.urlsplit(server)
        self.headers = {"User-Agent": f"mlflow-python-client/{version}", "Accept-Encoding": "gzip, deflate", "Accept": "*/*", "Connection": "keep-alive"}
        if not version.startswith("2."):
            self.headers["X-MLflow-Client-Version"] = version
        if token is not None:
            self.headers["Authorization"] = "Bearer " + token
        self.sleep = sleep
        self.connection: Optional[http.client.HTTPConnection] = None

    def send(self, method: str, url: str, body: Optional[bytes] = None, headers: Optional[Dict[str, str]] = None, signed: bool = False) -> Answer:
        """Sends, and sends again what MLflow's clients send again. A signed URL carries its own permission: no token goes with it."""
        for attempt in range(RETRIES + 1):
            try:
                answer = self._once(method, url, body, headers or {}, signed)
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt == RETRIES:
                    raise
                self.sleep(2.0 ** (attempt + 1))
                continue
            if answer.status not in RETRIED or attempt == RETRIES:
                return answer
            self.sleep(float(answer.headers.get("Retry-After") or 2.0 ** (attempt + 1)))
        raise AssertionError("not reached")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _once(self, method: str, url: str, body: Optional[bytes], headers: Dict[str, str], signed: bool) -> Answer:
        parts = urllib.parse.urlsplit(url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        sent = {name: value for name, value in self.headers.items() if not (signed and name == "Authorization")}
        sent.update(headers)
        if parts.netloc:
            sent["Host"] = parts.netloc
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b""
        if self.connection is None:
            host, port = self.server.hostname or "", self.server.port
            self.connection = (
                http.client.HTTPConnection(host, port, timeout=120) if self.server.scheme == "http"
                else http.client.HTTPSConnection(host, port, timeout=120, context=ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])))
        self.connection.request(method, target, body, sent)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        if answer.will_close:
            self.close()
        return Answer(answer.status, answer.headers, content)


class Wire:
    """MLflow's operations at one mount, as one generation of its clients calls them."""

    def __init__(self, transport: Transport, reference: Reference, prefix: str = "", api: str = "/api", called: Optional[Set[str]] = None) -> None:
        self.transport, self.reference, self.prefix, self.api = transport, reference, prefix, api
        self.called: Set[str] = called if called is not None else set()
        self.problems: List[str] = []

    def call(self, route: str, fields: Optional[Dict[str, Any]] = None, headers: Optional[Dict[str, str]] = None, strict: bool = True) -> Any:
        """Calls an operation by its route in the reference; names in braces are taken from the fields, which are sent where the reference knows them."""
        fields = fields or {}
        method, template = route.split(" ")
        path = re.sub(r"\{([\w.]+)\}", lambda match: urllib.parse.quote(str(self._named(fields, match.group(1))), safe=""), template)
        known = self.reference.by_route[route]["request"]
        fields = {name: value for name, value in fields.items() if name in known or "{" + name + "}" not in template}
        if strict:
            self.problems += self.reference.check_request(route, fields)
        answer = self.send(method, path.replace("/api", self.api, 1), fields, headers)
        self.called.add(route)
        self.problems += self.reference.check_answer(route, answer)
        return answer

    def send(self, method: str, path: str, fields: Dict[str, Any], headers: Optional[Dict[str, str]] = None) -> Any:
        """GET puts the fields into the query, everything else into a JSON body, as requests does."""
        url, body, sent = self.prefix + path, None, dict(headers or {})
        if method == "GET":
            query = urllib.parse.urlencode(fields, doseq=True)
            url += "?" + query if query else ""
        else:
            body = json.dumps(fields).encode()
            sent["Content-Type"] = "application/json"
        return self.read(self.transport.send(method, url, body, sent))

    def raw(self, method: str, path: str, body: Optional[bytes] = None, headers: Optional[Dict[str, str]] = None, signed: bool = False) -> Answer:
        """Bytes, as the artifact repositories send and read them."""
        answer = self.transport.send(method, path if "://" in path else self.prefix + path, body, headers, signed)
        if answer.status >= 400:
            self.read(answer)
        return answer

    def fails(self, route: str, fields: Optional[Dict[str, Any]] = None, headers: Optional[Dict[str, str]] = None) -> Tuple[str, str]:
        """Code and message with which a call is refused."""
        try:
            answer = self.call(route, fields, headers, strict=False)
        except MlflowError as error:
            return error.code, error.message
        raise AssertionError(f"{route} was answered: {answer}")

    def read(self, answer: Answer) -> Any:
        if not (answer.headers.get("Content-Type") or "").startswith("application/json"):
            raise AssertionError(f"{answer.status} {answer.headers.get('Content-Type')}: {answer.body[:200]!r}")
        read = answer.json()
        if answer.status < 400:
            return read
        if set(read) - {"error_code", "message", "sqlstate", "error_class"} or STATUS.get(read.get("error_code")) != answer.status:
            raise AssertionError(f"{answer.status} {read}")
        raise MlflowError(answer.status, read["error_code"], read["message"])

    @staticmethod
    def _named(fields: Dict[str, Any], name: str) -> Any:
        value: Any = fields
        for part in name.split("."):
            value = value[part]
        return value
