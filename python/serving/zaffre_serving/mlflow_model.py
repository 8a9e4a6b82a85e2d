"""MLflow models without code: MLmodel's flavor loaded, requests checked against its signature, answers in both dialects."""

import json
import sys
import traceback
from typing import Any, Dict

from . import flavors, payload, swagger
from .answers import Answer, InputError, StartError, refusal
from .frames import JSON, RUN_FAILED, Request
from .results import to_json
from .signature import Signature

_FAILED = "The model raised an error for this input. Check the deployment's log for more info."


class MlflowModel:
    """A loaded MLflow model. ``/score`` answers the bare predictions, ``/invocations`` MLflow's object around them."""

    #: Its content type and its route decide how a request is read.
    wants_headers = True

    def __init__(self, model: Dict[str, Any], loaded: flavors.Loaded) -> None:
        self._model, self._predict = model, loaded.predict
        self._signature = Signature.read(model.get("signature"))

    @classmethod
    def load(cls, folder: str, description: str) -> "MlflowModel":
        """Loads by the description that the server wrote: the parsed MLmodel and the chosen flavor."""
        with open(description, encoding="utf-8") as stream:
            told = json.load(stream)
        model, flavor = told["model"], told["flavor"]
        for name, wrote, here in flavors.packages(model.get("flavors") or {}):
            if wrote != here:
                print(f"the model was written with {name} {wrote}; here is {here or 'none'}")
        loaded = flavors.load(folder, model, flavor)
        try:
            runtime = cls(model, loaded)
        except ValueError as error:
            raise StartError(f"The signature in MLmodel cannot be read: {error}.", "ModelLoadFailed") from None
        print(f"model loaded: flavor {flavor}, by {loaded.how}")
        return runtime

    def describe(self) -> Dict[str, Any]:
        """What the gateway answers without asking again."""
        return {"version": str(self._model.get("mlflow_version") or "unknown"), "invocations": True, "swagger": swagger.of_signature(self._signature)}

    def answer(self, request: Request) -> Answer:
        """Scores one request. Whatever the model raises becomes an answer, its traceback goes to the log."""
        lines = request.head.decode("utf-8", "replace").split("\n")
        route = lines[1].partition(" ")[2].partition("?")[0].rpartition("/")[2] if len(lines) > 1 else "score"
        content_type = next((line.partition(":")[2].strip() for line in lines[2:] if line[:13].lower() == "content-type:"), "")
        mlflow = route == "invocations"
        try:
            sent = payload.parse(request.body, content_type)
            if sent.form == "raw":
                return Answer(200, JSON, b"", to_json(self._predict(sent.data, {})))
            fitted = self._signature.fit(sent)
            params = self._signature.fit_params(sent.params)
            result = to_json(self._predict(fitted, params))
        except InputError as error:
            return refusal(error, mlflow, self._signature.expected)
        except Exception:  # the model may raise anything
            return self._failed(lines[0])
        return Answer(200, JSON, b"", b'{"predictions": ' + result + b"}" if mlflow else result)

    @staticmethod
    def _failed(request_id: str) -> Answer:
        sys.stderr.write(f"predict() failed for request {request_id}\n{traceback.format_exc()}")
        sys.stderr.flush()
        return Answer(500, JSON | RUN_FAILED, b"", json.dumps({"message": _FAILED}).encode())
