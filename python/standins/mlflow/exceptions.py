"""What the tracking server answers when it refuses, and what this package refuses itself."""

import json
from typing import Any, Dict, Union

_STATUS = {
    "INVALID_PARAMETER_VALUE": 400, "BAD_REQUEST": 400, "RESOURCE_ALREADY_EXISTS": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404, "NOT_FOUND": 404, "ENDPOINT_NOT_FOUND": 404, "RESOURCE_CONFLICT": 409, "NOT_IMPLEMENTED": 501,
}
_CODES = {1: "INTERNAL_ERROR", 1000: "INVALID_PARAMETER_VALUE", 3001: "RESOURCE_ALREADY_EXISTS", 3002: "RESOURCE_DOES_NOT_EXIST", 1001: "ENDPOINT_NOT_FOUND", 1003: "BAD_REQUEST"}


class MlflowException(Exception):
    """An error of the tracking server or of this client; ``error_code`` is the protocol's own name."""

    def __init__(self, message: Any, error_code: Union[str, int] = "INTERNAL_ERROR", **more: Any) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.error_code = _CODES.get(error_code, "INTERNAL_ERROR") if isinstance(error_code, int) else error_code
        self.json_kwargs = more

    @classmethod
    def invalid_parameter_value(cls, message: str, **more: Any) -> "MlflowException":
        """An error with the code INVALID_PARAMETER_VALUE."""
        return MlflowException(message, "INVALID_PARAMETER_VALUE", **more)

    def serialize_as_json(self) -> str:
        """The error as the protocol writes it."""
        return json.dumps(dict(self.json_kwargs, error_code=self.error_code, message=self.message))

    def get_http_status_code(self) -> int:
        """The HTTP status of the error's code."""
        return _STATUS.get(self.error_code, 500)


class RestException(MlflowException):
    """An error that the server answered; ``json`` is its body."""

    def __init__(self, body: Dict[str, Any], status: int = 0) -> None:
        code = str(body.get("error_code", "INTERNAL_ERROR"))
        super().__init__("{}: {}".format(code, body.get("message", body)), code)
        self.json = body
        self.status = status

    def __reduce__(self) -> Any:
        return RestException, (self.json, self.status)


def invalid(message: str) -> MlflowException:
    """The error of a wrong argument."""
    return MlflowException(message, "INVALID_PARAMETER_VALUE")


def missing(package: str, what: str) -> MlflowException:
    """The error of something that needs a package which is not there."""
    return MlflowException("{} needs the package '{}', which this environment lacks.".format(what, package), "BAD_REQUEST")
