"""The user's entry script: loading it, calling it, and turning what it returns into an answer."""

import importlib.util
import inspect
import json
import os
import sys
import traceback
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qs

from . import swagger
from .answers import Answer, InputError, StartError, refusal
from .frames import JSON, RUN_FAILED, Request
from .results import unfit
from .streams import EventLoop, begin, is_stream

_UNEXPECTED = "An unexpected error occurred in scoring script. Check the logs for more info."


class Script:
    """A loaded script whose init() has run."""

    def __init__(self, run: Callable[..., Any], root: str, loop: EventLoop) -> None:
        self._run, self._root, self._loop = run, root, loop
        self._raw = getattr(run, "zaffre_rawhttp", False)
        self._schema = _schema_of(run)
        parameters = list(inspect.signature(run).parameters.values())
        self._with_headers = any(p.name == "request_headers" for p in parameters)
        self._parameters = [p for p in parameters if p.name != "request_headers"]
        if not self._parameters:
            raise StartError("run() takes no argument; it needs one for the input.")
        if self._raw and self._schema is not None:
            raise StartError("run() has both @rawhttp and @input_schema; it can have one of them.")

    @property
    def wants_headers(self) -> bool:
        return self._raw or self._with_headers

    def describe(self) -> Dict[str, Any]:
        """The description that the script's folder holds, else the one that its schema makes."""
        return swagger.of_script(self._root, self._schema)

    @classmethod
    def load(cls, root: str, entry: str) -> "Script":
        path = os.path.join(root, entry)
        if not os.path.isfile(path):
            found = ", ".join(sorted(os.listdir(root))[:20]) if os.path.isdir(root) else "nothing"
            raise StartError(f"the scoring script '{entry}' is not in the code folder, which holds: {found}")
        extra = os.environ.get("AZUREML_EXTRA_PYTHON_LIB_PATH")
        for folder in ([os.path.join(root, extra)] if extra else []) + [root, os.path.dirname(path)]:
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
        loop = EventLoop()
        started = module.init()
        if inspect.isawaitable(started):
            loop.wait(started)
        return cls(module.run, root, loop)

    def answer(self, request: Request) -> Answer:
        """Runs the script on one request. Whatever it raises becomes an answer, its traceback goes to the log."""
        request_id = request.head.split(b"\n", 1)[0].decode("ascii", "replace")
        try:
            given, named = self._arguments(request)
            result = self._run(*given, **named)
            if inspect.isawaitable(result):
                result = self._loop.wait(result)
            return self._convert(result, request_id)
        except InputError as error:
            return refusal(error, False, self._schema["input"] if self._schema else None)
        except Exception as error:  # the user's code may raise anything
            if getattr(error, "zaffre_input", False):
                return refusal(InputError(str(error)), False, self._schema["input"] if self._schema else None)
            return _failed(request_id, traceback.format_exc(), _UNEXPECTED)

    def _arguments(self, request: Request) -> Tuple[List[Any], Dict[str, Any]]:
        method, url, headers = _head(request)
        named: Dict[str, Any] = {"request_headers": dict(headers)} if self._with_headers else {}
        if self._raw:
            from azureml.contrib.services.aml_request import AMLRequest

            return [AMLRequest(method, url, headers, request.body)], named
        if method == "GET":
            asked = {name: [_value(v) for v in values] for name, values in parse_qs(url.partition("?")[2], keep_blank_values=True).items()}
            members: Any = {name: values[0] if len(values) == 1 else values for name, values in asked.items()}
            text = json.dumps(members)
        else:
            try:
                text = request.body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"The request body is not UTF-8: {error}.") from None
        if self._schema is None:
            return [text], named
        if method != "GET":
            try:
                members = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise InputError(f"The body is not valid JSON: {error}.") from None
        return [], {**self._members(members), **named}

    def _members(self, members: Any) -> Dict[str, Any]:
        known = [p.name for p in self._parameters]
        if not isinstance(members, dict):
            raise InputError(f"The body must be a JSON object with the members {', '.join(known)}.")
        unknown = [name for name in members if name not in known]
        missing = [p.name for p in self._parameters if p.name not in members and p.default is p.empty]
        if unknown or missing:
            raise InputError(f"The body must have the members {', '.join(known)}; missing are [{', '.join(missing)}], unknown are [{', '.join(map(str, unknown[:20]))}].")
        return members

    def _convert(self, result: Any, request_id: str) -> Answer:
        if is_stream(result):
            return self._stream(200, "", result, None, request_id)
        if hasattr(result, "zaffre_response"):
            status, headers, body = result.zaffre_response()
            head = "".join(f"{name}: {value}\n" for name, value in headers)
            if is_stream(body):
                return self._stream(status, head, body, False, request_id)
            return Answer(status, RUN_FAILED if status >= 500 else 0, head.encode("utf-8", "replace"), body)
        try:
            return Answer(200, JSON, b"", json.dumps(result, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            why = f"run() returned what JSON cannot hold: {unfit(result) or error}."
            return _failed(request_id, why + "\n", why)

    def _stream(self, status: int, head: str, stream: Any, events: Optional[bool], request_id: str) -> Answer:
        as_events, pieces = begin(self._loop.items(stream) if inspect.isasyncgen(stream) else stream, events, request_id)
        if events is None:
            head = "Content-Type: text/event-stream; charset=utf-8\nCache-Control: no-cache\n" if as_events else "Content-Type: application/octet-stream\n"
        return Answer(status, 0, head.encode("utf-8", "replace"), b"", pieces)


def describe(error: BaseException) -> dict:
    """What went wrong in the user's code, for the deployment's error: the last line of it in the traceback tells most."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "zaffre_serving" not in f.filename and "importlib" not in f.filename]
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}: {frames[-1].line}" if frames else ""
    kind = error.code if isinstance(error, StartError) else type(error).__name__
    message = str(error) if isinstance(error, StartError) else f"{kind}: {error}"
    own = "" if isinstance(error, StartError) else "".join(traceback.format_list(frames) + traceback.format_exception_only(type(error), error))
    return {"code": kind, "message": message[:2000], "line": where[:500], "traceback": text[-8000:], "told": own[-2000:]}


def _failed(request_id: str, log: str, message: str) -> Answer:
    sys.stderr.write(f"run() failed for request {request_id}\n{log}")
    sys.stderr.flush()
    return Answer(500, JSON | RUN_FAILED, b"", json.dumps({"message": message}).encode())


def _schema_of(run: Callable[..., Any]) -> Optional[Dict[str, Any]]:
    # A script without a schema has not imported the package; ours and the real one have the same functions.
    util = sys.modules.get("inference_schema.schema_util")
    if util is None or not util.is_schema_decorated(run):
        return None
    return {"input": util.get_input_schema(run), "output": util.get_output_schema(run)}


def _head(request: Request) -> Tuple[str, str, List[Tuple[str, str]]]:
    lines = request.head.decode("utf-8", "replace").split("\n")
    if len(lines) < 2:
        return "POST", "/score", []
    method, _, url = lines[1].partition(" ")
    return method, url, [(n.strip(), v.strip()) for n, s, v in (line.partition(":") for line in lines[2:]) if s]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
