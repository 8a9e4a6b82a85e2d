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
        found = mlflow.search_runs(experiment_names=[name], filter_string="metrics.m > 0", order_by=["metrics.m DESC"], max_results=3, output_format="list")
        self.assertEqual(["4", "3", "2"], [r.info.run_name for r in found])
        self.assertEqual(5, len(mlflow.search_runs([experiment.experiment_id], output_format="list")))
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
        self.assertEqual(1, len(mlflow._rest._connections.__dict__), "one connection serves all calls of a thread")

    def test_names_of_artifacts_that_lead_elsewhere_are_not_written(self) -> None:
        client = MlflowClient()
        client.list_place = lambda place: [mlflow.entities.FileInfo("../evil", False, 1)]  # type: ignore[method-assign]
        with self.assertRaisesRegex(mlflow.MlflowException, "no file name"):
            client.fetch("0/run/artifacts", "")

    def test_what_is_put_off_is_sent_together_and_refusals_are_told(self) -> None:
        with mlflow.start_run() as run:
            for step in range(500):
                last = mlflow.log_metric("put_off", step, step=step, synchronous=False)
            mlflow.log_params({"a": 1}, synchronous=False)
            mlflow.set_tags({"t": "u"}, synchronous=False)
            last.wait()
            refused = mlflow.log_param("a", 2, synchronous=False)
            kept = mlflow.log_metric("beside", 1, synchronous=False)
            with self.assertRaisesRegex(mlflow.MlflowException, "Changing param values"):
                refused.wait()
            kept.wait()
        read = mlflow.get_run(run.info.run_id)
        self.assertEqual(({"a": "1"}, "u", 499.0, 1.0), (read.data.params, read.data.tags["t"], read.data.metrics["put_off"], read.data.metrics["beside"]))
        self.assertEqual(500, len(MlflowClient().get_metric_history(run.info.run_id, "put_off")))

    def test_runs_have_parents_descriptions_and_states_of_their_own(self) -> None:
        client = MlflowClient()
        with mlflow.start_run(description="why", log_system_metrics=True) as parent:
            pass
        with mlflow.start_run(parent_run_id=parent.info.run_id, experiment_id="0") as child:
            mlflow.set_experiment_tags({"team": "zoo"})
        self.assertEqual("why", mlflow.get_run(parent.info.run_id).data.tags["mlflow.note.content"])
        self.assertEqual(parent.info.run_id, client.get_parent_run(child.info.run_id).info.run_id)
        self.assertEqual("zoo", mlflow.get_experiment("0").tags["team"])
        client.set_terminated(child.info.run_id, mlflow.entities.RunStatus.to_string(mlflow.entities.RunStatus.KILLED))
        client.update_run(child.info.run_id, name="renamed")
        self.assertEqual(("KILLED", "renamed"), (lambda i: (i.status, i.run_name))(client.get_run(child.info.run_id).info))
        mlflow.delete_run(child.info.run_id)
        with self.assertRaisesRegex(mlflow.MlflowException, "deleted state"):
            mlflow.start_run(run_id=child.info.run_id)
        client.restore_run(child.info.run_id)
        with mlflow.start_run(run_id=child.info.run_id):
            mlflow.log_metrics({"m": 1}, step=3, timestamp=5)
        self.assertEqual((3, 5), (lambda m: (m.step, m.timestamp))(client.get_metric_history(child.info.run_id, "m")[0]))
        with self.assertRaises(mlflow.MlflowException) as wrong:
            client.log_metric(child.info.run_id, "m", "high")
        self.assertEqual("INVALID_PARAMETER_VALUE", wrong.exception.error_code)

    def test_searches_are_tables_and_lists(self) -> None:
        import pandas

        experiment = mlflow.set_experiment("table-" + uuid.uuid4().hex)
        for n in range(2):
            with mlflow.start_run():
                mlflow.log_metrics({"m": n, **({"only": 1} if n else {})})
                mlflow.log_param("p", n)
        table = mlflow.search_runs([experiment.experiment_id], order_by=["metrics.m ASC"])
        self.assertIsInstance(table, pandas.DataFrame)
        self.assertEqual((["0", "1"], [0.0, 1.0]), (list(table["params.p"]), list(table["metrics.m"])))
        self.assertTrue(math.isnan(table["metrics.only"][0]) and str(table["start_time"].dtype).startswith("datetime64[ns, UTC"))
        self.assertTrue(mlflow.search_runs(experiment_names=["there is none"]).empty)
        # Without the packages of the system there is no pandas.
        script = "import mlflow; print(type(mlflow.search_runs(['0'])).__name__)\ntry: mlflow.search_runs(['0'], output_format='pandas')\nexcept mlflow.MlflowException as e: print(e)"
        done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(["list", "search_runs(output_format='pandas') needs the package 'pandas', which this environment lacks."], done.stdout.splitlines(), done.stderr)
        mlflow.set_experiment(experiment_id="0")

    def test_data_sets_are_inputs_of_runs(self) -> None:
        import numpy
        import pandas

        frame = pandas.DataFrame({"x": [1.0, 2.0], "y": ["a", "b"]})
        first, again = mlflow.data.from_pandas(frame, source="https://host/f.csv", name="train", targets="y"), mlflow.data.from_pandas(frame, name="train")
        self.assertEqual(first.digest, again.digest)
        arrays = mlflow.data.from_numpy(numpy.zeros((3, 2)), targets=numpy.ones(3), name="arrays")
        with mlflow.start_run() as run:
            mlflow.log_input(first, context="training", tags={"k": "v"})
            mlflow.log_input(arrays)
            mlflow.log_metric("acc", 1, dataset=first)
        found = {one.dataset.name: one for one in mlflow.get_run(run.info.run_id).inputs.dataset_inputs}
        self.assertEqual({"mlflow.data.context": "training", "k": "v"}, {t.key: t.value for t in found["train"].tags})
        self.assertEqual(("http", "https://host/f.csv"), (found["train"].dataset.source_type, mlflow.data.get_source(found["train"]).uri))
        self.assertEqual("double", json.loads(found["train"].dataset.schema)["mlflow_colspec"][0]["type"])
        self.assertEqual({"features_shape": [3, 2], "targets_shape": [3]}, {k: v for k, v in json.loads(found["arrays"].dataset.profile).items() if k.endswith("shape")})
        with self.assertRaisesRegex(mlflow.MlflowException, "does not contain"):
            mlflow.data.from_pandas(frame, targets="z")

    def test_importing_is_quick_and_takes_no_other_package_along(self) -> None:
        script = "import sys; import mlflow; print([m for m in ('numpy', 'pandas', 'ssl', 'http.client', 'sklearn', 'yaml') if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(("[]", ""), (done.stdout.strip(), done.stderr))

    def test_the_real_package_wins_where_it_is_installed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "mlflow"))
            with open(os.path.join(folder, "mlflow", "__init__.py"), "w", encoding="utf-8") as stream:
                stream.write("__version__ = 'real'")
            hooks = os.path.join(os.environ["ZAFFRE_PYTHON"], "runtime")
            for path, wanted in ((hooks, mlflow.__version__), (hooks + os.pathsep + folder, "real")):
                done = subprocess.run([sys.executable, "-c", "import mlflow; print(mlflow.__version__)"], env=dict(os.environ, PYTHONPATH=path), capture_output=True, text=True, timeout=60)
                self.assertEqual((wanted, ""), (done.stdout.strip(), done.stderr))

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


    def test_figures_images_and_tables(self) -> None:
        import numpy
        import pandas
        from matplotlib.figure import Figure
        from PIL import Image

        class OfPlotly:
            def write_html(self, path: str, **options: object) -> None:
                with open(path, "w", encoding="utf-8") as stream:
                    stream.write("<html>{}".format(options["include_plotlyjs"]))

        figure = Figure()
        figure.add_subplot().plot([1, 2])
        with mlflow.start_run() as run:
            mlflow.log_figure(figure, "plots/one.png", save_kwargs={"dpi": 50})
            mlflow.log_figure(OfPlotly(), "plots/two.html")
            with self.assertRaisesRegex(mlflow.MlflowException, "figure"):
                mlflow.log_figure(3, "three.png")
            mlflow.log_image(numpy.linspace(0, 1, 12).reshape(2, 2, 3), "images_of_mine/floats.png")
            mlflow.log_image(Image.new("RGB", (3, 2), (255, 0, 0)), "pil.jpg")
            mlflow.log_image(mlflow.Image(numpy.zeros((2, 2), "uint8")), key="a/b", step=3)
            with self.assertRaisesRegex(mlflow.MlflowException, "between 0 and 255"):
                mlflow.log_image(numpy.full((2, 2), 300), "wrong.png")
            mlflow.log_table({"q": ["a", "b"], "n": [1, 2]}, "t.json")
            mlflow.log_table(pandas.DataFrame({"q": ["c"], "more": [0.5]}), "t.json")
            mlflow.log_dict({"a": [1, {"b": "ü"}]}, "d.yaml")
            with self.assertRaisesRegex(mlflow.MlflowException, "extension"):
                mlflow.log_table({"a": [1]}, "t.csv")
        root = "runs:/" + run.info.run_id
        self.assertEqual((1, 0, 0), tuple(n // 254 for n in mlflow.artifacts.load_image(root + "/pil.jpg").getpixel((0, 0))))
        self.assertEqual((2, 2), mlflow.artifacts.load_image(root + "/images_of_mine/floats.png").size)
        self.assertEqual("<html>cdn", mlflow.artifacts.load_text(root + "/plots/two.html"))
        self.assertEqual([True, True], [f.path.startswith("images/a#b%step%3%timestamp%") for f in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="images")])
        table = mlflow.load_table("t.json", run_ids=[run.info.run_id], extra_columns=["run_id"])
        self.assertEqual((["a", "b", "c"], [run.info.run_id] * 3), (list(table["q"]), list(table["run_id"])))
        self.assertEqual({"columns": ["q", "n", "more"], "data": [["a", 1, None], ["b", 2, None], ["c", None, 0.5]]}, mlflow.artifacts.load_dict(root + "/t.json"))
        self.assertEqual([{"path": "t.json", "type": "table"}], json.loads(mlflow.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]))
        self.assertIn('b: "ü"', mlflow.artifacts.load_text(root + "/d.yaml").replace("\\u00fc", "ü"))


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
