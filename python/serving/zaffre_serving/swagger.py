"""OpenAPI descriptions of deployments, from a model's signature or a script's schema."""

import json
import os
import sys
from typing import Any, Dict, List, Optional

from .signature import Signature

_TYPES: Dict[str, Dict[str, Any]] = {
    "boolean": {"type": "boolean"}, "integer": {"type": "integer", "format": "int32"}, "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "float"}, "double": {"type": "number", "format": "double"}, "string": {"type": "string"},
    "binary": {"type": "string", "format": "byte"}, "datetime": {"type": "string", "format": "date-time"},
}


def of_signature(signature: Signature) -> Optional[Dict[str, Any]]:
    """The description of an MLflow model, or None when it has no signature."""
    if signature.inputs is None:
        return None
    if signature.is_tensor:
        data: Dict[str, Any] = _tensor(signature.inputs[0]) if len(signature.inputs) == 1 else {
            "type": "object", "properties": {str(s.get("name")): _tensor(s) for s in signature.inputs}}
    else:
        names = [str(s["name"]) if s.get("name") is not None else str(i) for i, s in enumerate(signature.inputs)]
        cells = [_schema(s) for s in signature.inputs]
        data = {"type": "object", "required": ["columns", "data"], "properties": {
            "columns": {"type": "array", "items": {"type": "string", "enum": names}, "example": names},
            "index": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array", "items": {"type": "array", "items": cells[0] if all(c == cells[0] for c in cells) else {"anyOf": _distinct(cells)}, "minItems": len(cells), "maxItems": len(cells)}}}}
    request: Dict[str, Any] = {"type": "object", "required": ["input_data"], "properties": {"input_data": data}}
    if signature.params:
        request["properties"]["params"] = {"type": "object", "properties": {str(p["name"]): {**_schema(p), "default": p.get("default")} for p in signature.params}}
    outputs = signature.outputs
    answer = {"type": "array", "items": {}} if not outputs else _tensor(outputs[0]) if len(outputs) == 1 and outputs[0].get("type") == "tensor" else {
        "type": "array", "items": _schema(outputs[0]) if len(outputs) == 1 and outputs[0].get("name") is None else
        {"type": "object", "properties": {str(o.get("name") or i): _schema(o) for i, o in enumerate(outputs)}}}
    invocations = {"type": "object", "properties": {"predictions": answer}}
    split = {"type": "object", "properties": {"dataframe_split": data} if not signature.is_tensor else {"inputs": data}}
    return document({"/score": _post("score", request, answer), "/invocations": _post("invocations", split, invocations)})


def of_script(root: str, schema: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    """``swagger`` (OpenAPI 3, or what the folder's own swagger.json says) and ``swagger2`` of a script, as far as there are any."""
    own, own2, own3 = (_file(os.path.join(root, name)) for name in ("swagger.json", "swagger2.json", "swagger3.json"))
    found: Dict[str, Any] = {}
    made = None if schema is None else document({"/score": _post("score", schema["input"], schema["output"])})
    if (default := own3 or own or made or own2) is not None:
        found["swagger"] = default
    two = own2 or (own if own is not None and str(own.get("swagger", "")).startswith("2") else None)
    if two is not None:
        found["swagger2"] = two
    return found


def _file(path: str) -> Optional[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{os.path.basename(path)} is left out: {error}\n")
        return None
    return found if isinstance(found, dict) else None


def document(paths: Dict[str, Any]) -> Dict[str, Any]:
    """An OpenAPI 3 document; its addresses are relative to where it is read."""
    return {
        "openapi": "3.0.3", "info": {"title": "Online deployment", "version": "1"}, "servers": [{"url": "./"}], "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _post(name: str, request: Dict[str, Any], answer: Dict[str, Any]) -> Dict[str, Any]:
    return {"post": {
        "operationId": name, "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {"description": "The predictions", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "The input does not fit; the answer holds the expected signature"},
            "408": {"description": "The model ran too long"},
            "424": {"description": "The model failed; see ms-azureml-model-error-statuscode"},
            "429": {"description": "Too many pending requests"}}}}


def _schema(spec: Dict[str, Any]) -> Dict[str, Any]:
    kind = spec.get("type")
    if kind == "tensor":
        return _tensor(spec)
    if kind == "array":
        return {"type": "array", "items": _schema(spec.get("items") or {})}
    if kind == "object":
        return {"type": "object", "properties": {n: _schema(s) for n, s in (spec.get("properties") or {}).items()}}
    if kind == "map":
        return {"type": "object", "additionalProperties": _schema(spec.get("values") or {})}
    scalar = dict(_TYPES.get(str(kind), {}))
    return {"type": "array", "items": scalar} if spec.get("shape") else scalar


def _tensor(spec: Dict[str, Any]) -> Dict[str, Any]:
    form = spec.get("tensor-spec") or {}
    name = str(form.get("dtype", ""))
    schema: Dict[str, Any] = {"type": "boolean"} if name == "bool" else {"type": "string"} if name in ("str", "object") else {"type": "integer" if "int" in name else "number"}
    for size in reversed(form.get("shape") or []):
        schema = {"type": "array", "items": schema, **({"minItems": size, "maxItems": size} if size >= 0 else {})}
    return schema


def _distinct(schemas: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = []
    for schema in schemas:
        if schema not in found:
            found.append(schema)
    return found
