"""Request bodies of MLflow models: Azure's ``input_data``, MLflow's own four forms, and CSV."""

import csv
import io
import json
from typing import Any, Dict, List, NamedTuple, Optional

from .answers import InputError

FORMS = ("input_data", "dataframe_split", "dataframe_records", "instances", "inputs")
#: Bodies with one of these go to the model as they are, and its answer to the caller: MLflow's payload of language models.
RAW = ("messages", "prompt", "input")


class Rows(NamedTuple):
    """Rows of a table; without column names they count by position. Cells of CSV are text, or None when empty."""

    columns: Optional[List[str]]
    rows: List[List[Any]]


class Payload(NamedTuple):
    """``data`` is Rows, a dictionary of named values, a list that is no table, or for the form ``raw`` the body itself."""

    form: str
    data: Any
    params: Dict[str, Any]


def parse(body: bytes, content_type: str) -> Payload:
    """Reads a body by its content type, a missing one counts as JSON. Raises InputError."""
    kind, _, options = content_type.lower().partition(";")
    kind = kind.strip()
    charset = options.partition("charset=")[2].split(";")[0].strip().strip('"')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise InputError(f"The charset '{charset}' is not supported; send UTF-8.", 415)
    if kind == "text/csv":
        return Payload("csv", _csv(_text(body)), {})
    if kind not in ("", "application/json", "application/octet-stream", "application/x-www-form-urlencoded") and not kind.endswith("+json"):
        raise InputError(f"The content type '{kind}' is not supported; send application/json or text/csv.", 415)
    try:
        document = json.loads(_text(body))
    except (ValueError, RecursionError) as error:
        raise InputError(f"The body is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InputError(f"The body must be a JSON object with one of {', '.join(FORMS)}; it is {_named(document)}.")
    return _form(document)


def _form(document: Dict[str, Any]) -> Payload:
    given = [form for form in FORMS if form in document]
    if not given and any(key in document for key in RAW):
        return Payload("raw", document, {})
    if len(given) != 1:
        found = " and ".join(given) if given else f"only {', '.join(sorted(map(str, document))[:10]) or 'nothing'}"
        raise InputError(f"The body must have exactly one of {', '.join(FORMS)}; it has {found}.")
    form = given[0]
    params = document.get("params") or {}
    if not isinstance(params, dict):
        raise InputError("'params' must be an object.")
    value = document[form]
    if form == "dataframe_split":
        return Payload(form, _split(form, value), params)
    if form == "dataframe_records":
        return Payload(form, _records(form, value), params)
    if form == "instances" and not isinstance(value, list):
        raise InputError("'instances' must be a list of rows or of objects.")
    if form == "input_data" and isinstance(value, dict) and "data" in value and set(value) <= {"columns", "index", "data"}:
        return Payload(form, _split(form, value), params)
    return Payload(form, _values(form, value), params)


def _values(form: str, value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return [value]
    if value and all(isinstance(row, dict) for row in value):
        return _records(form, value)
    return value


def _split(form: str, value: Any) -> Rows:
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        raise InputError(f"'{form}' must be an object with 'columns' and 'data' (a list of rows).")
    columns, rows = value.get("columns"), value["data"]
    if columns is not None and not isinstance(columns, list):
        raise InputError(f"'{form}.columns' must be a list of names.")
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise InputError(f"'{form}.data[{number}]' must be a list of values; it is {_named(row)}.")
        if columns is not None and len(row) != len(columns):
            raise InputError(f"'{form}.data[{number}]' has {len(row)} values for {len(columns)} columns.")
    names = None if columns is None else [name if isinstance(name, str) else str(name) for name in columns]
    if names is not None and len(set(names)) != len(names):
        raise InputError(f"'{form}.columns' names a column twice.")
    return Rows(names, rows)


def _records(form: str, value: Any) -> Rows:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InputError(f"'{form}' must be a list of objects.")
    columns: Dict[str, None] = {}
    for row in value:
        columns.update(dict.fromkeys(row))
    return Rows(list(columns), [[row.get(name) for name in columns] for row in value])


def _csv(text: str) -> Rows:
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if not lines:
        raise InputError("The CSV body is empty; its first line names the columns.")
    columns = lines[0]
    for number, row in enumerate(lines[1:], 2):
        if len(row) != len(columns):
            raise InputError(f"Line {number} of the CSV body has {len(row)} values for {len(columns)} columns.")
    return Rows(columns, [[value or None for value in row] for row in lines[1:]])


def inferred(text: Any) -> Any:
    """A cell of CSV for a model without a signature: a number or a truth value when it reads as one."""
    if not isinstance(text, str):
        return text
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"The body is not UTF-8: {error}.") from None


def _named(value: Any) -> str:
    return "null" if value is None else {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list"}.get(type(value), "an object")
