"""Schemas as MLmodel files hold them: lists of JSON objects."""

import enum
import importlib
import json
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from ..exceptions import invalid

_NUMPY = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64", "string": "str", "binary": "bytes", "datetime": "datetime64[ns]"}


class DataType(enum.Enum):
    """The types of columns."""

    boolean = 1
    integer = 2
    long = 3
    float = 4
    double = 5
    string = 6
    binary = 7
    datetime = 8

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    def to_numpy(self) -> Any:
        """The numpy type."""
        numpy = importlib.import_module("numpy")

        return numpy.dtype(_NUMPY[self.name])

    def to_pandas(self) -> Any:
        """The type of a pandas column."""
        numpy = importlib.import_module("numpy")

        return numpy.dtype(object if self.name in ("string", "binary") else _NUMPY[self.name])

    def to_dict(self) -> Dict[str, Any]:
        return {"type": self.name}


class _Composite:
    """Types equal when their JSON does."""

    def to_dict(self) -> Dict[str, Any]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.to_dict() == other.to_dict()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return json.dumps(self.to_dict())

    __hash__ = None  # type: ignore[assignment]


class AnyType(_Composite):
    """Anything."""

    def to_dict(self) -> Dict[str, Any]:
        return {"type": "any"}


class Array(_Composite):
    """A list of one type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = as_type(dtype)

    def to_dict(self) -> Dict[str, Any]:
        return {"type": "array", "items": self.dtype.to_dict()}


class Map(_Composite):
    """A dictionary with any keys and values of one type."""

    def __init__(self, value_type: Any) -> None:
        self.value_type = as_type(value_type)

    def to_dict(self) -> Dict[str, Any]:
        return {"type": "map", "values": self.value_type.to_dict()}


class Property(_Composite):
    """A member of an object."""

    def __init__(self, name: str, dtype: Any, required: bool = True) -> None:
        self.name, self.dtype, self.required = name, as_type(dtype), required

    def to_dict(self) -> Dict[str, Any]:
        return {self.name: dict(self.dtype.to_dict(), required=self.required)}


class Object(_Composite):
    """A dictionary with named members."""

    def __init__(self, properties: Sequence[Property]) -> None:
        self.properties = sorted(properties, key=lambda p: p.name)

    def to_dict(self) -> Dict[str, Any]:
        return {"type": "object", "properties": {k: v for p in self.properties for k, v in p.to_dict().items()}}


def as_type(value: Any) -> Any:
    """A type by itself, its name, or its JSON."""
    if isinstance(value, (DataType, _Composite)):
        return value
    if isinstance(value, str):
        if value in DataType.__members__:
            return DataType[value]
        if value == "any":
            return AnyType()
    if isinstance(value, dict):
        kind = value.get("type")
        if kind == "array":
            return Array(as_type(value["items"]))
        if kind == "map":
            return Map(as_type(value["values"]))
        if kind == "object":
            return Object([Property(n, as_type({k: v for k, v in p.items() if k != "required"}), p.get("required", True)) for n, p in value["properties"].items()])
        return as_type(kind)
    raise invalid("Unsupported type '{}', expected instance of DataType, Array, Object, Map, AnyType or one of {}".format(value, list(DataType.__members__)))


class ColSpec(_Composite):
    """A column: its type, name, and whether it must be there."""

    def __init__(self, type: Any, name: Optional[str] = None, required: bool = True) -> None:
        self.type, self.name, self.required = as_type(type), name, required

    def to_dict(self) -> Dict[str, Any]:
        named = {"name": self.name} if self.name is not None else {}
        return dict(self.type.to_dict(), **named, required=self.required)


class TensorSpec(_Composite):
    """An array: its numpy type, its shape (-1 for any length), its name."""

    def __init__(self, type: Any, shape: Sequence[int], name: Optional[str] = None) -> None:
        self.type, self.shape, self.name = type, tuple(shape), name
        self.required = True

    def to_dict(self) -> Dict[str, Any]:
        named = {"name": self.name} if self.name is not None else {}
        return dict(named, type="tensor", **{"tensor-spec": {"dtype": str(self.type), "shape": [int(n) for n in self.shape]}})


class Schema:
    """Columns, or tensors."""

    def __init__(self, inputs: Sequence[Union[ColSpec, TensorSpec]]) -> None:
        self.inputs = list(inputs)
        named = [one.name is not None for one in self.inputs]
        if any(named) and not all(named):
            raise invalid("Creating Schema with a combination of named and unnamed columns is not allowed. Got column names {}".format([x.name for x in self.inputs]))
        if len({isinstance(one, TensorSpec) for one in self.inputs}) > 1:
            raise invalid("Please choose one of: all ColSpec, all TensorSpec.")

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Any:
        return iter(self.inputs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.inputs == other.inputs

    def __repr__(self) -> str:
        return repr(self.inputs)

    __hash__ = None  # type: ignore[assignment]

    def is_tensor_spec(self) -> bool:
        """Whether it is of tensors."""
        return bool(self.inputs) and isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether its parts have names."""
        return bool(self.inputs) and self.inputs[0].name is not None

    def input_names(self) -> List[Any]:
        """The names, or the positions of parts without."""
        return [one.name if one.name is not None else i for i, one in enumerate(self.inputs)]

    def required_input_names(self) -> List[Any]:
        """The names of the parts that must be there."""
        return [name for name, one in zip(self.input_names(), self.inputs) if one.required]

    def input_types(self) -> List[Any]:
        """The types."""
        return [one.type for one in self.inputs]

    def input_dict(self) -> Dict[str, Any]:
        """The parts by name."""
        return {one.name: one for one in self.inputs if one.name is not None}

    def to_dict(self) -> List[Dict[str, Any]]:
        """The list that MLmodel holds."""
        return [one.to_dict() for one in self.inputs]

    def to_json(self) -> str:
        """The text that MLmodel holds."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """Reads the text that MLmodel holds."""
        found: List[Union[ColSpec, TensorSpec]] = []
        for one in json.loads(text):
            if one["type"] == "tensor":
                found.append(TensorSpec(one["tensor-spec"]["dtype"], one["tensor-spec"]["shape"], one.get("name")))
            else:
                required = one.get("required", not one.get("optional", False))
                found.append(ColSpec(as_type({k: v for k, v in one.items() if k not in ("name", "required", "optional")}), one.get("name"), required))
        return cls(found)


class ParamSpec(_Composite):
    """A parameter: its name, type, default, and its shape when it is a list."""

    def __init__(self, name: str, dtype: Any, default: Any, shape: Optional[Tuple[int, ...]] = None) -> None:
        self.name, self.dtype, self.default, self.shape = name, as_type(dtype), default, shape

    def to_dict(self) -> Dict[str, Any]:
        default = self.default.isoformat() if hasattr(self.default, "isoformat") else self.default
        shape = list(self.shape) if self.shape is not None else None
        return dict({"name": self.name, "default": default, "shape": shape}, **self.dtype.to_dict())


class ParamSchema:
    """The parameters of ``predict``."""

    def __init__(self, params: Sequence[ParamSpec]) -> None:
        self.params = list(params)
        if len({p.name for p in self.params}) < len(self.params):
            raise invalid("Duplicated parameters found in schema: {}".format([p.name for p in self.params]))

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Any:
        return iter(self.params)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParamSchema) and self.params == other.params

    def __repr__(self) -> str:
        return repr(self.params)

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> List[Dict[str, Any]]:
        """The list that MLmodel holds."""
        return [one.to_dict() for one in self.params]

    def to_json(self) -> str:
        """The text that MLmodel holds."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> "ParamSchema":
        """Reads the text that MLmodel holds."""
        keep = ("name", "default", "shape")
        return cls([
            ParamSpec(one["name"], as_type({k: v for k, v in one.items() if k not in keep}), one.get("default"), tuple(one["shape"]) if one.get("shape") else None)
            for one in json.loads(text)])
