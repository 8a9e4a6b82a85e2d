"""What a scoring script may return instead of a JSON value: status, headers and body of its own."""

import inspect
import json
from typing import Any, Dict, List, Optional, Tuple


class AMLResponse:
    def __init__(self, message: Any, status_code: int = 200, response_headers: Optional[Dict[str, str]] = None,
                 json_str: bool = False, run_function_failed: bool = False) -> None:
        self.status_code = status_code
        self.headers: Dict[str, str] = {}
        self.data: Any = b"{}"
        content_type = "application/json"
        if json_str:
            self.data = json.dumps(message).encode()
        elif isinstance(message, bytes):
            self.data, content_type = message, "application/octet-stream"
        elif inspect.isgenerator(message) or inspect.isasyncgen(message):
            self.data, content_type = message, "text/html; charset=utf-8"
        elif isinstance(message, str):
            self.data, content_type = message.encode(), "text/html; charset=utf-8"
        elif message is not None:
            self.data = json.dumps(message).encode()
        if response_headers:
            self.headers.update(response_headers)
        if not any(name.lower() == "content-type" for name in self.headers) or message is None:
            self.headers = {n: v for n, v in self.headers.items() if n.lower() != "content-type"}
            self.headers["Content-Type"] = content_type

    def zaffre_response(self) -> Tuple[int, List[Tuple[str, str]], Any]:
        headers = []
        for name, value in self.headers.items():
            plain = " ".join(str(value).split())
            headers += [(name, part.strip()) for part in plain.split(",")] if name.lower() not in ("content-type", "set-cookie", "date", "expires") else [(name, plain)]
        return self.status_code, headers, self.data
