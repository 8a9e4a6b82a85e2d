"""What the tracking server answers when it refuses."""

from typing import Any, Dict


class MlflowException(Exception):
    """An error of the tracking server or of this client; ``error_code`` is the protocol's own."""

    def __init__(self, message: str, error_code: str = "INTERNAL_ERROR") -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code


class RestException(MlflowException):
    """An error that the server answered; ``json`` is its body."""

    def __init__(self, body: Dict[str, Any], status: int) -> None:
        code = str(body.get("error_code", "INTERNAL_ERROR"))
        super().__init__("{}: {}".format(code, body.get("message", body)), code)
        self.json = body
        self.status = status
