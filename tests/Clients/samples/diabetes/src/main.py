"""A ridge regression on the diabetes data that scikit-learn brings along."""

import argparse

import mlflow

mlflow.autolog()

from sklearn.datasets import load_diabetes  # noqa: E402  (after autolog, as scripts have it)
from sklearn.linear_model import Ridge  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--table")
parser.add_argument("--alpha", type=float, default=1.0)
arguments = parser.parse_args()

features, target = load_diabetes(return_X_y=True)
train, test, wanted, held = train_test_split(features, target, random_state=7)
model = Ridge(alpha=arguments.alpha).fit(train, wanted)
for step, size in enumerate((50, 100, 200)):
    mlflow.log_metric("test_r2", model.score(test[:size], held[:size]), step=step)
print("trained on", len(train), "patients")
