"""The mlflow stand-in against a running server; run by StandinTests.cs with the server's URI and tokens in the environment."""

import contextlib
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
import uuid

import mlflow
from mlflow.tracking import MlflowClient

JOB = os.environ["TEST_JOB"]
JOB_TOKEN = os.environ["TEST_JOB_TOKEN"]


def in_job(script: str) -> str:
    """Runs a script as the job does: its own token, its run id."""
    environment = dict(os.environ, MLFLOW_TRACKING_URI=os.environ["TEST_JOB_URI"], MLFLOW_TRACKING_TOKEN=JOB_TOKEN, MLFLOW_RUN_ID=JOB)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Fluent(unittest.TestCase):
    def tearDown(self) -> None:
        while mlflow.active_run():
            mlflow.end_run()

    def test_what_is_logged_comes_back(self) -> None:
        with mlflow.start_run(run_name="first", tags={"a": 1}) as run:
            mlflow.log_param("lr", 0.1)
            mlflow.log_params({"depth": 3, "empty": ""})
            for step in range(3):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.log_metrics({"nan": math.nan, "up": math.inf, "down": -math.inf}, step=2)
            mlflow.set_tag("b", True)
            mlflow.set_tags({"c": "ü", "d": None})
            mlflow.delete_tag("d")
        read = mlflow.get_run(run.info.run_id)
        self.assertEqual(("FINISHED", "first"), (read.info.status, read.info.run_name))
        self.assertEqual({"lr": "0.1", "depth": "3", "empty": ""}, read.data.params)
        self.assertAlmostEqual(1 / 3, read.data.metrics["loss"])
        self.assertTrue(math.isnan(read.data.metrics["nan"]))
        self.assertEqual((math.inf, -math.inf), (read.data.metrics["up"], read.data.metrics["down"]))
        self.assertEqual(("1", "True", "ü"), tuple(read.data.tags[k] for k in "abc"))
        self.assertNotIn("d", read.data.tags)
        self.assertEqual([0, 1, 2], [m.step for m in MlflowClient().get_metric_history(run.info.run_id, "loss")])
        self.assertEqual(run.info.run_id, mlflow.last_active_run().info.run_id)

    def test_a_run_that_raises_has_failed_and_nested_runs_have_parents(self) -> None:
        with self.assertRaises(ValueError):
            with mlflow.start_run() as outer:
                with mlflow.start_run(nested=True) as inner:
                    pass
                self.assertEqual(outer.info.run_id, mlflow.active_run().info.run_id)
                raise ValueError("on purpose")
        self.assertEqual("FAILED", mlflow.get_run(outer.info.run_id).info.status)
        self.assertEqual("FINISHED", mlflow.get_run(inner.info.run_id).info.status)
        self.assertEqual(outer.info.run_id, mlflow.get_parent_run(inner.info.run_id).info.run_id)

    def test_a_second_run_needs_nested(self) -> None:
        with mlflow.start_run():
            with self.assertRaisesRegex(mlflow.MlflowException, "already active"):
                mlflow.start_run()

    def test_a_changed_param_is_refused_with_its_code(self) -> None:
        with mlflow.start_run():
            mlflow.log_param("p", 1)
            mlflow.log_param("p", 1)
            with self.assertRaisesRegex(mlflow.MlflowException, "Changing param values is not allowed") as refused:
                mlflow.log_param("p", 2)
            self.assertEqual("INVALID_PARAMETER_VALUE", refused.exception.error_code)

    def test_experiments_are_made_and_runs_found_in_them(self) -> None:
        name = "e-" + uuid.uuid4().hex
        self.assertIsNone(mlflow.get_experiment_by_name(name))
        experiment = mlflow.set_experiment(name)
        self.assertEqual(experiment, mlflow.set_experiment(name))
        for i in range(5):
            with mlflow.start_run(run_name=str(i)):
                mlflow.log_metric("m", i)
        found = mlflow.search_runs(experiment_names=[name], filter_string="metrics.m > 0", order_by=["metrics.m DESC"], max_results=3)
        self.assertEqual(["4", "3", "2"], [r.info.run_name for r in found])
        self.assertEqual(5, len(mlflow.search_runs([experiment.experiment_id])))
        self.assertIn(name, [e.name for e in mlflow.search_experiments()])
        MlflowClient().delete_experiment(experiment.experiment_id)
        with self.assertRaisesRegex(mlflow.MlflowException, "deleted"):
            mlflow.set_experiment(name)
        mlflow.set_experiment(experiment_id="0")

    def test_big_batches_are_cut(self) -> None:
        with mlflow.start_run() as run:
            mlflow.log_params({"p%d" % i: i for i in range(250)})
            mlflow.log_metrics({"m%d" % i: i for i in range(1500)})
        read = mlflow.get_run(run.info.run_id)
        self.assertEqual((250, 1500), (len(read.data.params), len(read.data.metrics)))

    def test_autolog_logs_what_scikit_learn_fits(self) -> None:
        script = """
import mlflow
mlflow.autolog()
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
with mlflow.start_run() as run:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, y)
print(run.info.run_id)
from sklearn.linear_model import Ridge
mlflow.sklearn.autolog(log_models=False)
assert mlflow.active_run() is None
class Mine(Ridge):
    def fit(self, X, y):
        return super().fit(X, y)
Mine(alpha=2).fit(X, y=y)
print(mlflow.last_active_run().info.run_id)
mlflow.autolog(disable=True)
Ridge().fit(X, y)
print(mlflow.last_active_run().info.run_id)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        first, second, third = done.stdout.split()
        self.assertEqual(second, third)
        run = mlflow.get_run(first)
        self.assertEqual(("Pipeline", "sklearn.pipeline.Pipeline"), (run.data.tags["estimator_name"], run.data.tags["estimator_class"]))
        self.assertEqual("0.5", run.data.params["logisticregression__C"])
        self.assertGreater(run.data.metrics["training_accuracy_score"], 0.9)
        self.assertEqual(
            ["training_accuracy_score", "training_f1_score", "training_log_loss", "training_precision_score", "training_recall_score", "training_roc_auc", "training_score"],
            sorted(run.data.metrics))
        self.assertEqual(150, len(mlflow.sklearn.load_model("runs:/{}/model".format(first)).predict([[5.1, 3.5, 1.4, 0.2]] * 150)))
        run = mlflow.get_run(second)
        self.assertEqual(("Mine", "2"), (run.data.tags["estimator_name"], run.data.params["alpha"]))
        self.assertEqual(
            ["training_mean_absolute_error", "training_mean_squared_error", "training_r2_score", "training_root_mean_squared_error", "training_score"], sorted(run.data.metrics))
        self.assertEqual([], MlflowClient().list_artifacts(second))

    def test_a_server_that_is_not_known_is_asked_for(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
        done = subprocess.run([sys.executable, "-c", "import mlflow; mlflow.log_metric('a', 1)"], env=environment, capture_output=True, text=True, timeout=60)
        self.assertIn("MLFLOW_TRACKING_URI", done.stderr)


class Artifacts(unittest.TestCase):
    def tearDown(self) -> None:
        while mlflow.active_run():
            mlflow.end_run()

    def test_files_go_there_and_come_back(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
            os.makedirs(os.path.join(folder, "sub", "deep"))
            for name in ("a b.txt", "sub/ü.txt", "sub/deep/c#%.bin"):
                with open(os.path.join(folder, *name.split("/")), "wb") as stream:
                    stream.write(name.encode() * 1000)
            mlflow.log_artifacts(folder, "data")
            mlflow.log_artifact(os.path.join(folder, "a b.txt"))
            mlflow.log_text("hello", "notes/hello.txt")
            mlflow.log_dict({"x": [1, 2]}, "d.json")
            self.assertEqual("{}/notes".format(mlflow.get_artifact_uri()), mlflow.get_artifact_uri("notes"))
            client = MlflowClient()
            self.assertEqual(["a b.txt", "d.json", "data", "notes"], sorted(f.path for f in client.list_artifacts(run.info.run_id)))
            listed = {f.path: (f.is_dir, f.file_size) for f in client.list_artifacts(run.info.run_id, "data")}
            self.assertEqual({"data/a b.txt": (False, 7000), "data/sub": (True, None)}, listed)
            self.assertEqual([], client.list_artifacts(run.info.run_id, "d.json"))
            back = client.download_artifacts(run.info.run_id, "data", tempfile.mkdtemp(dir=folder))
            with open(os.path.join(back, "sub", "deep", "c#%.bin"), "rb") as stream:
                self.assertEqual(b"sub/deep/c#%.bin" * 1000, stream.read())
            with open(mlflow.artifacts.download_artifacts("runs:/{}/d.json".format(run.info.run_id))) as stream:
                self.assertEqual({"x": [1, 2]}, json.load(stream))
            with self.assertRaises(mlflow.MlflowException):
                mlflow.log_text("x", "../x")

    def test_a_scikit_learn_model_is_saved_logged_and_loaded(self) -> None:
        from sklearn.linear_model import LogisticRegression

        rows, labels = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        model = LogisticRegression().fit(rows, labels)
        with mlflow.start_run() as run:
            info = mlflow.sklearn.log_model(model, "model")
        self.assertEqual("runs:/{}/model".format(run.info.run_id), info.model_uri)
        self.assertEqual(list(model.predict(rows)), list(mlflow.sklearn.load_model(info.model_uri).predict(rows)))
        self.assertEqual(list(model.predict(rows)), list(mlflow.pyfunc.load_model(info.model_uri).predict(rows)))
        history = json.loads(mlflow.get_run(run.info.run_id).data.tags["mlflow.log-model.history"])
        self.assertEqual("model", history[0]["artifact_path"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "saved")
            mlflow.sklearn.save_model(model, path)
            self.assertEqual({"MLmodel", "conda.yaml", "model.pkl", "python_env.yaml", "requirements.txt"}, set(os.listdir(path)))
            with self.assertRaisesRegex(mlflow.MlflowException, "not empty"):
                mlflow.sklearn.save_model(model, path)
            with open(os.path.join(path, "MLmodel")) as stream:
                from mlflow import _models

                flavors = _models.from_yaml(stream.read())["flavors"]
            self.assertEqual(("mlflow.sklearn", "model.pkl"), (flavors["python_function"]["loader_module"], flavors["sklearn"]["pickled_model"]))
        with self.assertRaisesRegex(mlflow.MlflowException, "does not register models"):
            mlflow.sklearn.log_model(model, "model", registered_model_name="m")


class InsideAJob(unittest.TestCase):
    def test_logging_goes_to_the_jobs_run_and_ending_it_leaves_the_job_alone(self) -> None:
        in_job("import mlflow; mlflow.log_metric('acc', 0.5); mlflow.log_param('p', 1); mlflow.log_text('x', 'out.txt')")
        in_job("import mlflow\nwith mlflow.start_run(): mlflow.set_tag('t', 'v')")
        run = mlflow.get_run(JOB)
        self.assertEqual(("RUNNING", 0.5, "1", "v"), (run.info.status, run.data.metrics["acc"], run.data.params["p"], run.data.tags["t"]))
        self.assertEqual(["out.txt"], [f.path for f in MlflowClient().list_artifacts(JOB)])

    def test_further_runs_are_children_of_the_job(self) -> None:
        child = in_job("import mlflow\nwith mlflow.start_run(): pass\nwith mlflow.start_run() as r: print(r.info.run_id)")
        self.assertEqual(JOB, mlflow.get_parent_run(child).info.run_id)

    def test_another_run_is_not_the_jobs_to_write(self) -> None:
        with mlflow.start_run() as run:
            said = in_job("import mlflow\ntry:\n  mlflow.MlflowClient().log_metric('{}', 'm', 1)\nexcept mlflow.MlflowException as e: print(e.error_code)".format(run.info.run_id))
        self.assertEqual("PERMISSION_DENIED", said)


if __name__ == "__main__":
    unittest.main()
