"""Arrays of numpy."""

from importlib import import_module
from typing import Any, Dict

from .abstract_parameter_type import AbstractParameterType, InputMismatch, swagger_of_dtype

# Of the environment of the script that declares arrays.
np = import_module("numpy")


class NumpyParameterType(AbstractParameterType):
    """An array like the sample: its type, its number of dimensions, and the sizes of all but the first."""

    def __init__(self, sample_input: Any, enforce_column_type: bool = True, enforce_shape: bool = True) -> None:
        if not isinstance(sample_input, np.ndarray):
            raise Exception("Invalid sample input provided, must provide a sample Numpy array.")
        super().__init__(sample_input)
        self.enforce_column_type, self.enforce_shape = enforce_column_type, enforce_shape

    def deserialize_input(self, input_data: Any) -> Any:
        if isinstance(input_data, np.ndarray):
            return input_data
        if not isinstance(input_data, list):
            raise InputMismatch("Invalid input format: expected an array of items.")
        sample = self.sample_input
        try:
            values = [tuple(row) for row in input_data] if sample.dtype.names else input_data
            array = np.array(values, dtype=sample.dtype) if self.enforce_column_type else np.array(values)
        except (ValueError, TypeError) as error:
            raise InputMismatch(f"Invalid input array: it does not fit the type {sample.dtype}: {error}") from None
        if self.enforce_shape:
            if array.ndim != sample.ndim:
                raise InputMismatch(f"Invalid input array: an array with {sample.ndim} dimensions is expected; input has {array.ndim} [shape {array.shape}]")
            for axis in range(1, sample.ndim):
                if array.shape[axis] != sample.shape[axis]:
                    raise InputMismatch(f"Invalid input array: array has size {array.shape[axis]} on dimension #{axis}, while expected value is {sample.shape[axis]}")
        return array

    def input_to_swagger(self) -> Dict[str, Any]:
        schema = swagger_of_dtype(self.sample_input.dtype)
        for _ in range(max(1, self.sample_input.ndim)):
            schema = {"type": "array", "items": schema}
        example = self.sample_input.astype(str) if self.sample_input.dtype.kind in "Mm" else self.sample_input
        return {**schema, "example": [list(row) for row in example.tolist()] if self.sample_input.dtype.names else example.tolist()}
