"""The signature of an MLflow model, and turning a request's values into what it expects."""

import base64
import binascii
import datetime
import importlib
import json
import math
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from .answers import InputError
from .payload import Payload, Rows, inferred

_MOST_TOLD = 20
_WHOLE = {"integer": (-(2 ** 31), 2 ** 31 - 1), "long": (-(2 ** 63), 2 ** 63 - 1)}
_DTYPES = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64", "datetime": "datetime64[ns]"}


class Frame(NamedTuple):
    """Columns in the model's order, each with its type; ``names`` is None when they count by position."""

    names: Optional[List[str]]
    columns: List[List[Any]]
    types: List[str]


class Tensors(NamedTuple):
    """Arrays by name; a single unnamed one has the name None."""

    arrays: Dict[Optional[str], Any]


class Signature:
    """Inputs (columns or tensors) and parameters, as the three JSON texts of an MLmodel file hold them."""

    def __init__(self, inputs: Optional[List[Dict[str, Any]]], params: Optional[List[Dict[str, Any]]], outputs: Optional[List[Dict[str, Any]]] = None) -> None:
        self.inputs, self.params, self.outputs = inputs, params, outputs

    @classmethod
    def read(cls, document: Optional[Dict[str, Any]]) -> "Signature":
        def part(name: str) -> Optional[List[Dict[str, Any]]]:
            text = (document or {}).get(name)
            found = json.loads(text) if isinstance(text, str) else text
            return found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else None

        return cls(part("inputs") or None, part("params"), part("outputs"))

    @property
    def expected(self) -> Optional[Dict[str, Any]]:
        """For messages: what a caller has to send; None when the model does not say."""
        if self.inputs is None:
            return None
        return {"inputs": self.inputs, "params": self.params} if self.params else {"inputs": self.inputs}

    @property
    def is_tensor(self) -> bool:
        return bool(self.inputs) and all(spec.get("type") == "tensor" for spec in self.inputs or [])

    def fit(self, payload: Payload) -> Any:
        """A Frame, Tensors, or without a signature a Frame of untyped columns, a list or a dictionary as sent."""
        if self.inputs is None:
            return _untyped(payload.data)
        return self._tensors(payload.data) if self.is_tensor else self._frame(payload.data)

    def fit_params(self, sent: Dict[str, Any]) -> Dict[str, Any]:
        """The parameters with their defaults. Those that the model does not know are ignored, as MLflow does."""
        fitted: Dict[str, Any] = {}
        for spec in self.params or []:
            name = spec["name"]
            value = sent.get(name, spec.get("default"))
            if name not in sent or value is None:
                fitted[name] = value
            elif spec.get("shape"):
                fitted[name] = _convert(value, {"type": "array", "items": {"type": spec["type"]}}, f"params.{name}")
            else:
                fitted[name] = _convert(value, spec, f"params.{name}")
        return fitted

    def _frame(self, data: Any) -> Frame:
        specs = self.inputs or []
        named = all(spec.get("name") is not None for spec in specs)
        given = _columns(data, specs, named)
        if not named:
            columns = list(given.values())
            if len(columns) != len(specs):
                raise InputError(f"The model takes {len(specs)} columns by position; {len(columns)} were sent.")
            return Frame(None, [_column(c, s, str(i)) for i, (c, s) in enumerate(zip(columns, specs))], [_kind(s) for s in specs])
        wanted = {spec["name"]: spec for spec in specs}
        missing = [name for name, spec in wanted.items() if name not in given and _required(spec)]
        if missing:
            extra = [name for name in given if name not in wanted]
            note = f" Note that there were extra inputs: {extra[:_MOST_TOLD]}." if extra else ""
            raise InputError(f"Model is missing inputs {missing[:_MOST_TOLD]}.{note}")
        present = [name for name in wanted if name in given]
        return Frame(present, [_column(given[n], wanted[n], n) for n in present], [_kind(wanted[n]) for n in present])

    def _tensors(self, data: Any) -> Tensors:
        specs = self.inputs or []
        if isinstance(data, Rows):
            named = data.columns is not None and all(spec.get("name") in data.columns for spec in specs)
            data = {n: [row[i] for row in data.rows] for i, n in enumerate(data.columns or [])} if named else data.rows
        if not isinstance(data, dict):
            if len(specs) != 1:
                raise InputError(f"The model takes the tensors {[s.get('name') for s in specs]} by name: send an object with these members.")
            return Tensors({specs[0].get("name"): _tensor(data, specs[0])})
        if len(specs) == 1 and specs[0].get("name") is None and len(data) == 1:
            return Tensors({None: _tensor(next(iter(data.values())), specs[0])})
        missing = [s["name"] for s in specs if s.get("name") not in data and _required(s)]
        if missing:
            raise InputError(f"Model is missing inputs {missing}. Sent were {sorted(data)[:_MOST_TOLD]}.")
        return Tensors({s.get("name"): _tensor(data[s["name"]], s) for s in specs if s.get("name") in data})


def dtype(kind: str) -> str:
    """The numpy type of a column type; ``object`` for all that has none."""
    return _DTYPES.get(kind, "object")


def _required(spec: Dict[str, Any]) -> bool:
    return bool(spec.get("required", not spec.get("optional", False)))


def _kind(spec: Dict[str, Any]) -> str:
    return str(spec.get("type", "any"))


def _columns(data: Any, specs: List[Dict[str, Any]], named: bool) -> Dict[str, List[Any]]:
    if isinstance(data, dict):
        columns = {str(name): value if isinstance(value, list) else [value] for name, value in data.items()}
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise InputError(f"The columns have different lengths: {dict((n, len(v)) for n, v in list(columns.items())[:_MOST_TOLD])}.")
        return columns
    if not isinstance(data, Rows):
        rows = data if data and isinstance(data[0], list) else [[value] for value in data]
        if any(not isinstance(row, list) or len(row) != len(rows[0]) for row in rows):
            raise InputError("The rows have different lengths.")
        data = Rows(None, rows)
    if data.columns is not None:
        return {name: [row[i] for row in data.rows] for i, name in enumerate(data.columns)}
    width = len(data.rows[0]) if data.rows else len(specs)
    if named and width != len(specs):
        raise InputError(f"The model takes {len(specs)} columns; rows without names must have as many values, and these have {width}.")
    if any(len(row) != width for row in data.rows):
        raise InputError("The rows have different lengths.")
    return {str(specs[i]["name"]) if named else str(i): [row[i] for row in data.rows] for i in range(width)}


def _column(values: List[Any], spec: Dict[str, Any], name: str) -> List[Any]:
    kind, required = _kind(spec), _required(spec)
    whole = _WHOLE.get(kind)
    if whole is not None and all(type(v) is int for v in values) and (not values or (min(values) >= whole[0] and max(values) <= whole[1])):
        return values
    if kind in ("double", "float") and all(type(v) is float or type(v) is int for v in values):
        return values
    if kind == "string" and all(type(v) is str for v in values):
        return values
    return [_cell(v, spec, kind, required, f"column '{name}', row {row}") for row, v in enumerate(values)]


def _cell(value: Any, spec: Dict[str, Any], kind: str, required: bool, where: str) -> Any:
    if value is None and kind in ("double", "float"):
        return math.nan
    if value is None and kind in ("string", "binary", "datetime", "any"):
        return None
    if value is None and not required and kind not in ("integer", "long", "boolean"):
        return None
    return _convert(value, spec, where)


def _convert(value: Any, spec: Dict[str, Any], where: str) -> Any:
    kind = _kind(spec)
    convert = _CONVERT.get(kind)
    if convert is not None:
        try:
            return convert(value)
        except (ValueError, TypeError, OverflowError):
            raise InputError(f"Failed to convert {where} to type '{kind}': {_told(value)}.") from None
    if kind == "array":
        if not isinstance(value, list):
            raise InputError(f"{where} must be an array: {_told(value)}.")
        return [_convert(v, spec.get("items") or {}, f"{where}[{i}]") for i, v in enumerate(value)]
    if kind in ("object", "map"):
        return _members(value, spec, where)
    return value


def _members(value: Any, spec: Dict[str, Any], where: str) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be an object: {_told(value)}.")
    if spec.get("type") == "map":
        return {k: _convert(v, spec.get("values") or {}, f"{where}.{k}") for k, v in value.items()}
    properties = spec.get("properties") or {}
    missing = [name for name, one in properties.items() if name not in value and _required(one)]
    extra = [name for name in value if name not in properties]
    if missing or extra:
        raise InputError(f"{where} does not fit: missing {missing[:_MOST_TOLD]}, unknown {extra[:_MOST_TOLD]}.")
    return {n: None if v is None and not _required(properties[n]) else _convert(v, properties[n], f"{where}.{n}") for n, v in value.items()}


def _integer(kind: str) -> Callable[[Any], int]:
    low, high = _WHOLE[kind]

    def convert(value: Any) -> int:
        if isinstance(value, str):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise ValueError
        return value

    return convert


def _real(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        raise ValueError
    return float(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _binary(value: Any) -> bytes:
    try:
        return base64.b64decode(_string(value), validate=True)
    except binascii.Error:
        raise ValueError from None


def _datetime(value: Any) -> datetime.datetime:
    text = _string(value).strip().replace("Z", "+00:00")
    found = datetime.datetime.fromisoformat(text)
    return found.astimezone(datetime.timezone.utc).replace(tzinfo=None) if found.tzinfo else found


_CONVERT: Dict[str, Callable[[Any], Any]] = {
    "integer": _integer("integer"), "long": _integer("long"), "float": _real, "double": _real, "boolean": _boolean,
    "string": _string, "binary": _binary, "datetime": _datetime,
}


def _tensor(value: Any, spec: Dict[str, Any]) -> Any:
    numpy = importlib.import_module("numpy")  # of the model's own environment
    form = spec.get("tensor-spec") or {}
    wanted, shape = numpy.dtype(form.get("dtype", "float64")), form.get("shape", [])
    where = f"tensor '{spec['name']}'" if spec.get("name") else "the tensor"
    try:
        array = numpy.array(value)
    except ValueError:
        raise InputError(f"{where} is not rectangular; its shape must be {shape}.") from None
    if array.dtype.kind == "O":
        raise InputError(f"{where} is not rectangular or mixes types; it must have the shape {shape} and the type {wanted}.")
    if array.size and ((wanted.kind in "iu" and array.dtype.kind not in "iu") or (wanted.kind == "f" and array.dtype.kind not in "iuf") or (wanted.kind == "b" and array.dtype.kind != "b")):
        raise InputError(f"{where} must have the type {wanted}; the values sent are {array.dtype}.")
    if array.size and wanted.kind in "iu" and (array.min() < numpy.iinfo(wanted).min or array.max() > numpy.iinfo(wanted).max):
        raise InputError(f"{where} has values outside of the range of {wanted}.")
    if len(array.shape) != len(shape) or any(want not in (-1, have) for want, have in zip(shape, array.shape)):
        raise InputError(f"{where} must have the shape {tuple(shape)}; the one sent has {array.shape}.")
    return array.astype(wanted)


def _untyped(data: Any) -> Any:
    if isinstance(data, Rows):
        width = len(data.columns) if data.columns is not None else len(data.rows[0]) if data.rows else 0
        if any(len(row) != width for row in data.rows):
            raise InputError("The rows have different lengths.")
        return Frame(data.columns, [[inferred(row[i]) for row in data.rows] for i in range(width)], ["any"] * width)
    return data


def _told(value: Any) -> str:
    text = json.dumps(value, default=str)
    return f"the value is {text if len(text) < 80 else text[:77] + '...'}"
