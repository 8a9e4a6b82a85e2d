"""Values of Python itself; dictionaries, lists and tuples may hold other parameter types."""

import base64
import datetime
import json
from typing import Any, Dict

from .abstract_parameter_type import AbstractParameterType, InputMismatch

_SIMPLE: Dict[type, Dict[str, Any]] = {
    bool: {"type": "boolean"}, int: {"type": "integer", "format": "int64"}, float: {"type": "number", "format": "double"}, str: {"type": "string"},
    bytes: {"type": "string", "format": "byte"}, bytearray: {"type": "string", "format": "byte"}, datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"}, datetime.time: {"type": "string", "format": "time"},
}


class StandardPythonParameterType(AbstractParameterType):
    """A value of the sample's type."""

    def __init__(self, sample_input: Any) -> None:
        if sample_input is None:
            raise ValueError("Python data cannot be None")
        super().__init__(sample_input)

    def deserialize_input(self, input_data: Any) -> Any:
        kind = self.sample_data_type
        try:
            if kind in (datetime.datetime, datetime.date, datetime.time) and isinstance(input_data, str):
                input_data = kind.fromisoformat(input_data.replace("Z", "+00:00"))
            elif kind in (bytes, bytearray) and isinstance(input_data, str):
                input_data = kind(base64.b64decode(input_data, validate=True))
        except ValueError as error:
            raise InputMismatch(f"Invalid input: {error}") from None
        if kind is float and type(input_data) is int:
            input_data = float(input_data)
        if kind is tuple and isinstance(input_data, list):
            input_data = tuple(input_data)
        if not isinstance(input_data, kind) or (kind is int and isinstance(input_data, bool)):
            raise InputMismatch(f"Invalid input data type to parse. Expected: {kind} but got {type(input_data)}")
        if isinstance(input_data, dict):
            return {name: self._nested(self.sample_input.get(name), value) for name, value in input_data.items()}
        if isinstance(input_data, (list, tuple)) and self.sample_input and isinstance(self.sample_input[0], AbstractParameterType):
            return kind(self._nested(self.sample_input[min(i, len(self.sample_input) - 1)], value) for i, value in enumerate(input_data))
        return input_data

    def input_to_swagger(self) -> Dict[str, Any]:
        sample = self.sample_input
        if self.sample_data_type in _SIMPLE:
            return {**_SIMPLE[self.sample_data_type], "example": _plain(sample)}
        if isinstance(sample, dict):
            nested = {str(name): value.input_to_swagger() for name, value in sample.items() if isinstance(value, AbstractParameterType)}
            example = {str(name): nested[str(name)]["example"] if str(name) in nested else value for name, value in sample.items()}
            schema: Dict[str, Any] = {"type": "object", "properties": {n: {k: v for k, v in s.items() if k != "example"} for n, s in nested.items()}} if nested else {"type": "object", "additionalProperties": {"type": "object"}}
        elif isinstance(sample, (list, tuple, range)):
            items = [value.input_to_swagger() if isinstance(value, AbstractParameterType) else None for value in sample]
            example = [one["example"] if one else value for one, value in zip(items, sample)]
            first = {k: v for k, v in items[0].items() if k != "example"} if items and items[0] else {"type": "integer", "format": "int64"} if isinstance(sample, range) else {"type": "object"}
            schema = {"type": "array", "items": first}
        else:
            example, schema = sample, {"type": "object"}
        json.dumps(example)
        return {**schema, "example": example}

    @staticmethod
    def _nested(kind: Any, value: Any) -> Any:
        return kind.deserialize_input(value) if isinstance(kind, AbstractParameterType) else value


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value
