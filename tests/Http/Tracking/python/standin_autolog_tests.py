"""Autologging of the mlflow stand-in against a running server. Run by StandinTests.cs."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from typing import Any, Dict, List

import mlflow
from mlflow import MlflowClient

REGRESSION = ["mean_absolute_error", "mean_squared_error", "r2_score", "root_mean_squared_error", "score"]
CLASSIFICATION = ["accuracy_score", "f1_score", "log_loss", "precision_score", "recall_score", "roc_auc", "score"]


def scripts(*texts: str) -> List[str]:
    """What each script prints; they run side by side, each in a process of its own."""
    started = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(t)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for t in texts]
    said = [one.communicate(timeout=120) for one in started]
    for one, (_, error) in zip(started, said):
        # Matplotlib may say that it prepares its fonts; this package has nothing to say.
        assert one.returncode == 0 and "mlflow" not in error, error
    return [output.strip() for output, _ in said]


def training(names: List[str]) -> List[str]:
    return ["training_" + name for name in names]


def files(run_id: str) -> List[str]:
    return [f.path for f in MlflowClient().list_artifacts(run_id)]


def children(run_id: str) -> List[Any]:
    return MlflowClient().search_runs([mlflow.get_run(run_id).info.experiment_id], "tags.`mlflow.parentRunId` = '{}'".format(run_id))


class ScikitLearn(unittest.TestCase):
    def test_estimators_pipelines_searches_and_what_is_computed_afterwards(self) -> None:
        first, second = scripts(
            """
            import mlflow
            mlflow.autolog(log_input_examples=True, extra_tags={"who": "me"})
            from sklearn.datasets import load_iris
            from sklearn.linear_model import LogisticRegression
            from sklearn.metrics import accuracy_score, confusion_matrix, log_loss
            from sklearn.model_selection import train_test_split
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler
            X, y = load_iris(return_X_y=True, as_frame=True)
            X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
            StandardScaler().fit_transform(X)
            assert mlflow.last_active_run() is None, "what prepares data is not logged by itself"
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X_train, y_train)
            print(mlflow.last_active_run().info.run_id)
            guess = model.predict(X_test)
            assert mlflow.active_run() is None
            accuracy_score(y_test, guess); accuracy_score(y_true=y_test, y_pred=guess); confusion_matrix(y_test, guess)
            log_loss(y_test, model.predict_proba(X_test)); model.score(X_test, y_test); accuracy_score(y_test, y_test)
            import pickle
            from sklearn.metrics import get_scorer, make_scorer
            pickle.loads(pickle.dumps([make_scorer(accuracy_score), get_scorer("accuracy")]))
            from sklearn.ensemble import RandomForestClassifier
            mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_post_training_metrics=False)
            with mlflow.start_run() as run:
                RandomForestClassifier(n_estimators=4, n_jobs=2).fit(X, y)
            print(run.info.run_id)
            """,
            """
            import mlflow
            from sklearn.datasets import load_diabetes
            from sklearn.linear_model import Ridge
            from sklearn.model_selection import GridSearchCV
            mlflow.sklearn.autolog(max_tuning_runs=2, registered_model_name="autologged")
            X, y = load_diabetes(return_X_y=True)
            GridSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}, cv=2).fit(X, y)
            print(mlflow.last_active_run().info.run_id)
            class Mine(Ridge):
                def fit(self, X, y):
                    return super().fit(X, y)
            mlflow.sklearn.autolog(exclusive=True, log_models=False)
            with mlflow.start_run() as run:
                Mine(alpha=2).fit(X, y=y)
            print(run.info.run_id)
            Mine(alpha=3).fit(X, y=y).score(X, y)
            print(mlflow.last_active_run().info.run_id)
            mlflow.autolog(disable=True)
            Ridge().fit(X, y)
            print(mlflow.last_active_run().info.run_id)
            """)
        pipeline, forest = first.split()
        run = mlflow.get_run(pipeline)
        self.assertEqual(("Pipeline", "sklearn.pipeline.Pipeline", "me", "sklearn"), tuple(run.data.tags[k] for k in ("estimator_name", "estimator_class", "who", "mlflow.autologging")))
        self.assertEqual(("0.5", "FINISHED"), (run.data.params["logisticregression__C"], run.info.status))
        after = ["Pipeline_score_X_test", "accuracy_score-2_X_test", "accuracy_score_X_test", "log_loss_X_test"]
        self.assertEqual(sorted(after + training(CLASSIFICATION)), sorted(run.data.metrics))
        self.assertEqual(["train"], [tag.value for one in run.inputs.dataset_inputs for tag in one.tags])
        self.assertLessEqual({"model", "estimator.html", "training_confusion_matrix.png"}, set(files(pipeline)))
        loaded = mlflow.pyfunc.load_model("runs:/{}/model".format(pipeline))
        self.assertEqual(["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"], loaded.metadata.get_input_schema().input_names())
        self.assertEqual("dataframe", loaded.metadata.saved_input_example_info["type"])
        run = mlflow.get_run(forest)
        self.assertEqual(("4", "RandomForestClassifier", []), (run.data.params["n_estimators"], run.data.tags["estimator_name"], children(forest)))
        self.assertNotIn("model", files(forest))
        search, untouched, mine, still = second.split()
        run = mlflow.get_run(search)
        self.assertLessEqual({"best_alpha": run.data.params["best_alpha"], "cv": "2"}.items(), run.data.params.items())
        self.assertLessEqual({"best_cv_score", "training_score"}, set(run.data.metrics))
        self.assertLessEqual({"best_estimator", "cv_results.csv", "model"}, set(files(search)))
        self.assertIn(search, [v.run_id for v in mlflow.search_model_versions(filter_string="name='autologged'")])
        found = children(search)
        self.assertEqual((2, {"Ridge"}, {"FINISHED"}), (len(found), {r.data.tags["estimator_name"] for r in found}, {r.info.status for r in found}))
        self.assertLessEqual({"mean_test_score", "rank_test_score"}, set(found[0].data.metrics))
        self.assertNotIn("split0_test_score", found[0].data.metrics)
        self.assertIn(run.data.params["best_alpha"], {r.data.params["alpha"] for r in found})
        self.assertEqual(({}, mine), (mlflow.get_run(untouched).data.params, still))
        run = mlflow.get_run(mine)
        self.assertEqual(("Mine", "3", training(REGRESSION)), (run.data.tags["estimator_name"], run.data.params["alpha"], sorted(k for k in run.data.metrics if k != "Mine_score_X")))
        self.assertEqual(run.data.metrics["training_score"], run.data.metrics["Mine_score_X"])

    def test_in_a_job_everything_goes_to_its_run_and_a_log_that_fails_ends_no_training(self) -> None:
        job = dict(os.environ, MLFLOW_TRACKING_URI=os.environ["TEST_JOB_URI"], MLFLOW_TRACKING_TOKEN=os.environ["TEST_JOB_TOKEN"], MLFLOW_RUN_ID=os.environ["TEST_JOB"])
        script = """
            import mlflow
            mlflow.autolog(log_models=False)
            from sklearn.linear_model import Ridge
            Ridge(alpha=2).fit([[1.0], [2.0]], [1.0, 2.0])
            assert mlflow.active_run() is None
            mlflow.log_metric("after", 1)
            Ridge(alpha=3).fit([[1.0], [2.0]], [1.0, 2.0])
            print("done")
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=job, capture_output=True, text=True, timeout=120)
        self.assertEqual((0, "done"), (done.returncode, done.stdout.strip()), done.stderr)
        self.assertIn("the run has other values already of alpha", done.stderr)
        script = script.replace('mlflow.log_metric("after", 1)', "with mlflow.start_run() as run: pass")
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script) + "print(run.info.run_id, mlflow.last_active_run().info.run_id)"], env=job, capture_output=True, text=True, timeout=120)
        first, second = done.stdout.split()[1:]
        self.assertEqual((os.environ["TEST_JOB"], os.environ["TEST_JOB"]), (first, mlflow.get_parent_run(second).info.run_id), done.stderr)
        script = script.replace("with mlflow.start_run() as run: pass", "")
        nowhere = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=dict(job, MLFLOW_TRACKING_URI="https+nothing://x"),
                                 capture_output=True, text=True, timeout=120)
        self.assertEqual((0, "done", True), (nowhere.returncode, nowhere.stdout.strip(), "must start with https://" in nowhere.stderr), nowhere.stderr)
        run = mlflow.get_run(os.environ["TEST_JOB"])
        self.assertEqual(("2", 1.0, "RUNNING"), (run.data.params["alpha"], run.data.metrics["after"], run.info.status))


class XGBoost(unittest.TestCase):
    def test_iterations_best_ones_importance_and_models(self) -> None:
        said, = scripts(
            """
            import mlflow
            mlflow.xgboost.autolog(importance_types=["weight", "gain"])
            import pandas, numpy, xgboost
            from sklearn.datasets import load_breast_cancer
            X, y = load_breast_cancer(return_X_y=True, as_frame=True)
            X = X.iloc[:, :5]
            train, test = xgboost.DMatrix(X[:400], label=y[:400]), xgboost.DMatrix(X[400:], label=y[400:])
            with mlflow.start_run() as run:
                seen = []
                class Mine(xgboost.callback.TrainingCallback):
                    def after_iteration(self, model, epoch, evals_log):
                        seen.append(epoch)
                model = xgboost.train(
                    {"objective": "binary:logistic", "eval_metric": ["logloss", "error"], "max_depth": 2}, train, num_boost_round=40,
                    evals=[(train, "train"), (test, "test")], early_stopping_rounds=3, verbose_eval=False, callbacks=[Mine()])
                assert seen, "the script's own callbacks run too"
            print(run.info.run_id, model.best_iteration, model.num_boosted_rounds())
            classifier = xgboost.XGBClassifier(n_estimators=3, max_depth=2, eval_metric="logloss")
            classifier.fit(X[:400], y[:400], eval_set=[(X[400:], y[400:])], verbose=False)
            print(mlflow.last_active_run().info.run_id)
            from sklearn.model_selection import GridSearchCV
            mlflow.sklearn.autolog(log_models=False, max_tuning_runs=None)
            GridSearchCV(xgboost.XGBRegressor(n_estimators=2), {"max_depth": [1, 2]}, cv=2).fit(X[:50], y[:50])
            print(mlflow.last_active_run().info.run_id)
            """)
        trained, best, rounds, fitted, search = said.split()
        run = mlflow.get_run(trained)
        self.assertLessEqual({"objective": "binary:logistic", "num_boost_round": "40", "early_stopping_rounds": "3", "max_depth": "2"}.items(), run.data.params.items())
        self.assertNotIn("dtrain", run.data.params)
        history = MlflowClient().get_metric_history(trained, "test-logloss")
        self.assertEqual(list(range(int(rounds) + 1)), [m.step for m in history])
        self.assertEqual(history[int(best)].value, history[-1].value)
        self.assertEqual((float(best), int(rounds) - 1.0), (run.data.metrics["best_iteration"], run.data.metrics["stopped_iteration"]))
        self.assertLessEqual({"feature_importance_weight.json", "feature_importance_weight.png", "feature_importance_gain.json", "model"}, set(files(trained)))
        importance = json.loads(mlflow.artifacts.load_text("runs:/{}/feature_importance_weight.json".format(trained)))
        self.assertTrue(importance and all(name.startswith("mean ") and value > 0 for name, value in importance.items()), importance)
        self.assertEqual(["eval", "train"], sorted(tag.value for one in run.inputs.dataset_inputs for tag in one.tags))
        model = mlflow.pyfunc.load_model("runs:/{}/model".format(trained))
        self.assertEqual("mean radius", model.metadata.get_input_schema().input_names()[0])
        run = mlflow.get_run(fitted)
        self.assertEqual(("XGBClassifier", "2", "3"), (run.data.tags["estimator_name"], run.data.params["max_depth"], run.data.params["num_boost_round"]))
        self.assertEqual([0, 1, 2], [m.step for m in MlflowClient().get_metric_history(fitted, "validation_0-logloss")])
        self.assertEqual("XGBClassifier", type(mlflow.xgboost.load_model("runs:/{}/model".format(fitted))).__name__)
        self.assertEqual((2, "GridSearchCV"), (len(children(search)), mlflow.get_run(search).data.tags["estimator_name"]))


# LightGBM is in no package archive of the machine: these modules play the part of it that autologging touches, no more.
FAKE = {
    "__init__.py": """
        __version__ = "4.0.0"
        from .basic import Booster, Dataset
        from .engine import train
        from .callback import early_stopping
        from .sklearn import LGBMClassifier, LGBMModel
    """,
    "basic.py": """
        class Dataset:
            def __init__(self, data, label=None, **more):
                self.data, self.label = data, label
        class Booster:
            best_iteration = 0
            def __init__(self, model_file=None): self.text = open(model_file).read() if model_file else "tree"
            def feature_name(self): return ["a", "b"]
            def feature_importance(self, importance_type="split"):
                import numpy
                return numpy.array([1, 2])
            def save_model(self, path): open(path, "w").write(self.text)
            def predict(self, data): return [0.5] * len(data)
    """,
    "callback.py": """
        import collections
        Env = collections.namedtuple("Env", "iteration evaluation_result_list")
        class EarlyStopException(Exception): pass
        class _EarlyStoppingCallback:
            order = 30
            def __call__(self, env):
                if env.iteration == 3: raise EarlyStopException
        def early_stopping(rounds): return _EarlyStoppingCallback()
    """,
    "engine.py": """
        from .basic import Booster
        from .callback import EarlyStopException, Env
        def train(params, train_set, num_boost_round=100, valid_sets=None, valid_names=None, feval=None, init_model=None, feature_name="auto", keep_training_booster=False, callbacks=None):
            booster = Booster()
            for i in range(num_boost_round):
                try:
                    for callback in sorted(callbacks or [], key=lambda c: getattr(c, "order", 0)):
                        callback(Env(i, [("valid_0", "ndcg@3", float(i), True)] if valid_sets else []))
                except EarlyStopException:
                    booster.best_iteration = 2
                    break
            return booster
    """,
    "sklearn.py": """
        from .basic import Booster, Dataset
        from .engine import train
        class LGBMModel:
            def __init__(self, n_estimators=3): self.n_estimators = n_estimators
            def fit(self, X, y, eval_set=None):
                self._Booster = train({"objective": "binary"}, Dataset(X, y), self.n_estimators, valid_sets=eval_set)
                return self
            def predict(self, X): return self._Booster.predict(X)
        class LGBMClassifier(LGBMModel):
            def fit(self, X, y, eval_set=None): return super().fit(X, y, eval_set=eval_set)
    """,
}


class LightGBM(unittest.TestCase):
    def test_the_places_that_are_patched_log_as_with_the_real_library(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "lightgbm"))
            for name, text in FAKE.items():
                with open(os.path.join(folder, "lightgbm", name), "w", encoding="utf-8") as stream:
                    stream.write(textwrap.dedent(text))
            said, = scripts(
                """
                import sys
                sys.path.insert(0, {!r})
                import mlflow
                mlflow.lightgbm.autolog(log_input_examples=True)
                import lightgbm, pandas
                X = pandas.DataFrame({{"a": [1.0, 2.0], "b": [3.0, 4.0]}})
                with mlflow.start_run() as run:
                    lightgbm.train({{"objective": "binary"}}, lightgbm.Dataset(X, [0, 1]), 10, valid_sets=[lightgbm.Dataset(X, [0, 1])], callbacks=[lightgbm.early_stopping(2)])
                print(run.info.run_id)
                booster = mlflow.lightgbm.load_model("runs:/" + run.info.run_id + "/model")
                assert booster.predict(X) == [0.5, 0.5] and mlflow.pyfunc.load_model("runs:/" + run.info.run_id + "/model").predict(X) == [0.5, 0.5]
                lightgbm.LGBMClassifier(n_estimators=2).fit(X, [0, 1], eval_set=[(X, [0, 1])])
                print(mlflow.last_active_run().info.run_id)
                assert mlflow.lightgbm.load_model("runs:/" + mlflow.last_active_run().info.run_id + "/model").n_estimators == 2
                """.format(folder))
        trained, fitted = said.split()
        run = mlflow.get_run(trained)
        self.assertLessEqual({"objective": "binary", "num_boost_round": "10", "feature_name": "auto"}.items(), run.data.params.items())
        self.assertEqual([0, 1, 2, 3, 4], [m.step for m in MlflowClient().get_metric_history(trained, "valid_0-ndcg_at_3")])
        self.assertEqual((2.0, 4.0), (run.data.metrics["best_iteration"], run.data.metrics["stopped_iteration"]))
        self.assertLessEqual({"feature_importance_split.json", "feature_importance_gain.png", "model"}, set(files(trained)))
        run = mlflow.get_run(fitted)
        self.assertEqual(("LGBMClassifier", "2"), (run.data.tags["estimator_name"], run.data.params["num_boost_round"]))
        self.assertEqual([0, 1], [m.step for m in MlflowClient().get_metric_history(fitted, "valid_0-ndcg_at_3")])


class PyTorch(unittest.TestCase):
    def test_a_plain_loop_logs_by_itself_and_autolog_changes_nothing(self) -> None:
        import torch

        mlflow.pytorch.autolog(log_every_n_epoch=1)
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        rows, wanted = torch.rand(32, 2), torch.rand(32, 1)
        with mlflow.start_run(run_name="loop") as parent:
            for fold in range(2):
                with mlflow.start_run(run_name="fold-{}".format(fold), nested=True):
                    for epoch in range(5):
                        optimizer.zero_grad()
                        loss = torch.nn.functional.mse_loss(model(rows), wanted)
                        loss.backward()
                        optimizer.step()
                        mlflow.log_metric("loss", loss, step=epoch, synchronous=False)
            mlflow.pytorch.log_model(model, "model")
        found = children(parent.info.run_id)
        self.assertEqual({"fold-0", "fold-1"}, {r.info.run_name for r in found})
        self.assertEqual([0, 1, 2, 3, 4], [m.step for m in MlflowClient().get_metric_history(found[0].info.run_id, "loss")])


if __name__ == "__main__":
    unittest.main()
