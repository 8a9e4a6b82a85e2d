"""An MLflow model without code, through the unmodified SDK: registered as a folder, or logged as MLflow 3 logs it, deployed, invoked, refused by name when it does not fit."""

import json
import os
import pathlib
import pickle
import ssl
import tempfile
import urllib.request
from typing import Any

import compatibility
import sklearn
from azure.ai.ml import MLClient
from azure.ai.ml._version import VERSION
from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint, Model
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-mlflow-"))
NAME = "sdk-nocode"
data = load_diabetes()
columns = list(data.feature_names)
fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(data.data, data.target)
expected = fitted.predict(data.data[:2]).tolist()
split = {"columns": columns, "index": [0, 1], "data": data.data[:2].tolist()}


def folder(name: str, version: str, damage: bool = False) -> str:
    path = root / name
    path.mkdir()
    with open(path / "model.pkl", "wb") as file:
        pickle.dump(fitted, file)
    if damage:
        (path / "model.pkl").write_bytes(b"csklearn.gone\nGone\n.")
    inputs = json.dumps([{"name": c, "type": "double"} for c in columns])
    (path / "MLmodel").write_text(
        "artifact_path: model\nflavors:\n  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, python_version: 3.8.5}\n"
        f"  sklearn: {{pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: {version}}}\nmlflow_version: 1.26.0\nsignature:\n  inputs: '{inputs}'\n")
    return str(path)


def deployment(name: str, path: str) -> ManagedOnlineDeployment:
    return ManagedOnlineDeployment(name=name, endpoint_name=NAME, model=Model(path=path, type="mlflow_model"), instance_type="Standard_DS3_v2", instance_count=1)


def mlflow(method: str, path: str, body: Any) -> Any:
    """A call of MLflow's API with nothing but what `zaffre env` prints."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + path, content, headers, method=method)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])) as answer:
        return json.load(answer)


def logged(path: str) -> str:
    """Logs the folder as MLflow 3 logs a model, and registers that; the asset's name and version."""
    api = "/api/2.0/mlflow/"
    model = mlflow("POST", api + "logged-models", {"experiment_id": "0", "name": "linear"})["model"]["info"]
    for file in pathlib.Path(path).iterdir():
        mlflow("PUT", "/api/2.0/mlflow-artifacts/artifacts/" + model["artifact_uri"].split(":/")[1] + "/" + file.name, file.read_bytes())
    mlflow("PATCH", f"{api}logged-models/{model['model_id']}", {"model_id": model["model_id"], "status": "LOGGED_MODEL_READY"})
    mlflow("POST", api + "registered-models/create", {"name": "logged-linear"})
    version = mlflow("POST", api + "model-versions/create", {"name": "logged-linear", "source": "models:/" + model["model_id"], "model_id": model["model_id"]})["model_version"]
    return f"azureml:logged-linear:{version['version']}"


def deploy() -> None:
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=NAME, auth_mode="key")).result()
    path = folder("good", sklearn.__version__)
    made = deployment("blue", path)
    if VERSION != "1.4.0":  # One of the generations deploys a model that MLflow logged.
        made.model = logged(path)
    blue = client.online_deployments.begin_create_or_update(made).result()
    assert blue.provisioning_state == "Succeeded", blue.provisioning_state
    assert blue.properties["zaffre.runtime"] == "mlflow/sklearn", blue.properties
    print("\nok deploy")


def invoke() -> None:
    request = root / "request.json"
    request.write_text(json.dumps({"input_data": split}))
    answer = json.loads(client.online_endpoints.invoke(endpoint_name=NAME, deployment_name="blue", request_file=str(request)))
    assert max(abs(a - e) for a, e in zip(answer, expected)) < 1e-9 and len(answer) == 2, answer
    request.write_text(json.dumps({"input_data": {**split, "columns": ["wrong"] + split["columns"][1:]}}))
    try:
        client.online_endpoints.invoke(endpoint_name=NAME, deployment_name="blue", request_file=str(request))
        raise AssertionError("input without a column was taken")
    except HttpResponseError as error:
        assert error.status_code == 400 and "missing inputs ['age']" in str(error), error
    print("\nok invoke")


def failure() -> None:
    try:
        client.online_deployments.begin_create_or_update(deployment("green", folder("bad", "0.24.1", damage=True))).result()
        raise AssertionError("a pickle that does not load was deployed")
    except HttpResponseError as error:
        assert "written with" in str(error) and "scikit-learn 0.24.1" in str(error), error
    print("\nok failure")


def delete() -> None:
    client.online_endpoints.begin_delete(name=NAME).result()
    print("\nok delete")


for step in (deploy, invoke, failure, delete):
    step()
compatibility.behaves("online_deployments.begin_create_or_update (mlflow_model without code)")
