"""Signatures of models, and inferring them from data."""

import datetime
from typing import Any, Dict, List, Optional, Sequence

from ..exceptions import invalid
from ..types.schema import AnyType, Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema, TensorSpec

_OF_KIND = {"b1": "boolean", "i1": "integer", "i2": "integer", "i4": "integer", "i8": "long", "u1": "integer", "u2": "integer", "u4": "long", "f2": "float", "f4": "float", "f8": "double"}

_ROWS_LOOKED_AT = 10000


class ModelSignature:
    """What a model takes and returns: ``inputs``, ``outputs`` and ``params``."""

    def __init__(self, inputs: Optional[Schema] = None, outputs: Optional[Schema] = None, params: Optional[ParamSchema] = None) -> None:
        for name, value, kind in (("inputs", inputs, Schema), ("outputs", outputs, Schema), ("params", params, ParamSchema)):
            if value is not None and not isinstance(value, kind):
                raise TypeError("{} must be {} or None, got '{}'".format(name, kind.__name__, type(value).__name__))
        if inputs is None and outputs is None and params is None:
            raise ValueError("At least one of inputs, outputs or params must be provided")
        self.inputs, self.outputs, self.params = inputs, outputs, params

    def to_dict(self) -> Dict[str, Any]:
        """Three JSON texts, as MLmodel holds them."""
        return {name: part.to_json() if part is not None else None for name, part in (("inputs", self.inputs), ("outputs", self.outputs), ("params", self.params))}

    @classmethod
    def from_dict(cls, signature_dict: Dict[str, Any]) -> "ModelSignature":
        """Reads what MLmodel holds."""
        inputs, outputs, params = (signature_dict.get(name) for name in ("inputs", "outputs", "params"))
        return cls(Schema.from_json(inputs) if inputs else None, Schema.from_json(outputs) if outputs else None, ParamSchema.from_json(params) if params else None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelSignature) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        return "inputs: \n  {}\noutputs: \n  {}\nparams: \n  {}\n".format(self.inputs, self.outputs, self.params)

    __hash__ = None  # type: ignore[assignment]


def infer_signature(model_input: Any = None, model_output: Any = None, params: Optional[Dict[str, Any]] = None) -> ModelSignature:
    """The signature that fits an input, an output and parameters."""
    return ModelSignature(
        infer_schema(model_input) if model_input is not None else None,
        infer_schema(model_output) if model_output is not None else None,
        ParamSchema([_param(name, value) for name, value in params.items()]) if params else None)


def infer_schema(data: Any) -> Schema:
    """The schema of a DataFrame, a Series, an array, a sparse matrix, a dictionary, a list, or a plain value."""
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        if any(not isinstance(name, str) for name in data.columns) and list(data.columns) != list(range(len(data.columns))):
            data = data.rename(columns=str)
        named = any(isinstance(name, str) for name in data.columns)
        return Schema([_column(data[name], str(name) if named else None) for name in data.columns])
    if hasattr(data, "iloc") and hasattr(data, "dtype"):
        return Schema([_column(data, str(data.name) if data.name is not None else None)])
    if hasattr(data, "dtype") and hasattr(data, "shape"):
        return Schema([_tensor(data, None)])
    if isinstance(data, dict):
        if data and all(hasattr(value, "dtype") and hasattr(value, "shape") for value in data.values()):
            return Schema([_tensor(value, name) for name, value in data.items()])
        return Schema([ColSpec(_type(value), str(name)) for name, value in data.items()])
    if isinstance(data, list) and data and all(isinstance(one, dict) for one in data):
        return Schema([ColSpec(p.dtype, p.name, p.required) for p in _members(data)])
    if isinstance(data, list):
        return Schema([ColSpec(_common(data))])
    return Schema([ColSpec(_type(data))])


def _tensor(array: Any, name: Optional[str]) -> TensorSpec:
    dtype = array.dtype
    if dtype.kind == "O":
        raise invalid("Unsupported numpy data type '{}': an array of a signature has numbers, booleans or text.".format(dtype))
    if dtype.kind in "US":
        dtype = "str" if dtype.kind == "U" else "bytes"
    shape = (-1,) + tuple(int(n) for n in array.shape[1:]) if len(array.shape) else (-1,)
    return TensorSpec(dtype, shape, name)


def _column(series: Any, name: Optional[str]) -> ColSpec:
    missing = bool(series.isna().any())
    kind = series.dtype
    if hasattr(kind, "categories"):
        kind = kind.categories.dtype
    if getattr(kind, "kind", "O") in "biuf" and hasattr(kind, "itemsize"):
        code = "{}{}".format(kind.kind, kind.itemsize)
        if code not in _OF_KIND:
            raise invalid("Unsupported type '{}' of column '{}'.".format(kind, name))
        return ColSpec(_OF_KIND[code], name, not missing)
    if getattr(kind, "kind", "O") == "M":
        return ColSpec(DataType.datetime, name, not missing)
    present = [value for value in series.iloc[:_ROWS_LOOKED_AT].tolist() if not _is_missing(value)]
    return ColSpec(_common(present) if present else AnyType(), name, not missing)


def _type(value: Any) -> Any:
    """The type of one value."""
    if hasattr(value, "item") and not getattr(value, "shape", (1,)):
        value = value.item()
    if isinstance(value, bool):
        return DataType.boolean
    for kind, found in ((int, DataType.long), (float, DataType.double), (str, DataType.string), ((bytes, bytearray), DataType.binary), ((datetime.date, datetime.datetime), DataType.datetime)):
        if isinstance(value, kind):
            return found
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return Array(_common(list(value)))
    if isinstance(value, dict):
        return Object(_members([value]))
    if value is None:
        return AnyType()
    raise invalid("A signature cannot be inferred from a value of the type {}.".format(type(value).__name__))


def _common(values: Sequence[Any]) -> Any:
    """The type that all values have."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, dict) for value in known):
        return Object(_members(known))
    plain = [value.tolist() if getattr(value, "shape", ()) and hasattr(value, "tolist") else value for value in known]
    if plain and all(isinstance(value, (list, tuple)) for value in plain):
        return Array(_common([one for value in plain for one in value]))
    found: List[Any] = []
    for kind in map(_type, known):
        if kind not in found:
            found.append(kind)
    if not found:
        return AnyType()
    if len(found) == 1:
        return found[0]
    if all(isinstance(kind, DataType) and kind in (DataType.long, DataType.double) for kind in found):
        return DataType.double
    return AnyType()


def _members(values: Sequence[Dict[str, Any]]) -> List[Property]:
    names = list(dict.fromkeys(name for value in values for name in value))
    return [Property(str(name), _common([v[name] for v in values if name in v]), all(v.get(name) is not None for v in values)) for name in names]


def _param(name: str, value: Any) -> ParamSpec:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return ParamSpec(name, _common(list(value)), list(value), (-1,))
    return ParamSpec(name, _type(value), value)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def set_signature(model_uri: str, signature: ModelSignature) -> None:
    """Puts a signature into the MLmodel file of a model folder, or of a model of a run."""
    from .. import _places
    from ..client import MlflowClient
    from .model import Model

    client = MlflowClient()
    place = _places.find(model_uri, client)
    if place.local is None and place.prefix.startswith("registry/"):
        raise invalid("Model URIs with the `models:/` scheme are not supported: a registered version does not change.")
    folder = _places.fetch(model_uri)
    model = Model.load(folder)
    model.signature = signature
    path = model.save_in(folder)
    if place.local is None:
        client.put_files(place.prefix, path, place.path or None)
