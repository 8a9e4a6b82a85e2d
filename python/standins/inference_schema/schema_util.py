"""What the decorators wrote on a function."""

import copy
from typing import Any, Dict, List

SCHEMA = "__zaffre_schema__"
_ALL: Dict[str, Dict[str, Any]] = {}


def get_input_schema(func: Any) -> Dict[str, Any]:
    """The schema of the arguments as one object."""
    return getattr(func, SCHEMA, {}).get("input", {"type": "object"})


def get_output_schema(func: Any) -> Dict[str, Any]:
    """The schema of the result."""
    return getattr(func, SCHEMA, {}).get("output", {"type": "object"})


def get_supported_versions(func: Any) -> List[str]:
    """Versions of OpenAPI that can say the function's schema."""
    return ["2.0", "3.0", "3.1"]


def get_schemas_dict() -> Dict[str, Dict[str, Any]]:
    """A copy of every schema, by module and name of the function."""
    return copy.deepcopy(_ALL)


def is_schema_decorated(func: Any) -> bool:
    """Whether the function has an input or output schema."""
    return hasattr(func, SCHEMA)


def remember(func: Any, schema: Dict[str, Any]) -> None:
    """Keeps the schema with the function and by its name."""
    setattr(func, SCHEMA, schema)
    _ALL[f"{func.__module__}.{func.__name__}"] = schema
