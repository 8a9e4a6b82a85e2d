"""Input examples of models, as files that serving tools can send."""

import base64
import datetime
import importlib
import json
import os
from typing import Any, Dict, NamedTuple, Optional

from .exceptions import invalid


class Example(NamedTuple):
    """The data of an example as the model takes it, and the parameters that go along."""

    data: Any
    params: Optional[Dict[str, Any]]


def save(path: str, input_example: Any, model: Any) -> Example:
    """Writes ``input_example.json`` and ``serving_input_example.json`` and notes them in the document."""
    params = None
    if isinstance(input_example, tuple) and len(input_example) == 2 and isinstance(input_example[1], dict) and input_example[1]:
        input_example, params = input_example
    data, info, stored, serving = _forms(input_example)
    info["artifact_path"] = "input_example.json"
    info["serving_input_path"] = "serving_input_example.json"
    if params:
        info["example_params_path"] = "input_example_params.json"
        _write(path, info["example_params_path"], params)
        serving = dict(serving, params=params)
    _write(path, info["artifact_path"], stored)
    _write(path, info["serving_input_path"], serving)
    model.saved_input_example_info = info
    return Example(data, params)


def load(folder: str, info: Dict[str, Any]) -> Any:
    """The example that a model's folder holds."""
    with open(os.path.join(folder, info["artifact_path"]), encoding="utf-8") as stream:
        stored = json.load(stream)
    if info["type"] == "dataframe":
        pandas = importlib.import_module("pandas")

        return pandas.DataFrame(**stored)
    if info["type"] == "ndarray":
        numpy = importlib.import_module("numpy")

        inputs = stored["inputs"]
        return {k: numpy.array(v) for k, v in inputs.items()} if isinstance(inputs, dict) else numpy.array(inputs)
    return stored


def _forms(example: Any) -> Any:
    """The data, what MLmodel says of it, what is stored, and what a caller of a server sends."""
    if hasattr(example, "columns") and hasattr(example, "iloc"):
        positions = list(example.columns) == list(range(len(example.columns)))
        rows = [[_plain(value) for value in row] for row in example.itertuples(index=False, name=None)]
        stored = {"data": rows} if positions else {"columns": [str(name) for name in example.columns], "data": rows}
        return example, {"type": "dataframe", "pandas_orient": "split"}, stored, {"dataframe_split": stored}
    if hasattr(example, "detach") and hasattr(example, "numpy"):
        example = example.detach().cpu().numpy()
    if hasattr(example, "iloc"):
        return _forms(example.to_frame())
    if hasattr(example, "tolist") and hasattr(example, "shape"):
        inputs = example.tolist()
        return example, {"type": "ndarray", "format": "tf-serving"}, {"inputs": inputs}, {"inputs": inputs}
    if isinstance(example, dict) and example and all(hasattr(value, "tolist") and getattr(value, "shape", ()) for value in example.values()):
        inputs = {name: value.tolist() for name, value in example.items()}
        return example, {"type": "ndarray", "format": "tf-serving"}, {"inputs": inputs}, {"inputs": inputs}
    if isinstance(example, (dict, list, str, int, float, bool)):
        return example, {"type": "json_object"}, example, example if isinstance(example, dict) and set(example) & {"messages", "prompt", "input"} else {"inputs": example}
    raise invalid("An input example is a DataFrame, an array, a dictionary, a list or a plain value, not {}.".format(type(example)))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    return value.tolist() if hasattr(value, "tolist") else value


def _write(path: str, name: str, value: Any) -> None:
    with open(os.path.join(path, name), "w", encoding="utf-8") as stream:
        json.dump(value, stream, default=_plain)
