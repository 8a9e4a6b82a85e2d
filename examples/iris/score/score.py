"""Scores iris flowers: {"data": [[sepal length, sepal width, petal length, petal width], ...]} -> species and probability."""

import json
import os

import joblib

model = None


def init() -> None:
    global model
    folder = os.environ["AZUREML_MODEL_DIR"]
    for root, _, files in os.walk(folder):
        if "model.joblib" in files:
            model = joblib.load(os.path.join(root, "model.joblib"))
            return
    raise FileNotFoundError(f"no model.joblib below {folder}")


def run(raw_data: str) -> list:
    flowers = json.loads(raw_data)["data"]
    return [
        {"species": str(species), "probability": round(float(max(row)), 4)}
        for species, row in zip(model.predict(flowers), model.predict_proba(flowers))
    ]
