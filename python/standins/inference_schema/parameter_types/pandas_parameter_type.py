"""Tables of pandas."""

import json
from importlib import import_module
from typing import Any, Dict

from .abstract_parameter_type import AbstractParameterType, InputMismatch, swagger_of_dtype

# Of the environment of the script that declares tables.
np, pd = import_module("numpy"), import_module("pandas")

_ORIENTS = ("split", "records", "index", "columns", "values", "table")


class PandasParameterType(AbstractParameterType):
    """A DataFrame like the sample: its types by column, and its number of columns."""

    def __init__(self, sample_input: Any, enforce_column_type: bool = True, enforce_shape: bool = True, apply_column_names: bool = False, orient: str = "records") -> None:
        if not isinstance(sample_input, pd.DataFrame):
            raise Exception("Invalid sample input provided, must provide a sample Pandas Dataframe.")
        if orient not in _ORIENTS:
            raise Exception(f"Invalid orient '{orient}', must be one of {', '.join(_ORIENTS)}.")
        super().__init__(sample_input)
        self.enforce_column_type, self.enforce_shape = enforce_column_type, enforce_shape
        self.apply_column_names, self.orient = apply_column_names, orient

    def deserialize_input(self, input_data: Any) -> Any:
        if isinstance(input_data, pd.DataFrame):
            return input_data
        if not isinstance(input_data, (list, dict)):
            raise InputMismatch(f"Error, unable to convert input of type {type(input_data).__name__} into Pandas Dataframe")
        sample = self.sample_input
        try:
            frame = pd.DataFrame(**{k: input_data[k] for k in ("data", "columns", "index") if k in input_data}) if self.orient == "split" and isinstance(input_data, dict) \
                else pd.DataFrame.from_dict(input_data, orient="index") if self.orient == "index" else pd.DataFrame(input_data)
            if self.apply_column_names and isinstance(input_data, list) and input_data and not isinstance(input_data[0], dict):
                frame.columns = sample.columns
            if self.enforce_column_type:
                frame = frame.astype({name: kind for name, kind in sample.dtypes.to_dict().items() if name in frame.columns}, copy=False)
        except (ValueError, TypeError, KeyError) as error:
            raise InputMismatch(f"Invalid input data frame: {error}") from None
        if self.enforce_shape and frame.shape[1] != sample.shape[1]:
            raise InputMismatch(f"Invalid input data frame: data frame has size {frame.shape[1]} on dimension #1, while expected value is {sample.shape[1]}")
        return frame

    def input_to_swagger(self) -> Dict[str, Any]:
        sample = self.sample_input
        example = json.loads(sample.to_json(orient=self.orient, date_format="iso"))
        types = {str(name): swagger_of_dtype(np.dtype("U")) if kind == object and len(sample) and isinstance(sample[name].iloc[0], str) else swagger_of_dtype(np.dtype(kind) if isinstance(kind, np.dtype) else np.dtype(object))
                 for name, kind in sample.dtypes.to_dict().items()}
        row = {"type": "object", "properties": types}
        if self.orient == "records":
            return {"type": "array", "items": row, "example": example}
        if self.orient == "split":
            return {"type": "object", "example": example, "properties": {
                "columns": {"type": "array", "items": {"type": "string"}}, "index": {"type": "array", "items": {}}, "data": {"type": "array", "items": {"type": "array", "items": {}}}}}
        return {"type": "array" if self.orient == "values" else "object", **({"items": {"type": "array", "items": {}}} if self.orient == "values" else {}), "example": example}
