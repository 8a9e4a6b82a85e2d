"""HTTP to the tracking server: one connection per thread, kept alive; retries as the protocol's clients do."""

import http.client
import json
import math
import os
import random
import ssl
import threading
import time
from typing import Any, BinaryIO, Dict, Iterator, Optional, Tuple, Union
from urllib.parse import quote, urlencode, urlsplit

from .exceptions import MlflowException, RestException

_RETRIED = (408, 429, 502, 503, 504)
_ATTEMPTS = 6
_TIMEOUT = float(os.environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", "120"))
_connections = threading.local()


def number(value: Any) -> Union[float, str]:
    """A double as the protocol spells it; arrays and tensors of one number are that number."""
    try:
        value = float(value.item() if not isinstance(value, (int, float)) and hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise MlflowException("Got invalid value {!r} for metric: it must be a number.".format(value), "INVALID_PARAMETER_VALUE") from error
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def call(tracking_uri: str, method: str, path: str, body: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """One call of the API; ``path`` comes after ``/api/2.0/mlflow/``."""
    target = "/api/2.0/mlflow/" + path
    payload: Optional[bytes] = None
    headers: Dict[str, str] = {}
    known = {k: v for k, v in (body or {}).items() if v is not None}
    if method == "GET":
        target += "?" + urlencode(list(known.items()), doseq=True) if known else ""
    else:
        payload = json.dumps(known, allow_nan=False).encode("utf-8")
        headers["Content-Type"] = "application/json"
    status, answer = _send(tracking_uri, method, target, payload, headers)
    return _read(status, answer)


def upload(tracking_uri: str, path: str, source: str, content_type: str) -> None:
    """Sends a file to the artifact proxy."""
    with open(source, "rb") as stream:
        headers = {"Content-Type": content_type, "Content-Length": str(os.fstat(stream.fileno()).st_size)}
        _read(*_send(tracking_uri, "PUT", _artifact(path), stream, headers))


def put(tracking_uri: str, path: str, content: bytes, content_type: str) -> None:
    """Sends bytes to the artifact proxy."""
    _read(*_send(tracking_uri, "PUT", _artifact(path), content, {"Content-Type": content_type}))


def download(tracking_uri: str, path: str, destination: str) -> None:
    """Fetches a file from the artifact proxy, in pieces, and puts it in place when it is whole."""
    partial = destination + ".part"
    response = _request(tracking_uri, "GET", _artifact(path), None, {})
    if response.status != 200:
        _read(response.status, response.read())
    with open(partial, "wb") as stream:
        for piece in _pieces(response):
            stream.write(piece)
    os.replace(partial, destination)


def artifacts(tracking_uri: str, folder: str) -> Dict[str, Any]:
    """What lies directly in a folder."""
    target = "/api/2.0/mlflow-artifacts/artifacts?" + urlencode({"path": folder})
    return _read(*_send(tracking_uri, "GET", target, None, {}))


def _artifact(path: str) -> str:
    return "/api/2.0/mlflow-artifacts/artifacts/" + quote(path)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        piece = response.read(1 << 20)
        if not piece:
            return
        yield piece


def _read(status: int, answer: bytes) -> Dict[str, Any]:
    try:
        body = json.loads(answer) if answer else {}
    except ValueError:
        body = {"message": answer[:500].decode("utf-8", "replace")}
    if status != 200:
        error = body.get("error") if isinstance(body.get("error"), dict) else None
        if error:
            body = {"error_code": error.get("code"), "message": error.get("message")}
        raise RestException(body, status)
    return body


def _send(tracking_uri: str, method: str, target: str, body: Union[bytes, BinaryIO, None], headers: Dict[str, str]) -> Tuple[int, bytes]:
    response = _request(tracking_uri, method, target, body, headers)
    return response.status, response.read()


def _request(tracking_uri: str, method: str, target: str, body: Union[bytes, BinaryIO, None], headers: Dict[str, str]) -> http.client.HTTPResponse:
    # A workspace names its tracking URI azureml://; it is the same server.
    parts = urlsplit("https" + tracking_uri[len("azureml"):] if tracking_uri.startswith("azureml://") else tracking_uri)
    headers = dict(headers, **_authorization())
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        if attempt and body is not None and not isinstance(body, bytes):
            body.seek(0)
        try:
            connection = _connect(parts.scheme, parts.netloc)
            connection.request(method, parts.path.rstrip("/") + target, body=body, headers=headers)
            response = connection.getresponse()
        except ssl.SSLCertVerificationError as error:
            _forget(parts.netloc)
            raise MlflowException("The certificate of {} is not trusted ({}). Set SSL_CERT_FILE to the authority's certificate, as `zaffre env` does.".format(tracking_uri, error)) from error
        except (OSError, http.client.HTTPException) as error:
            _forget(parts.netloc)
            if last:
                raise MlflowException("The tracking server at {} does not answer: {}".format(tracking_uri, error)) from error
        else:
            if response.status not in _RETRIED or last:
                return response
            response.read()
        # The first retry is at once: a server closes connections that were idle.
        time.sleep(0 if attempt == 0 else min(2 ** (attempt - 1), 16) * (0.5 + random.random() / 2))
    raise AssertionError("unreachable")


def _authorization() -> Dict[str, str]:
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    return {"Authorization": "Bearer " + token} if token else {}


def _connect(scheme: str, netloc: str) -> http.client.HTTPConnection:
    pool: Dict[str, http.client.HTTPConnection] = _connections.__dict__
    # A forked child must not speak on its parent's connection.
    key = "{} {}".format(os.getpid(), netloc)
    if key not in pool:
        if scheme == "https":
            pool[key] = http.client.HTTPSConnection(netloc, timeout=_TIMEOUT, context=_trust())
        elif scheme == "http":
            pool[key] = http.client.HTTPConnection(netloc, timeout=_TIMEOUT)
        else:
            raise MlflowException("The tracking URI must start with https://, not '{}://'. This small mlflow writes to a tracking server only.".format(scheme))
    return pool[key]


def _forget(netloc: str) -> None:
    connection = _connections.__dict__.pop("{} {}".format(os.getpid(), netloc), None)
    if connection is not None:
        connection.close()


def _trust() -> ssl.SSLContext:
    bundle = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    context = ssl.create_default_context(cafile=bundle or None)
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("1", "true"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
