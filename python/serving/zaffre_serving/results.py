"""What models return, as JSON: arrays, frames and series as lists, times in ISO form, what is no number as null."""

import base64
import datetime
import json
import math
from typing import Any


def to_json(value: Any) -> bytes:
    """UTF-8 JSON of a model's result; raises TypeError for what has no JSON form."""
    plain = _plain(value)
    try:
        return json.dumps(plain, default=_other, allow_nan=False).encode()
    except ValueError:
        return json.dumps(_finite(json.loads(json.dumps(plain, default=_other))), allow_nan=False).encode()


def unfit(value: Any, where: str = "the result") -> str:
    """Where a value holds what JSON cannot, or an empty text."""
    if isinstance(value, dict):
        return next((found for name, one in value.items() for found in [unfit(one, f"{where}[{name!r}]") if isinstance(name, (str, int, float, bool, type(None))) else f"{where} has a key of type {type(name).__name__}"] if found), "")
    if isinstance(value, (list, tuple)):
        return next((found for i, one in enumerate(value) for found in [unfit(one, f"{where}[{i}]")] if found), "")
    if isinstance(value, float) and not math.isfinite(value):
        return f"{where} is {value}, which JSON has no form for; return None or a text instead"
    if value is None or isinstance(value, (str, int, float, bool)):
        return ""
    hint = "; use .tolist()" if hasattr(value, "tolist") else "; use .to_dict()" if hasattr(value, "to_dict") else ""
    return f"{where} is of type {type(value).__name__}{hint}"


def _plain(value: Any) -> Any:
    if hasattr(value, "itertuples") and hasattr(value, "columns"):
        return [dict(zip(map(str, value.columns), row)) for row in value.astype(object).itertuples(index=False, name=None)]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _other(value: Any) -> Any:
    plain = _plain(value)
    if plain is not value:
        return plain
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"the result holds a {type(value).__name__}, which has no JSON form")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
