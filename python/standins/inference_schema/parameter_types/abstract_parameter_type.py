"""What every type of parameter has: a sample, a way from JSON, and a schema."""

from typing import Any, Dict, List


class InputMismatch(ValueError):
    """The caller's value does not fit the sample. The scoring process answers it as bad input, not as a failure of the script."""

    zaffre_input = True


class AbstractParameterType:
    """``sample_data_type`` is the type that run() wants; a value that is one already is not converted."""

    def __init__(self, sample_input: Any) -> None:
        self.sample_input = sample_input
        self.sample_data_type = type(sample_input)

    def deserialize_input(self, input_data: Any) -> Any:
        """The value that run() gets for a JSON value."""
        raise NotImplementedError

    def input_to_swagger(self) -> Dict[str, Any]:
        """The OpenAPI schema, with an example."""
        raise NotImplementedError

    def supported_versions(self) -> List[str]:
        """Versions of OpenAPI that can say this type."""
        return ["2.0", "3.0", "3.1"]


def swagger_of_dtype(dtype: Any) -> Dict[str, Any]:
    """The schema of one element of a numpy type."""
    if dtype.names:
        return {"type": "object", "properties": {name: swagger_of_dtype(dtype[name]) for name in dtype.names}}
    if dtype.kind in "iu":
        return {"type": "integer", "format": "int64" if dtype.itemsize > 4 else "int32"}
    if dtype.kind == "f":
        return {"type": "number", "format": "double" if dtype.itemsize > 4 else "float"}
    if dtype.kind == "b":
        return {"type": "boolean"}
    if dtype.kind == "M":
        return {"type": "string", "format": "date-time"}
    return {"type": "string"} if dtype.kind in "USm" else {"type": "object"}
