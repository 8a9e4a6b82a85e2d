"""The user's entry script: loading it, calling it, and turning what it returns into an answer."""

import asyncio
import importlib.util
import inspect
import json
import os
import sys
import traceback
from typing import Any, Callable, Dict

from .answers import Answer, StartError
from .frames import JSON, RUN_FAILED, Request

_UNEXPECTED = b'{"message": "An unexpected error occurred in scoring script. Check the logs for more info."}'


class Script:
    """A loaded script whose init() has run."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._raw = getattr(run, "zaffre_rawhttp", False)
        self._run = _synchronous(run)

    @property
    def wants_headers(self) -> bool:
        return self._raw

    def describe(self) -> Dict[str, Any]:
        """What the gateway answers without asking again: nothing."""
        return {}

    @classmethod
    def load(cls, root: str, entry: str) -> "Script":
        path = os.path.join(root, entry)
        if not os.path.isfile(path):
            found = ", ".join(sorted(os.listdir(root))[:20]) if os.path.isdir(root) else "nothing"
            raise StartError(f"the scoring script '{entry}' is not in the code folder, which holds: {found}")
        for folder in (root, os.path.dirname(path)):
            if folder not in sys.path:
                sys.path.insert(0, folder)
        name = os.path.splitext(os.path.basename(path))[0]
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise StartError(f"'{entry}' is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        for function in ("init", "run"):
            if not callable(getattr(module, function, None)):
                raise StartError(f"'{entry}' defines no {function}()")
        started = module.init()
        if inspect.iscoroutine(started):
            asyncio.run(started)
        return cls(module.run)

    def answer(self, request: Request) -> Answer:
        """Runs the script on one request. Whatever it raises becomes an answer, its traceback goes to the log."""
        request_id = request.head.split(b"\n", 1)[0].decode("ascii", "replace")
        try:
            if self._raw:
                return _convert(self._run(_raw_request(request)))
            try:
                text = request.body.decode("utf-8")
            except UnicodeDecodeError as error:
                return Answer(400, JSON, b"", json.dumps({"message": f"The request body is not UTF-8: {error}"}).encode())
            return _convert(self._run(text))
        except Exception:  # the user's code may raise anything
            sys.stderr.write(f"run() failed for request {request_id}\n{traceback.format_exc()}")
            sys.stderr.flush()
            return Answer(500, JSON | RUN_FAILED, b"", _UNEXPECTED)


def describe(error: BaseException) -> dict:
    """What went wrong in the user's code, for the deployment's error: the last line of it in the traceback tells most."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "zaffre_serving" not in f.filename and "importlib" not in f.filename]
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}: {frames[-1].line}" if frames else ""
    kind = error.code if isinstance(error, StartError) else type(error).__name__
    message = str(error) if isinstance(error, StartError) else f"{kind}: {error}"
    return {"code": kind, "message": message[:2000], "line": where[:500], "traceback": text[-8000:]}


def _synchronous(run: Callable[..., Any]) -> Callable[..., Any]:
    if not inspect.iscoroutinefunction(run):
        return run

    def call(data: Any) -> Any:
        return asyncio.run(run(data))

    return call


def _is_response(result: Any) -> bool:
    return hasattr(result, "zaffre_response")


def _convert(result: Any) -> Answer:
    if not _is_response(result):
        return Answer(200, JSON, b"", json.dumps(result).encode())
    status, headers, body = result.zaffre_response()
    head = "".join(f"{name}: {value}\n" for name, value in headers)
    return Answer(status, RUN_FAILED if status >= 500 else 0, head.encode("utf-8", "replace"), body)


def _raw_request(request: Request) -> Any:
    from azureml.contrib.services.aml_request import AMLRequest

    lines = request.head.decode("utf-8", "replace").split("\n")
    method, _, url = lines[1].partition(" ") if len(lines) > 1 else ("POST", "", "/score")
    headers = [(n.strip(), v.strip()) for n, s, v in (line.partition(":") for line in lines[2:]) if s]
    return AMLRequest(method, url, headers, request.body)
