"""The runtime of MLflow models, without a gateway: bodies, signatures, results and loaders. Run by ServingRuntimeTests.cs."""

import contextlib
import datetime
import io
import json
import math
import os
import pickle
import sys
import tempfile
import types
import unittest
from typing import Any, Dict, List, Optional

sys.path.insert(0, os.path.join(os.environ["ZAFFRE_PYTHON"], "serving"))

import numpy
import pandas

from zaffre_serving import flavors, swagger
from zaffre_serving.answers import InputError, StartError
from zaffre_serving.frames import OWN_STATUS, Request
from zaffre_serving.mlflow_model import MlflowModel
from zaffre_serving.payload import parse
from zaffre_serving.results import to_json
from zaffre_serving.signature import Frame, Signature, Tensors


def signature(*inputs: Dict[str, Any], params: Optional[List[Dict[str, Any]]] = None) -> Signature:
    return Signature.read({"inputs": json.dumps(inputs), "params": json.dumps(params or [])})


def column(name: str, kind: Any, **more: Any) -> Dict[str, Any]:
    return {"name": name, "type": kind, **more}


def fit(model: Signature, body: Any, content_type: str = "application/json") -> Any:
    return model.fit(parse(body.encode() if isinstance(body, str) else json.dumps(body).encode(), content_type))


class Bodies(unittest.TestCase):
    def refused(self, words: str, body: Any, content_type: str = "application/json", status: int = 400) -> None:
        with self.assertRaises(InputError) as caught:
            parse(body if isinstance(body, bytes) else json.dumps(body).encode(), content_type)
        self.assertIn(words, str(caught.exception))
        self.assertEqual(status, caught.exception.status)

    def test_every_form_of_a_table_is_the_same_table(self) -> None:
        model = signature(column("x", "double"), column("y", "long"))
        expected = Frame(["x", "y"], [[1.5, 2.5], [3, 4]], ["double", "long"])
        split = {"columns": ["x", "y"], "index": [0, 1], "data": [[1.5, 3], [2.5, 4]]}
        records = [{"y": 3, "x": 1.5}, {"x": 2.5, "y": 4}]
        for body in ({"input_data": split}, {"dataframe_split": split}, {"dataframe_records": records}, {"instances": records}, {"inputs": {"y": [3, 4], "x": [1.5, 2.5]}},
                     {"input_data": records}, {"input_data": [[1.5, 3], [2.5, 4]]}, {"instances": [[1.5, 3], [2.5, 4]]}):
            self.assertEqual(expected, fit(model, body), body)
        self.assertEqual(expected, fit(model, "y,x\n3,1.5\n4,2.5\n", "text/csv; charset=utf-8"))

    def test_wrong_bodies_say_what_is_wrong(self) -> None:
        self.refused("not valid JSON", b"{")
        self.refused("not UTF-8", b"\xff\xfe")
        self.refused("it is a list", [1])
        self.refused("it is null", None)
        self.refused("only a", {"a": 1})
        self.refused("input_data and inputs", {"input_data": [], "inputs": []})
        self.refused("'input_data.data[1]' has 1 values for 2 columns", {"input_data": {"columns": ["a", "b"], "data": [[1, 2], [1]]}})
        self.refused("names a column twice", {"dataframe_split": {"columns": ["a", "a"], "data": []}})
        self.refused("must be a list of objects", {"dataframe_records": [1]})
        self.refused("'params' must be an object", {"inputs": [1], "params": [1]})
        self.refused("content type 'image/png'", b"x", "image/png", 415)
        self.refused("charset 'latin-1'", b"{}", "application/json; charset=latin-1", 415)
        self.refused("Line 3 of the CSV body has 1 values", b"a,b\n1,2\n3\n", "text/csv")
        self.refused("not valid JSON", b"[" * 100000)


class Signatures(unittest.TestCase):
    def refused(self, words: str, model: Signature, body: Any) -> None:
        with self.assertRaises(InputError) as caught:
            fit(model, body)
        self.assertIn(words, str(caught.exception))

    def test_types_widen_and_never_narrow(self) -> None:
        self.assertEqual([[1, 2.5]], fit(signature(column("x", "double")), {"inputs": {"x": [1, 2.5]}}).columns)
        self.assertEqual([[1]], fit(signature(column("x", "long")), {"inputs": {"x": ["1"]}}).columns)
        for kind, value in (("long", 1.5), ("long", 2 ** 63), ("integer", 2 ** 31), ("integer", True), ("long", None), ("double", "abc"), ("double", True), ("boolean", 1), ("string", 5), ("datetime", "soon"), ("binary", "%%")):
            self.refused(f"column 'x', row 0 to type '{kind}'", signature(column("x", kind)), {"inputs": {"x": [value]}})
        self.assertTrue(math.isnan(fit(signature(column("x", "double")), {"inputs": {"x": [None]}}).columns[0][0]))
        self.assertEqual([[b"hi"]], fit(signature(column("x", "binary")), {"inputs": {"x": ["aGk="]}}).columns)
        self.assertEqual([[datetime.datetime(2026, 1, 2, 3)]], fit(signature(column("x", "datetime")), {"inputs": {"x": ["2026-01-02T04:00:00+01:00"]}}).columns)
        self.assertEqual([["007"]], fit(signature(column("x", "string")), "x\n007\n", "text/csv").columns)

    def test_missing_columns_are_named_extra_ones_dropped_and_optional_ones_may_be_absent(self) -> None:
        model = signature(column("x", "double"), column("z", "long", required=False))
        self.refused("Model is missing inputs ['x']. Note that there were extra inputs: ['y'].", model, {"inputs": {"y": [1]}})
        self.assertEqual(["x"], fit(model, {"inputs": {"x": [1.0], "y": [2]}}).names)
        self.refused("rows without names must have as many values, and these have 3", model, {"input_data": [[1, 2, 3]]})
        self.refused("different lengths", model, {"inputs": {"x": [1], "z": [1, 2]}})

    def test_composite_types_are_checked_to_their_leaves(self) -> None:
        model = signature(column("x", "object", properties={"a": {"type": "long", "required": True}, "b": {"type": "array", "items": {"type": "string"}, "required": False}}))
        self.assertEqual([[{"a": 1, "b": ["t"]}]], fit(model, {"dataframe_records": [{"x": {"a": 1, "b": ["t"]}}]}).columns)
        self.refused("column 'x', row 0.b[0] to type 'string'", model, {"dataframe_records": [{"x": {"a": 1, "b": [3]}}]})
        self.refused("missing ['a'], unknown ['c']", model, {"dataframe_records": [{"x": {"c": 1}}]})

    def test_tensors_have_shape_and_type(self) -> None:
        model = signature({"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}})
        fitted = fit(model, {"input_data": [[1, 2], [3, 4]]})
        self.assertEqual(((2, 2), "float32"), (fitted.arrays[None].shape, str(fitted.arrays[None].dtype)))
        self.refused("must have the shape (-1, 2); the one sent has (1, 3)", model, {"inputs": [[1, 2, 3]]})
        self.refused("not rectangular", model, {"inputs": [[1, 2], [3]]})
        self.refused("must have the type float32", model, {"inputs": [["a", "b"]]})
        self.refused("outside of the range of uint8", signature({"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": [-1]}}), {"inputs": [300]})
        named = signature({"name": "a", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}, {"name": "b", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}})
        self.assertEqual({"a", "b"}, set(fit(named, {"input_data": {"a": [1], "b": [2]}}).arrays))
        self.refused("Model is missing inputs ['b']", named, {"inputs": {"a": [1]}})

    def test_parameters_have_defaults_and_types(self) -> None:
        model = signature(column("x", "double"), params=[{"name": "t", "type": "double", "default": 0.5, "shape": None}, {"name": "k", "type": "long", "default": [1], "shape": [-1]}])
        self.assertEqual({"t": 0.5, "k": [1]}, model.fit_params({}))
        self.assertEqual({"t": 1.0, "k": [2, 3]}, model.fit_params({"t": 1, "k": [2, 3], "unknown": 1}))
        with self.assertRaisesRegex(InputError, "params.t to type 'double'"):
            model.fit_params({"t": "warm"})

    def test_the_description_names_columns_types_and_both_routes(self) -> None:
        document = swagger.of_signature(signature(column("x", "double"), column("y", "string")))
        assert document is not None
        self.assertEqual(["/score", "/invocations"], list(document["paths"]))
        data = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["input_data"]
        self.assertEqual(["x", "y"], data["properties"]["columns"]["example"])
        self.assertEqual([{"type": "number", "format": "double"}, {"type": "string"}], data["properties"]["data"]["items"]["items"]["anyOf"])


class Results(unittest.TestCase):
    def test_what_models_return_becomes_json(self) -> None:
        for value, expected in (
                (numpy.array([[1, 2]]), [[1, 2]]), (numpy.float32(1.5), 1.5), (pandas.Series(["a", "b"]), ["a", "b"]),
                (pandas.DataFrame({"p": [1, 2], "t": pandas.to_datetime(["2026-01-01", "2026-01-02"])}), [{"p": 1, "t": "2026-01-01T00:00:00"}, {"p": 2, "t": "2026-01-02T00:00:00"}]),
                ({"a": numpy.array([1.0])}, {"a": [1.0]}), ([float("nan"), {"b": float("inf")}], [None, {"b": None}]), (pandas.DataFrame({"x": [1.5, None]}), [{"x": 1.5}, {"x": None}]), ((1, b"hi"), [1, "aGk="])):
            self.assertEqual(expected, json.loads(to_json(value)), value)
        with self.assertRaisesRegex(TypeError, "has no JSON form"):
            to_json([object()])


class Loaders(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory()) if hasattr(self, "enterContext") else tempfile.mkdtemp()

    def model(self, own: Dict[str, Any], flavor: str, inputs: Optional[str] = None) -> MlflowModel:
        description = os.path.join(self.folder, "description.json")
        with open(description, "w", encoding="utf-8") as stream:
            json.dump({"flavor": flavor, "model": {"flavors": own, "mlflow_version": "2.17.3", **({"signature": {"inputs": inputs}} if inputs else {})}}, stream)
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said):
            return MlflowModel.load(self.folder, description)

    def pickled(self, name: str, value: Any) -> None:
        with open(os.path.join(self.folder, name), "wb") as stream:
            pickle.dump(value, stream)

    def ask(self, model: MlflowModel, body: Any, route: str = "score") -> Any:
        answer = model.answer(Request(f"id\nPOST https://host/iris/{route}\nContent-Type: application/json\n".encode(), json.dumps(body).encode()))
        return answer.status, json.loads(answer.body), answer.flags

    def test_scikit_learn_with_and_without_names_of_features(self) -> None:
        from sklearn.linear_model import LinearRegression

        table = pandas.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 5.0]})
        for fitted in (LinearRegression().fit(table, [1, 2, 3]), LinearRegression().fit(table.to_numpy(), [1, 2, 3])):
            self.pickled("model.pkl", fitted)
            model = self.model({"sklearn": {"pickled_model": "model.pkl", "sklearn_version": "0.24.1"}, "python_function": {"predict_fn": "predict"}}, "sklearn")
            self.assertIn("written with scikit-learn 0.24.1; here is", self.said.getvalue())
            with self.subTest(fitted), contextlib.redirect_stderr(io.StringIO()):
                status, answer, _ = self.ask(model, {"input_data": [[0, 1], [2, 5]]})
                self.assertEqual(200, status)
                numpy.testing.assert_allclose(answer, [1, 3])
                status, answer, flags = self.ask(model, {"input_data": [[0, 1, 2]]})
                self.assertEqual((400, OWN_STATUS), (status, flags & OWN_STATUS))
                self.assertIn("rows of 2 features", answer["error"]["message"])

    def test_xgboost_boosters_and_estimators(self) -> None:
        import xgboost

        features, target = numpy.random.RandomState(1).rand(40, 3), numpy.arange(40) % 2
        estimator = xgboost.XGBClassifier(n_estimators=3).fit(features, target)
        estimator.save_model(os.path.join(self.folder, "model.json"))
        for name, expected in (("xgboost.sklearn.XGBClassifier", estimator.predict(features[:4])), ("xgboost.core.Booster", estimator.get_booster().predict(xgboost.DMatrix(features[:4])))):
            model = self.model({"xgboost": {"data": "model.json", "model_class": name, "xgb_version": xgboost.__version__}}, "xgboost", json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]))
            status, answer, _ = self.ask(model, {"inputs": features[:4].tolist()}, "invocations")
            self.assertEqual(200, status)
            numpy.testing.assert_allclose(answer["predictions"], expected, rtol=1e-6)

    def test_a_pickle_that_does_not_load_says_what_wrote_it(self) -> None:
        with open(os.path.join(self.folder, "model.pkl"), "wb") as stream:
            stream.write(b"csklearn.linear_model.nowhere\nGone\n.")
        with self.assertRaises(StartError) as caught:
            self.model({"sklearn": {"pickled_model": "model.pkl", "sklearn_version": "0.19.0"}, "python_function": {"python_version": "3.6.1"}}, "sklearn")
        self.assertEqual("ModelLoadFailed", caught.exception.code)
        self.assertRegex(str(caught.exception), r"No module named 'sklearn.linear_model.nowhere'.*written with scikit-learn 0.19.0, Python 3.6.1; here are scikit-learn \d")

    def test_files_that_are_missing_or_outside_of_the_folder_are_named(self) -> None:
        with self.assertRaisesRegex(StartError, "'model.pkl', which the model's folder lacks"):
            self.model({"sklearn": {"pickled_model": "model.pkl"}}, "sklearn")
        with self.assertRaisesRegex(StartError, "outside of the model's folder"):
            self.model({"sklearn": {"pickled_model": "../../etc/passwd"}}, "sklearn")
        with self.assertRaisesRegex(StartError, "'mlflow.keras' is a part of mlflow"):
            self.model({"python_function": {"loader_module": "mlflow.keras"}}, "python_function")

    def test_a_python_model_gets_its_context_and_parameters(self) -> None:
        os.makedirs(os.path.join(self.folder, "code"))
        with open(os.path.join(self.folder, "code", "own_model.py"), "w", encoding="utf-8") as stream:
            stream.write("class Own:\n    def load_context(self, context): self.text = __import__('pathlib').Path(context.artifacts['words']).read_text()\n"
                         "    def predict(self, context, model_input, params=None): return [self.text + str(v) + str(params['t']) for v in model_input['x']]\n")
        with open(os.path.join(self.folder, "words.txt"), "w", encoding="utf-8") as stream:
            stream.write("hi ")
        sys.path.insert(0, os.path.join(self.folder, "code"))
        import own_model

        self.pickled("python_model.pkl", own_model.Own())
        sys.path.pop(0)
        own = {"python_function": {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl", "code": "code", "artifacts": {"words": {"path": "words.txt"}}}}
        model = self.model(own, "python_function", json.dumps([column("x", "long")]))
        model._signature.params = [{"name": "t", "type": "long", "default": 7}]
        self.assertEqual((200, {"predictions": ["hi 17"]}), self.ask(model, {"instances": [{"x": 1}]}, "invocations")[:2])

    def test_an_own_loader_module_is_called(self) -> None:
        os.makedirs(os.path.join(self.folder, "src"))
        with open(os.path.join(self.folder, "src", "own_loader.py"), "w", encoding="utf-8") as stream:
            stream.write("class M:\n    def predict(self, frame): return frame.sum(axis=1)\ndef _load_pyfunc(path): return M()\n")
        model = self.model({"python_function": {"loader_module": "own_loader", "code": "src"}}, "python_function")
        self.assertEqual([3, 7], self.ask(model, {"input_data": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}})[1])

    def test_the_real_mlflow_is_used_when_the_environment_has_it(self) -> None:
        package, pyfunc = types.ModuleType("mlflow"), types.ModuleType("mlflow.pyfunc")
        package.__version__, package.pyfunc = "9.9", pyfunc  # type: ignore[attr-defined]
        package.__spec__ = type("Spec", (), {"origin": "/elsewhere/mlflow/__init__.py"})()  # type: ignore[assignment]
        pyfunc.load_model = lambda folder: type("M", (), {"predict": lambda self, data: data["x"] * 2})()  # type: ignore[attr-defined]
        sys.modules.update({"mlflow": package, "mlflow.pyfunc": pyfunc})
        try:
            model = self.model({"sklearn": {"pickled_model": "gone.pkl"}, "python_function": {}}, "sklearn", json.dumps([column("x", "long")]))
        finally:
            del sys.modules["mlflow"], sys.modules["mlflow.pyfunc"]
        self.assertIn("mlflow 9.9", self.said.getvalue())
        self.assertEqual([4], self.ask(model, {"input_data": [[2]]})[1])

    def test_a_model_that_raises_is_a_failure_with_its_traceback_in_the_log(self) -> None:
        os.makedirs(os.path.join(self.folder, "lib"))
        with open(os.path.join(self.folder, "lib", "raising.py"), "w", encoding="utf-8") as stream:
            stream.write("class M:\n    def predict(self, frame): raise KeyError('inside')\ndef _load_pyfunc(path): return M()\n")
        model = self.model({"python_function": {"loader_module": "raising", "code": "lib"}}, "python_function")
        log = io.StringIO()
        with contextlib.redirect_stderr(log):
            status, answer, flags = self.ask(model, {"inputs": [1]})
        self.assertEqual((500, 0), (status, flags & OWN_STATUS))
        self.assertIn("KeyError: 'inside'", log.getvalue())
        self.assertNotIn("inside", json.dumps(answer))

    def test_prompts_go_to_the_model_as_they_are(self) -> None:
        os.makedirs(os.path.join(self.folder, "chat"))
        with open(os.path.join(self.folder, "chat", "chatting.py"), "w", encoding="utf-8") as stream:
            stream.write("class M:\n    def predict(self, body): return {'echo': body['messages'][0]['content']}\ndef _load_pyfunc(path): return M()\n")
        model = self.model({"python_function": {"loader_module": "chatting", "code": "chat"}}, "python_function")
        self.assertEqual({"echo": "hi"}, self.ask(model, {"messages": [{"role": "user", "content": "hi"}]}, "invocations")[1])


if __name__ == "__main__":
    unittest.main(verbosity=0)
