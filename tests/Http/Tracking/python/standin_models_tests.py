"""Models of the mlflow stand-in against a running server: written, stored, registered, loaded here and by the serving runtime. Run by StandinTests.cs."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
import uuid
from typing import Any

import numpy
import pandas

import mlflow
from mlflow import MlflowClient, MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.utils.environment import _mlflow_conda_env
from mlflow.types.schema import Array, ColSpec, DataType, Map, Object, ParamSchema, ParamSpec, Property, Schema, TensorSpec

sys.path.insert(0, os.path.join(os.environ["ZAFFRE_PYTHON"], "serving"))
from zaffre_serving.frames import Request
from zaffre_serving.mlflow_model import MlflowModel

FRAME = pandas.DataFrame({"height": [1.0, 2.0, 8.0, 9.0], "legs": [2, 2, 4, 4]})
KINDS = ["bird", "bird", "cow", "cow"]


def served(folder: str, flavor: str, body: Any, route: str = "score") -> Any:
    """What the serving runtime answers for the model of a folder. The server reads MLmodel itself; here PyYAML does."""
    import yaml

    with open(os.path.join(folder, "MLmodel"), encoding="utf-8") as stream:
        document = yaml.safe_load(stream)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as description:
        json.dump({"flavor": flavor, "model": document}, description, default=str)
        description.flush()
        with contextlib.redirect_stdout(io.StringIO()):
            model = MlflowModel.load(folder, description.name)
    answer = model.answer(Request(f"id\nPOST https://host/e/{route}\nContent-Type: application/json\n".encode(), json.dumps(body).encode()))
    return json.loads(answer.body) if answer.status == 200 else (answer.status, answer.body)


class Own(mlflow.pyfunc.PythonModel):
    """A model of a script: pickled along with its class."""

    def load_context(self, context: Any) -> None:
        with open(context.artifacts["words"], encoding="utf-8") as stream:
            self.words = stream.read().split()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return [self.words[n] * (params or {}).get("times", 1) for n in model_input["n"]]


class OfOtherNames(mlflow.pyfunc.PythonModel):
    def predict(self, own: Any, given: Any) -> Any:
        return [own.model_config["k"]] * len(given)


class WithoutContext(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: Any, params: Any = None) -> Any:
        return model_input * 2

    def predict_stream(self, model_input: Any, params: Any = None) -> Any:
        yield from model_input


class Signatures(unittest.TestCase):
    def test_schemas_are_inferred_as_mlflow_spells_them(self) -> None:
        frame = FRAME.assign(name="x", when=pandas.Timestamp(0), ok=True, gap=[1.0, None, 2.0, 3.0], small=numpy.int32(1), half=numpy.float32(1), tags=[["a"], ["b", "c"], [], ["d"]])
        found = json.loads(infer_signature(frame).to_dict()["inputs"])
        self.assertEqual({"type": "double", "name": "height", "required": True}, found[0])
        self.assertEqual(["double", "long", "string", "datetime", "boolean", "double", "integer", "float", "array"], [one["type"] for one in found])
        self.assertEqual([True] * 5 + [False] + [True] * 3, [one["required"] for one in found])
        self.assertEqual({"type": "string"}, found[-1]["items"])
        signature = infer_signature(numpy.zeros((4, 28, 28), "float32"), {"a": numpy.zeros(3), "b": numpy.zeros((3, 2), "int64")}, {"t": 0.5, "stop": ["x"], "n": 3})
        told = signature.to_dict()
        self.assertEqual([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}], json.loads(told["inputs"]))
        self.assertEqual({"name": "b", "type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}}, json.loads(told["outputs"])[1])
        self.assertEqual(
            [{"name": "t", "default": 0.5, "shape": None, "type": "double"}, {"name": "stop", "default": ["x"], "shape": [-1], "type": "string"}, {"name": "n", "default": 3, "shape": None, "type": "long"}],
            json.loads(told["params"]))
        self.assertEqual(signature, ModelSignature.from_dict(told))
        self.assertEqual([{"type": "string", "required": True}], json.loads(infer_signature(["a", "b"]).to_dict()["inputs"]))
        nested = Schema([ColSpec(Object([Property("a", DataType.long), Property("b", Array("string"), False)]), "o"), ColSpec(Map("double"), "m")])
        self.assertEqual(nested, Schema.from_json(nested.to_json()))
        with self.assertRaisesRegex(MlflowException, "combination of named and unnamed"):
            Schema([ColSpec("long", "a"), ColSpec("long")])

    def test_inputs_are_checked_against_the_signature(self) -> None:
        from mlflow.pyfunc._enforce import enforce, enforce_params

        schema = Schema([ColSpec("double", "x"), ColSpec("integer", "n"), ColSpec("string", "s", required=False)])
        fitted = enforce({"n": numpy.array([1], "int32"), "x": [2], "z": [0]}, schema)
        self.assertEqual((["x", "n"], "float64"), (list(fitted.columns), str(fitted["x"].dtype)))
        for wrong, said in (({"x": [1.0]}, r"missing inputs \['n'\]"), ({"x": [1.0], "n": [1.5]}, "Can not safely convert float64 to int32"), ({"x": ["a"], "n": [1]}, "Failed to convert column x")):
            with self.assertRaisesRegex(MlflowException, said) as refused:
                enforce(pandas.DataFrame(wrong), schema)
            self.assertEqual("INVALID_PARAMETER_VALUE", refused.exception.error_code)
        tensor = Schema([TensorSpec("float32", (-1, 2))])
        self.assertEqual((1, 2), enforce([[1, 2]], tensor).shape)
        with self.assertRaisesRegex(MlflowException, "Shape of input"):
            enforce(numpy.zeros((1, 3), "float32"), tensor)
        with self.assertRaisesRegex(MlflowException, "does not match expected dtype"):
            enforce(numpy.zeros((1, 2)), tensor)
        params = ParamSchema([ParamSpec("t", "double", 0.5), ParamSpec("stop", "string", [], (-1,))])
        self.assertEqual({"t": 1.0, "stop": ["a"]}, enforce_params({"t": 1, "stop": ["a"], "unknown": 2}, params))
        with self.assertRaisesRegex(MlflowException, "Incompatible types"):
            enforce_params({"t": "hot"}, params)

    def test_yaml_is_what_pyyaml_reads_and_writes(self) -> None:
        import yaml
        from mlflow import _yaml

        value = {"a": [1, "two", {"b": [[], {}, None, True, "yes", "1.5", "x: y", "#", "ü\n'\""], "c": {"d": "e f"}}, [1, [2]]], "empty": {}, "s": '[{"type": "long", "name": "it\'s"}]'}
        self.assertEqual(value, yaml.safe_load(_yaml.dump(value)))
        for text in (_yaml.dump(value), yaml.safe_dump(value), yaml.safe_dump(value, width=20, default_flow_style=False)):
            self.assertEqual(value, _yaml.read(text))
        self.assertEqual({"env": {"conda": "conda.yaml", "n": 1}, "list": ["a", 2]}, _yaml.read("# c\nenv: {conda: conda.yaml, n: 1}\nlist: [a, 2]\n"))


class Flavors(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()

    def tearDown(self) -> None:
        while mlflow.active_run():
            mlflow.end_run()

    def test_scikit_learn_is_stored_in_both_generations_registered_loaded_and_served(self) -> None:
        from sklearn.linear_model import LogisticRegression

        model, name = LogisticRegression().fit(FRAME, KINDS), "sk-" + uuid.uuid4().hex
        signature = infer_signature(FRAME, model.predict(FRAME))
        with mlflow.start_run() as run:
            mlflow.log_param("c", 1)
            mlflow.log_metrics({"acc": 0.5, "nan": float("nan")}, step=2)
            below = mlflow.sklearn.log_model(
                model, "model", signature=signature, input_example=FRAME.head(2), registered_model_name=name, metadata={"team": "zoo"}, extra_pip_requirements=["six"])
            alone = mlflow.sklearn.log_model(model, name="itself", registered_model_name=name, pip_requirements=["scikit-learn"], await_registration_for=5)
        self.assertEqual(("runs:/{}/model".format(run.info.run_id), "1"), (below.model_uri, below.registered_model_version))
        self.assertEqual(("models:/" + alone.model_id, "2"), (alone.model_uri, alone.registered_model_version))
        self.assertEqual(("itself", "READY", "1"), (lambda m: (m.name, m.status, m.params["c"]))(mlflow.get_logged_model(alone.model_id)))
        self.assertEqual(alone.model_id, mlflow.last_logged_model().model_id)
        self.assertEqual(({"acc", "nan"}, [{"name": name, "version": "2"}]), (lambda m: ({p.key for p in m.metrics}, json.loads(m.tags["mlflow.modelVersions"])))(mlflow.last_logged_model()))
        self.assertEqual([2], [m.step for m in MlflowClient().get_metric_history(run.info.run_id, "acc")])
        history = json.loads(mlflow.get_run(run.info.run_id).data.tags["mlflow.log-model.history"])
        self.assertEqual("model", history[0]["artifact_path"])
        client = MlflowClient()
        client.set_registered_model_alias(name, "champion", "1")
        client.transition_model_version_stage(name, "2", "Production")
        uris = (below.model_uri, alone.model_uri, "runs:/{}/itself".format(run.info.run_id), "models:/{}/1".format(name), "models:/{}@champion".format(name),
                "models:/{}/latest".format(name), "models:/{}/Production".format(name), mlflow.get_run(run.info.run_id).info.artifact_uri + "/model")
        for uri in uris:
            self.assertEqual(KINDS, list(mlflow.sklearn.load_model(uri).predict(FRAME)), uri)
        loaded = mlflow.pyfunc.load_model(uris[4])
        self.assertEqual(KINDS, list(loaded.predict(FRAME.assign(extra=1)[["extra", "legs", "height"]])))
        self.assertEqual(("zoo", "mlflow.sklearn", signature), (loaded.metadata.metadata["team"], loaded.loader_module, loaded.metadata.signature))
        with self.assertRaisesRegex(MlflowException, r"missing inputs \['legs'\]"):
            loaded.predict(FRAME[["height"]])
        folder = mlflow.artifacts.download_artifacts(uris[3], dst_path=self.folder)
        self.assertEqual(
            {"MLmodel", "conda.yaml", "model.pkl", "python_env.yaml", "requirements.txt", "input_example.json", "serving_input_example.json"}, set(os.listdir(folder)))
        with open(os.path.join(folder, "serving_input_example.json"), encoding="utf-8") as stream:
            self.assertEqual(["bird", "bird"], served(folder, "sklearn", json.load(stream)))
        with open(os.path.join(folder, "requirements.txt"), encoding="utf-8") as stream:
            lines = stream.read().split()
        self.assertTrue({"mlflow>=2.17", "six"} <= set(lines) and any(line.startswith("scikit-learn==") for line in lines), lines)
        self.assertEqual(400, served(folder, "sklearn", {"dataframe_records": [{"height": 1}]})[0])
        self.check_document(folder, "sklearn")

    def check_document(self, folder: str, flavor: str) -> None:
        """MLmodel, field by field, as the real mlflow writes it."""
        import yaml

        with open(os.path.join(folder, "MLmodel"), encoding="utf-8") as stream:
            text = stream.read()
        document = yaml.safe_load(text)
        from mlflow import _yaml

        self.assertEqual(document, _yaml.read(text))
        self.assertLessEqual({"artifact_path", "flavors", "mlflow_version", "model_size_bytes", "model_uuid", "run_id", "utc_time_created"}, set(document))
        self.assertEqual({"conda": "conda.yaml", "virtualenv": "python_env.yaml"}, document["flavors"]["python_function"]["env"])
        self.assertIn(flavor, document["flavors"])
        self.assertRegex(str(document["model_uuid"]), "^(m-)?[0-9a-f]{32}$")
        self.assertTrue(all(part is None or isinstance(json.loads(part), list) for part in (document.get("signature") or {}).values()))
        with open(os.path.join(folder, "python_env.yaml"), encoding="utf-8") as stream:
            self.assertEqual({"python", "build_dependencies", "dependencies"}, set(yaml.safe_load(stream)))
        with open(os.path.join(folder, "conda.yaml"), encoding="utf-8") as stream:
            self.assertEqual({"channels", "dependencies", "name"}, set(yaml.safe_load(stream)))

    def test_xgboost_boosters_and_estimators(self) -> None:
        import xgboost

        booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(FRAME, label=[0, 0, 1, 1]), 2)
        estimator = xgboost.XGBClassifier(n_estimators=2, min_child_weight=0).fit(FRAME, [0, 0, 1, 1])
        with mlflow.start_run():
            first = mlflow.xgboost.log_model(booster, "booster", input_example=FRAME)
            second = mlflow.xgboost.log_model(estimator, name="estimator", model_format="json")
        numpy.testing.assert_allclose(booster.predict(xgboost.DMatrix(FRAME)), mlflow.xgboost.load_model(first.model_uri).predict(xgboost.DMatrix(FRAME)))
        numpy.testing.assert_allclose(booster.predict(xgboost.DMatrix(FRAME)), mlflow.pyfunc.load_model(first.model_uri).predict(FRAME))
        self.assertEqual("XGBClassifier", type(mlflow.xgboost.load_model(second.model_uri)).__name__)
        folder = mlflow.artifacts.download_artifacts(second.model_uri)
        self.assertEqual([0, 0, 1, 1], served(folder, "xgboost", {"dataframe_split": FRAME.to_dict(orient="split")}))
        self.assertEqual("float32", json.loads(Model.load(first.model_uri).to_dict()["signature"]["outputs"])[0]["tensor-spec"]["dtype"])
        self.check_document(folder, "xgboost")

    def test_pytorch_modules_scripts_and_states(self) -> None:
        import torch

        class Doubles(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.one = torch.nn.Linear(2, 1)

            def forward(self, x: Any) -> Any:
                return self.one(x)

        model, rows = Doubles(), numpy.array([[1, 2], [3, 4]], "float32")
        wanted = model(torch.from_numpy(rows)).detach().numpy()
        with mlflow.start_run() as run:
            plain = mlflow.pytorch.log_model(model, "plain", signature=infer_signature(rows, wanted), registered_model_name="torch-" + uuid.uuid4().hex)
            scripted = mlflow.pytorch.log_model(torch.jit.script(torch.nn.Linear(2, 1)), name="scripted", input_example=rows)
            mlflow.pytorch.log_state_dict(model.state_dict(), "state")
        numpy.testing.assert_allclose(wanted, mlflow.pytorch.load_model(plain.model_uri)(torch.from_numpy(rows)).detach().numpy(), rtol=1e-6)
        numpy.testing.assert_allclose(wanted, mlflow.pyfunc.load_model(plain.model_uri).predict(rows), rtol=1e-6)
        self.assertEqual((2, 1), mlflow.pyfunc.load_model(scripted.model_uri).predict(rows).shape)
        self.assertEqual({"one.weight", "one.bias"}, set(mlflow.pytorch.load_state_dict("runs:/{}/state".format(run.info.run_id))))
        folder = mlflow.artifacts.download_artifacts(plain.model_uri)
        numpy.testing.assert_allclose(wanted, numpy.array(served(folder, "pytorch", {"inputs": rows.tolist()})), rtol=1e-5)
        self.assertEqual({"model.pth", "pickle_module_info.txt"}, set(os.listdir(os.path.join(folder, "data"))))
        self.check_document(folder, "pytorch")
        with self.assertRaises(TypeError):
            mlflow.pytorch.save_model("a text", os.path.join(self.folder, "x"))

    def test_a_python_model_goes_with_its_class_its_files_its_code_and_its_parameters(self) -> None:
        words, code = os.path.join(self.folder, "words.txt"), os.path.join(self.folder, "helper_of_model")
        os.makedirs(code)
        with open(os.path.join(code, "__init__.py"), "w", encoding="utf-8") as stream:
            stream.write("def shout(text): return text.upper()\n")
        with open(words, "w", encoding="utf-8") as stream:
            stream.write("zero one two")
        signature = infer_signature(pandas.DataFrame({"n": [1]}), ["one"], {"times": 1})
        with mlflow.start_run():
            info = mlflow.pyfunc.log_model(
                "own", python_model=Own(), artifacts={"words": words}, signature=signature, code_paths=[code], model_config={"k": 1}, registered_model_name="own-" + uuid.uuid4().hex)
            function = mlflow.pyfunc.log_model(name="function", python_model=lambda given: [len(given)], input_example=pandas.DataFrame({"a": [1, 2]}))
            short = mlflow.pyfunc.log_model(artifact_path="short", python_model=WithoutContext())
        loaded = mlflow.pyfunc.load_model(info.model_uri)
        self.assertEqual(["oneone", "twotwo"], loaded.predict({"n": [1, 2]}, params={"times": 2, "unknown": 1}))
        self.assertEqual(["two"], loaded.predict(pandas.DataFrame({"n": [2]})))
        self.assertEqual(("Own", {"k": 1}), (type(loaded.unwrap_python_model()).__name__, loaded.model_config))
        import helper_of_model  # of the model's code

        self.assertEqual("X", helper_of_model.shout("x"))
        self.assertEqual([2], mlflow.pyfunc.load_model(function.model_uri).predict(pandas.DataFrame({"a": [1, 2]})))
        streaming = mlflow.pyfunc.load_model(short.model_uri)
        self.assertEqual(([2, 4], ["a", "b"], True), (list(streaming.predict(numpy.array([1, 2]))), list(streaming.predict_stream("ab")), streaming.metadata.flavors["python_function"]["streamable"]))
        others = os.path.join(self.folder, "others")
        mlflow.pyfunc.save_model(others, python_model=OfOtherNames(), model_config={"k": 7}, conda_env=_mlflow_conda_env(additional_pip_deps=["six"]))
        self.assertEqual(([7], [7]), (mlflow.pyfunc.load_model(others).predict(pandas.DataFrame({"n": [1]})), served(others, "python_function", {"dataframe_records": [{"n": 1}]})))
        folder = mlflow.artifacts.download_artifacts(info.model_uri)
        self.assertEqual(["twotwo"], served(folder, "python_function", {"dataframe_records": [{"n": 2}], "params": {"times": 2}}))
        self.check_document(folder, "python_function")
        self.assertEqual({"path": "artifacts/words.txt", "uri": words}, Model.load(folder).flavors["python_function"]["artifacts"]["words"])
        with self.assertRaisesRegex(MlflowException, "python_model"):
            mlflow.pyfunc.save_model(os.path.join(self.folder, "none"))

    def test_folders_signatures_and_requirements_that_do_not_fit_are_refused(self) -> None:
        from sklearn.linear_model import LinearRegression

        model, path = LinearRegression().fit([[1], [2]], [1, 2]), os.path.join(self.folder, "saved")
        mlflow.sklearn.save_model(model, path, serialization_format="pickle", conda_env={"name": "e", "channels": [], "dependencies": ["python", {"pip": ["scikit-learn", "six"]}]})
        with open(os.path.join(path, "requirements.txt"), encoding="utf-8") as stream:
            self.assertEqual("scikit-learn\nsix\n", stream.read())
        with self.assertRaisesRegex(MlflowException, "not empty"):
            mlflow.sklearn.save_model(model, path)
        with self.assertRaisesRegex(ValueError, "Only one of"):
            mlflow.sklearn.save_model(model, path + "2", pip_requirements=[], extra_pip_requirements=[])
        with self.assertRaisesRegex(MlflowException, "does not have the \"xgboost\" flavor"):
            mlflow.xgboost.load_model(path)
        with self.assertRaisesRegex(MlflowException, "serialization format"):
            mlflow.sklearn.save_model(model, path + "3", serialization_format="skops")
        with mlflow.start_run() as run:
            with self.assertRaisesRegex(MlflowException, "needs the name"):
                mlflow.sklearn.log_model(model)
            mlflow.sklearn.log_model(model, "m")
            mlflow.models.set_signature("runs:/{}/m".format(run.info.run_id), infer_signature(numpy.zeros((1, 1))))
        self.assertTrue(mlflow.models.get_model_info("runs:/{}/m".format(run.info.run_id)).signature.inputs.is_tensor_spec())
        self.assertEqual(model.coef_, mlflow.sklearn.load_model("models:/{}/{}".format(*(lambda v: (v.name, v.version))(mlflow.register_model("file://" + path, "local-folder")))).coef_)
        for refused in (lambda: mlflow.evaluate(model), lambda: mlflow.register_model("file:///nowhere", "local"), lambda: mlflow.sklearn.save_model(model, path + "4", extra_files=["x"])):
            with self.assertRaises(MlflowException):
                refused()
        for module, name in ((mlflow, "genai"), (mlflow.models, "predict"), (mlflow.data, "load_delta"), (mlflow.pyfunc, "spark_udf"), (MlflowClient(), "search_traces")):
            with self.assertRaisesRegex(AttributeError, name):
                getattr(module, name)


class Registry(unittest.TestCase):
    def test_models_versions_aliases_stages_and_tags(self) -> None:
        from sklearn.linear_model import LinearRegression

        client, name = MlflowClient(), "reg-" + uuid.uuid4().hex
        with mlflow.start_run() as run:
            mlflow.sklearn.log_model(LinearRegression().fit([[1], [2]], [1, 2]), "m")
        version = mlflow.register_model("runs:/{}/m".format(run.info.run_id), name, tags={"a": 1})
        self.assertEqual((name, "1", run.info.run_id, "READY", {"a": "1"}), (version.name, version.version, version.run_id, version.status, version.tags))
        self.assertTrue(version.source.endswith("/artifacts/m"))
        again = mlflow.register_model("models:/{}/1".format(name), name)
        self.assertEqual("2", again.version)
        client.update_registered_model(name, "all of it")
        client.update_model_version(name, 1, "the first")
        client.set_registered_model_tag(name, "team", "zoo")
        client.set_model_version_tag(name, "1", "quality", 0.5)
        client.set_registered_model_alias(name, "best", 2)
        client.transition_model_version_stage(name, 1, "Staging", archive_existing_versions=True)
        read = client.get_registered_model(name)
        self.assertEqual(("all of it", {"team": "zoo"}, {"best": "2"}), (read.description, read.tags, read.aliases))
        self.assertEqual(["1"], [v.version for v in client.get_latest_versions(name, ["Staging"])])
        self.assertEqual(("the first", {"a": "1", "quality": "0.5"}), (lambda v: (v.description, v.tags))(client.get_model_version(name, 1)))
        self.assertEqual("2", client.get_model_version_by_alias(name, "best").version)
        self.assertEqual({"1", "2"}, {v.version for v in mlflow.search_model_versions(filter_string="name='{}'".format(name))})
        self.assertEqual([name], [m.name for m in mlflow.search_registered_models(filter_string="name='{}'".format(name))])
        client.delete_model_version_tag(name, "1", "quality")
        client.delete_registered_model_tag(name, "team")
        client.delete_registered_model_alias(name, "best")
        client.delete_model_version(name, 2)
        with self.assertRaises(MlflowException) as gone:
            client.get_model_version(name, 2)
        self.assertEqual("RESOURCE_DOES_NOT_EXIST", gone.exception.error_code)
        client.delete_registered_model(name)
        with self.assertRaises(MlflowException):
            mlflow.sklearn.load_model("models:/{}/1".format(name))

    def test_logged_models_are_made_found_and_tagged(self) -> None:
        with mlflow.start_run():
            model = mlflow.initialize_logged_model(name="by-hand-" + uuid.uuid4().hex, params={"a": 1}, tags={"t": "u"})
            mlflow.log_metric("quality", 0.5, model_id=model.model_id)
        mlflow.finalize_logged_model(model.model_id, "READY")
        mlflow.log_model_params({"b": 2}, model.model_id)
        mlflow.set_logged_model_tags(model.model_id, {"v": "w"})
        mlflow.delete_logged_model_tag(model.model_id, "t")
        found = mlflow.search_logged_models([model.experiment_id], "name = '{}'".format(model.name), output_format="list")
        self.assertEqual(([model.model_id], {"v": "w"}, {"a": "1", "b": "2"}, [0.5]), ([m.model_id for m in found], found[0].tags, found[0].params, [m.value for m in found[0].metrics]))
        self.assertEqual([model.model_id], list(mlflow.search_logged_models([model.experiment_id], "name = '{}'".format(model.name))["model_id"]))


if __name__ == "__main__":
    unittest.main()
