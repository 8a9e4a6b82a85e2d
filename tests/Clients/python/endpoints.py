"""Online endpoints through the unmodified SDK: create, deploy, split, invoke, keys, logs, failure, update, delete."""

import json
import os
import pathlib
import pickle
import tempfile
import uuid

from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model, OnlineRequestSettings
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-endpoints-"))
RUN = uuid.uuid4().hex[:6]
NAME = f"sdk-iris-{RUN}"
TOKEN = f"sdk-token-{RUN}"
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", name="sdk-endpoints", version="1")
SCORE = """
import json, os, pickle
def init():
    global model
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"), "rb") as file:
        model = pickle.load(file)
    print("the model is loaded")
def run(raw_data):
    return model.predict(json.loads(raw_data)["data"]).tolist()
"""


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def deployment(name: str, code: str, model: object) -> ManagedOnlineDeployment:
    return ManagedOnlineDeployment(
        name=name, endpoint_name=NAME, model=model, environment=ENVIRONMENT, instance_type="Standard_DS3_v2", instance_count=1,
        code_configuration=CodeConfiguration(code=str(root / code), scoring_script="score.py"))


iris = load_iris()
fitted = LogisticRegression(max_iter=500).fit(iris.data, iris.target)
with open(root / "model.pkl", "wb") as file:
    pickle.dump(fitted, file)
write("code/score.py", SCORE)
request = write("request.json", json.dumps({"data": iris.data[[0, 75, 149]].tolist()}))
expected = fitted.predict(iris.data[[0, 75, 149]]).tolist()


def create() -> None:
    endpoint = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=NAME, auth_mode="key", tags={"a": "b"})).result()
    assert endpoint.provisioning_state == "Succeeded" and endpoint.scoring_uri.endswith(f"/{NAME}/score"), endpoint
    # The model is given as a file, registered anonymously on the way.
    blue = client.online_deployments.begin_create_or_update(deployment("blue", "code", Model(path=str(root / "model.pkl")))).result()
    assert blue.provisioning_state == "Succeeded", blue.provisioning_state
    print("\nok create")


def traffic_and_invoke() -> None:
    by_name = client.online_endpoints.invoke(endpoint_name=NAME, deployment_name="blue", request_file=str(request))
    assert json.loads(by_name) == expected, by_name
    endpoint = client.online_endpoints.get(NAME)
    endpoint.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    assert client.online_endpoints.get(NAME).traffic == {"blue": 100}
    answer = client.online_endpoints.invoke(endpoint_name=NAME, request_file=str(request))
    assert json.loads(answer) == expected, answer
    endpoint.traffic = {"blue": 60}
    try:
        client.online_endpoints.begin_create_or_update(endpoint).result()
        raise AssertionError("traffic of 60 % was accepted")
    except HttpResponseError as error:
        assert "sums to 60" in str(error), error
    print("\nok traffic_and_invoke")


def keys() -> None:
    before = client.online_endpoints.get_keys(NAME)
    assert before.primary_key and before.secondary_key
    client.online_endpoints.begin_regenerate_keys(NAME, key_type="primary").result()
    after = client.online_endpoints.get_keys(NAME)
    assert after.primary_key != before.primary_key and after.secondary_key == before.secondary_key
    assert json.loads(client.online_endpoints.invoke(endpoint_name=NAME, request_file=str(request))) == expected
    print("\nok keys")


def logs() -> None:
    assert "the model is loaded" in client.online_deployments.get_logs(name="blue", endpoint_name=NAME, lines=50)
    print("\nok logs")


def failure() -> None:
    write("broken/score.py", "def init():\n    raise ValueError('weights are missing')\ndef run(raw): return raw\n")
    try:
        client.online_deployments.begin_create_or_update(deployment("green", "broken", Model(path=str(root / "model.pkl")))).result()
        raise AssertionError("a deployment whose init fails succeeded")
    except HttpResponseError as error:
        assert "weights are missing" in str(error) and "score.py:2" in str(error), error
    assert client.online_deployments.get(name="green", endpoint_name=NAME).provisioning_state == "Failed"
    assert "ValueError: weights are missing" in client.online_deployments.get_logs(name="green", endpoint_name=NAME, lines=50)
    assert json.loads(client.online_endpoints.invoke(endpoint_name=NAME, request_file=str(request))) == expected
    print("\nok failure")


def update() -> None:
    write("shout/score.py", SCORE.replace(".tolist()", ".tolist() + ['v2']"))
    changed = deployment("blue", "shout", Model(path=str(root / "model.pkl")))
    changed.request_settings = OnlineRequestSettings(request_timeout_ms=4000, max_concurrent_requests_per_instance=2)
    client.online_deployments.begin_create_or_update(changed).result()
    assert json.loads(client.online_endpoints.invoke(endpoint_name=NAME, request_file=str(request))) == expected + ["v2"]
    listed = {d.name: d.provisioning_state for d in client.online_deployments.list(NAME)}
    assert listed == {"blue": "Succeeded", "green": "Failed"}, listed
    print("\nok update")


def tokens() -> None:
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=TOKEN, auth_mode="aml_token")).result()
    token = client.online_endpoints.get_keys(TOKEN)
    assert token.access_token.count(".") == 2 and token.expiry_time_utc > 0, token
    client.online_endpoints.begin_delete(name=TOKEN).result()
    print("\nok tokens")


def delete() -> None:
    client.online_deployments.begin_delete(name="green", endpoint_name=NAME).result()
    try:
        client.online_deployments.begin_delete(name="blue", endpoint_name=NAME).result()
        raise AssertionError("a deployment with traffic was deleted")
    except HttpResponseError as error:
        assert "has traffic" in str(error), error
    assert NAME in [e.name for e in client.online_endpoints.list()]
    client.online_endpoints.begin_delete(name=NAME).result()
    try:
        client.online_endpoints.get(NAME)
        raise AssertionError("a deleted endpoint was found")
    except ResourceNotFoundError:
        pass
    print("\nok delete")


for step in (create, traffic_and_invoke, keys, logs, failure, update, tokens, delete):
    step()
compatibility.behaves(
    "online_endpoints.begin_create_or_update", "online_endpoints.get", "online_endpoints.list", "online_endpoints.invoke", "online_endpoints.get_keys",
    "online_endpoints.begin_regenerate_keys", "online_endpoints.begin_delete", "online_deployments.begin_create_or_update", "online_deployments.get",
    "online_deployments.list", "online_deployments.get_logs", "online_deployments.begin_delete")
