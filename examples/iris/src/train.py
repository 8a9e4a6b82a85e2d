"""Trains a logistic regression on the iris data and writes the model."""

import argparse
import os

import joblib
import mlflow
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="CSV file with four measurements and the species")
    parser.add_argument("--C", type=float, default=1.0, help="inverse of the regularization strength")
    parser.add_argument("--model", required=True, help="folder that receives model.joblib")
    args = parser.parse_args()

    flowers = pandas.read_csv(args.data)
    print(f"read {len(flowers)} flowers from {os.path.basename(args.data)}", flush=True)
    features = flowers.drop(columns="species").values
    train_x, test_x, train_y, test_y = train_test_split(
        features, flowers["species"], test_size=0.2, random_state=7, stratify=flowers["species"]
    )

    mlflow.log_params({"C": args.C, "train_rows": len(train_x), "test_rows": len(test_x)})
    model = LogisticRegression(C=args.C, max_iter=500).fit(train_x, train_y)

    accuracy = accuracy_score(test_y, model.predict(test_x))
    loss = log_loss(test_y, model.predict_proba(test_x))
    mlflow.log_metrics({"accuracy": float(accuracy), "log_loss": float(loss)})
    print(f"accuracy {accuracy:.3f}, log loss {loss:.3f} on {len(test_x)} held-out flowers", flush=True)

    os.makedirs(args.model, exist_ok=True)
    joblib.dump(model, os.path.join(args.model, "model.joblib"))
    print("model written", flush=True)


if __name__ == "__main__":
    main()
