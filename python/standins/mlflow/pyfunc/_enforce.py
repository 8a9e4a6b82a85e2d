"""Inputs against a model's signature: missing ones are refused, extra ones dropped, types widened and never narrowed."""

import datetime
import importlib
from typing import Any, Dict, Optional

from ..exceptions import invalid, missing
from ..types.schema import Array, ColSpec, DataType, Map, Object, ParamSchema, Schema, TensorSpec


def enforce(data: Any, schema: Schema) -> Any:
    """The input as the model takes it. Raises MlflowException that says what does not fit."""
    if schema.is_tensor_spec():
        return _tensors(data, schema)
    if not schema.has_input_names() and not hasattr(data, "iloc") and not hasattr(data, "shape"):
        return data
    frame = _frame(data, schema)
    if not schema.has_input_names():
        if len(frame.columns) < len(schema):
            raise invalid("Model inference is missing inputs. The model signature declares {} inputs but the provided value only has {} inputs.".format(len(schema), len(frame.columns)))
        chosen = frame.iloc[:, : len(schema)].copy()
        for position, spec in enumerate(schema):
            chosen[chosen.columns[position]] = _column(chosen[chosen.columns[position]], spec, str(chosen.columns[position]))
        return chosen
    names, given = schema.input_names(), [str(c) for c in frame.columns]
    lacking = [name for name in schema.required_input_names() if name not in given]
    if lacking:
        extra = [name for name in given if name not in names]
        raise invalid("Model is missing inputs {}.{}".format(lacking, " Note that there were extra inputs: {}.".format(extra) if extra else ""))
    pandas = importlib.import_module("pandas")

    frame = frame.rename(columns=str)
    known = schema.input_dict()
    return pandas.DataFrame({name: _column(frame[name], known[name], name) for name in names if name in given}, index=frame.index)


def enforce_params(params: Optional[Dict[str, Any]], schema: Optional[ParamSchema]) -> Optional[Dict[str, Any]]:
    """The parameters with their defaults; those that the model does not know are dropped. Without a schema: as given."""
    if schema is None:
        return params
    if params is not None and not isinstance(params, dict):
        raise invalid("Parameters must be a dictionary. Got type '{}'.".format(type(params).__name__))
    found: Dict[str, Any] = {}
    for spec in schema:
        value = (params or {}).get(spec.name, spec.default)
        if value is not None and spec.shape is not None:
            if not isinstance(value, (list, tuple)) and not hasattr(value, "tolist"):
                raise invalid("Value must be a 1D array with shape (-1,) for param {}, received {} with type {}".format(spec.name, value, type(value).__name__))
            value = [_plain(one, spec.dtype, spec.name) for one in value]
        elif value is not None:
            value = _plain(value, spec.dtype, spec.name)
        found[spec.name] = value
    return found


def _frame(data: Any, schema: Schema) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise missing("pandas", "Checking an input against the signature") from error
    if isinstance(data, pandas.DataFrame):
        return data
    if isinstance(data, pandas.Series):
        return data.to_frame() if data.name is not None else data.to_frame(schema.input_names()[0])
    if isinstance(data, dict):
        plain = any(not isinstance(v, (list, tuple)) and not (hasattr(v, "shape") and getattr(v, "ndim", 0)) for v in data.values())
        arrays = any(isinstance(spec.type, Array) for spec in schema) and not all(isinstance(v, list) and v and isinstance(v[0], (list, tuple)) for v in data.values())
        return pandas.DataFrame([data]) if plain or arrays else pandas.DataFrame(data)
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return pandas.DataFrame(data)
    if hasattr(data, "toarray"):
        data = data.toarray()
    names = schema.input_names() if schema.has_input_names() else None
    try:
        if isinstance(data, (str, bytes, int, float, bool)):
            data = [data]
        shape = getattr(data, "shape", None)
        if shape is not None and len(shape) > 2:
            raise invalid("Expected input to be DataFrame. Found an array of the shape {}.".format(tuple(shape)))
        return pandas.DataFrame(data, columns=names)
    except (ValueError, TypeError) as error:
        raise invalid("This model contains a column-based signature, which suggests a DataFrame input. There was an error casting the input data to a DataFrame: {}".format(error)) from error


def _column(series: Any, spec: ColSpec, name: str) -> Any:
    if not isinstance(spec.type, DataType):
        return series.map(lambda value: _composite(value, spec.type, name)) if isinstance(spec.type, (Array, Object, Map)) else series
    wanted, have = spec.type.to_pandas(), series.dtype
    if have == wanted and spec.type not in (DataType.string, DataType.binary):
        return series
    if spec.type == DataType.datetime:
        pandas = importlib.import_module("pandas")

        try:
            return pandas.to_datetime(series)
        except (ValueError, TypeError) as error:
            raise invalid("Failed to convert column {} from type {} to DataType.datetime.".format(name, have)) from error
    if spec.type in (DataType.string, DataType.binary):
        kinds = (str,) if spec.type == DataType.string else (bytes, bytearray)
        if getattr(have, "kind", "O") == "O" or hasattr(have, "categories"):
            wrong = [value for value in series if not isinstance(value, kinds) and not _is_missing(value)]
            if not wrong:
                return series.astype(object)
        raise _unsafe(name, have, spec.type.name)
    if hasattr(have, "categories"):
        have = have.categories.dtype
        series = series.astype(have)
    if getattr(have, "kind", "") == "O":
        return _of_objects(series, spec, name, wanted)
    if _widens(series, have, wanted):
        return series.astype(wanted)
    hint = ""
    if getattr(have, "kind", "") == "f" and wanted.kind == "i":
        hint = (" If your training data contains missing values in integer columns, declare them as doubles: integers cannot represent missing values.")
    raise invalid("Incompatible input types for column {}. Can not safely convert {} to {}.{}".format(name, have, wanted, hint))


def _of_objects(series: Any, spec: ColSpec, name: str, wanted: Any) -> Any:
    """A column of Python's own values, as JSON brings them."""
    pandas = importlib.import_module("pandas")

    if spec.required and any(_is_missing(value) for value in series) and wanted.kind != "f":
        raise _unsafe(name, series.dtype, spec.type.name)
    inferred = series.infer_objects()
    if inferred.dtype.kind == "O" and any(_is_missing(value) for value in series):
        if wanted.kind == "f" and all(_is_missing(v) or isinstance(v, (int, float)) and not isinstance(v, bool) for v in series):
            return pandas.to_numeric(series).astype(wanted)
        return series
    if inferred.dtype.kind != "O" and (inferred.dtype == wanted or _widens(inferred, inferred.dtype, wanted)):
        return inferred.astype(wanted)
    raise _unsafe(name, series.dtype, spec.type.name)


def _widens(series: Any, have: Any, wanted: Any) -> bool:
    kind = getattr(have, "kind", "")
    if kind == wanted.kind:
        return bool(have.itemsize <= wanted.itemsize)
    if kind == "u" and wanted.kind == "i":
        return bool(have.itemsize < wanted.itemsize)
    if kind in "iu" and wanted.kind == "f":
        # Wide integers are allowed where they lose nothing.
        limit = 2 ** (53 if wanted.itemsize == 8 else 24)
        return have.itemsize * 2 <= wanted.itemsize or not len(series) or bool(series.abs().max() <= limit)
    return False


def _composite(value: Any, kind: Any, name: str) -> Any:
    if _is_missing(value):
        return value
    if isinstance(kind, Array):
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise invalid("Failed to enforce schema of column {}: expected a list, got {}.".format(name, type(value).__name__))
        for one in value:
            _composite(one, kind.dtype, name)
    elif isinstance(kind, (Object, Map)):
        if not isinstance(value, dict):
            raise invalid("Failed to enforce schema of column {}: expected a dictionary, got {}.".format(name, type(value).__name__))
        properties = kind.properties if isinstance(kind, Object) else []
        lacking = [p.name for p in properties if p.required and p.name not in value]
        if lacking:
            raise invalid("Missing required properties of column {}: {}".format(name, lacking))
        for p in properties:
            if p.name in value:
                _composite(value[p.name], p.dtype, name)
    elif isinstance(kind, DataType):
        _plain(value, kind, name)
    return value


def _plain(value: Any, kind: Any, name: str) -> Any:
    """One value of a plain type."""
    value = value.item() if hasattr(value, "item") else value
    accepted: Dict[DataType, Any] = {
        DataType.boolean: bool, DataType.integer: int, DataType.long: int, DataType.float: (int, float), DataType.double: (int, float), DataType.string: str,
        DataType.binary: (bytes, bytearray), DataType.datetime: (datetime.datetime, datetime.date, str),
    }
    wanted = accepted.get(kind)
    if wanted is None:
        return value
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != DataType.boolean):
        raise invalid("Incompatible types for param '{}'. Can not safely convert {} to {}.".format(name, type(value).__name__, kind.name))
    return float(value) if kind in (DataType.float, DataType.double) else value


def _tensors(data: Any, schema: Schema) -> Any:
    numpy = importlib.import_module("numpy")

    if schema.has_input_names():
        if hasattr(data, "iloc"):
            data = {str(name): numpy.stack(list(data[name])) if data[name].dtype.kind == "O" else data[name].to_numpy() for name in data.columns}
        if not isinstance(data, dict):
            raise invalid("Model signature is based on named tensors: the input is a dictionary of arrays, not {}.".format(type(data).__name__))
        lacking = [name for name in schema.input_names() if name not in data]
        if lacking:
            raise invalid("Model is missing inputs {}.".format(lacking))
        return {spec.name: _tensor(data[spec.name], spec) for spec in schema}
    if isinstance(data, dict) and len(data) == 1:
        data = next(iter(data.values()))
    if hasattr(data, "iloc"):
        spec = schema.inputs[0]
        kinds = {getattr(kind, "kind", "O") for kind in (data.dtypes if hasattr(data, "columns") else [data.dtype])}
        data = data.to_numpy(dtype=spec.type) if kinds <= set("biuf") and numpy.dtype(spec.type).kind in "f" else data.to_numpy()
    return _tensor(data, schema.inputs[0])


def _tensor(value: Any, spec: TensorSpec) -> Any:
    numpy = importlib.import_module("numpy")

    array = value if hasattr(value, "toarray") else numpy.asarray(value)
    wanted = numpy.dtype(spec.type)
    if not hasattr(value, "dtype") and array.dtype.kind in "if" and wanted.kind == "f":
        array = array.astype(wanted)
    if array.dtype.kind != wanted.kind if wanted.kind in "US" else array.dtype != wanted:
        raise invalid("dtype of input {} does not match expected dtype {}".format(array.dtype, wanted))
    if len(array.shape) != len(spec.shape) or any(want not in (-1, have) for want, have in zip(spec.shape, array.shape)):
        raise invalid("Shape of input {} does not match expected shape {}.".format(tuple(array.shape), spec.shape))
    return array


def _unsafe(name: str, have: Any, wanted: str) -> Exception:
    return invalid("Failed to convert column {} from type {} to type {}.".format(name, have, wanted))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")
