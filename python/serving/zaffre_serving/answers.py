"""What a runtime answers to one request, and the two shapes of a refusal."""

import json
from typing import Any, Iterator, NamedTuple, Optional

from .frames import JSON, OWN_STATUS


class Answer(NamedTuple):
    status: int
    flags: int
    head: bytes
    body: bytes
    #: Sent piece by piece after the head; may raise StreamFailed.
    stream: Optional[Iterator[bytes]] = None


class InputError(ValueError):
    """The caller's input does not fit the model; the message says where and what was expected."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class StartError(Exception):
    """The runtime cannot serve; the message says what is wrong with its script or model."""

    def __init__(self, message: str, code: str = "ScriptError") -> None:
        super().__init__(message)
        self.code = code


def refusal(error: InputError, mlflow: bool, expected: Optional[Any]) -> Answer:
    """The answer to a bad request: in MLflow's form on its own route, else in the gateway's."""
    message = str(error)
    body = {"error_code": "INVALID_PARAMETER_VALUE" if error.status == 400 else "BAD_REQUEST", "message": message} if mlflow \
        else {"error": {"code": "invalid_input", "message": message}}
    if expected is not None:
        body["expected_signature"] = expected
    return Answer(error.status, JSON | OWN_STATUS, b"", json.dumps(body).encode())
