"""What a scoring script gets whose run() is decorated with @rawhttp: the request as it came."""

import json
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit


class Headers(Dict[str, str]):
    """Header names compare without case; several values of one name are joined."""

    def __init__(self, pairs: Iterable[Tuple[str, str]]) -> None:
        super().__init__()
        for name, value in pairs:
            key = name.lower()
            self[key] = f"{super().__getitem__(key)}, {value}" if super().__contains__(key) else value

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Optional[str] = None) -> Optional[str]:  # type: ignore[override]
        return super().get(name.lower(), default)


class AMLRequest:
    """The members of a Flask request that scoring scripts use."""

    def __init__(self, method: str, url: str, headers: List[Tuple[str, str]], body: bytes) -> None:
        parts = urlsplit(url)
        self.method, self.url, self.path = method, url, parts.path
        self.base_url, self.full_path = url.split("?")[0], f"{parts.path}?{parts.query}"
        self.query_string = parts.query.encode()
        self.args = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = Headers(headers)
        self.content_type = self.headers.get("content-type", "") or ""
        self.mimetype = self.content_type.split(";")[0].strip().lower()
        self.data = body

    @property
    def is_json(self) -> bool:
        return self.mimetype == "application/json" or self.mimetype.endswith("+json")

    @property
    def json(self) -> Any:
        return self.get_json()

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        return self.data.decode("utf-8", "replace") if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        if not force and not self.is_json:
            if silent:
                return None
            raise ValueError(f"the request's content type is '{self.content_type}', not application/json")
        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise


def rawhttp(run: Callable[[AMLRequest], Any]) -> Callable[[AMLRequest], Any]:
    """Marks run() as wanting the request itself instead of its body as text."""
    run.zaffre_rawhttp = True  # type: ignore[attr-defined]
    return run
