"""Changes of online endpoints through the unmodified SDK: tags, description, keys, traffic over several deployments, mirror, instances, deletion."""

import collections
import json
import os
import pathlib
import tempfile
import time

import requests
from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-changes-"))
MARK = format(time.time_ns() % 10**9, "x")
ONE, TWO = f"one-{MARK}-e", f"two-{MARK}-e"
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", name=f"changes-{MARK}", version="1")
(root / "code").mkdir()
(root / "code" / "score.py").write_text(
    "import os\ndef init():\n    print('ready as', os.environ['WHO'])\ndef run(raw_data):\n    print('got', raw_data)\n    return os.environ['WHO']\n")
(root / "request.json").write_text("{}")


def deployment(endpoint: str, name: str, who: str, count: int = 1, **more) -> ManagedOnlineDeployment:
    return ManagedOnlineDeployment(
        name=name, endpoint_name=endpoint, environment=ENVIRONMENT, instance_type="Standard_DS3_v2", instance_count=count, environment_variables={"WHO": who},
        code_configuration=CodeConfiguration(code=str(root / "code"), scoring_script="score.py"), **more)


def invoke(endpoint: str, **more) -> str:
    return json.loads(client.online_endpoints.invoke(endpoint_name=endpoint, request_file=str(root / "request.json"), **more))


def create() -> None:
    for name in (ONE, TWO):
        client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key", description="first", tags={"a": "b"})).result()
    for endpoint, name, who in ((ONE, "blue", "blue"), (ONE, "green", "green"), (TWO, "red", "red")):
        made = client.online_deployments.begin_create_or_update(deployment(endpoint, name, who)).result()
        assert made.provisioning_state == "Succeeded", made.provisioning_state
    assert {d.name for d in client.online_deployments.list(ONE)} == {"blue", "green"}
    assert {ONE, TWO} <= {e.name for e in client.online_endpoints.list()}


def metadata() -> None:
    endpoint = client.online_endpoints.get(ONE)
    endpoint.description, endpoint.tags["c"] = "second", "d"
    client.online_endpoints.begin_create_or_update(endpoint).result()
    found = client.online_endpoints.get(ONE)
    assert (found.description, found.tags) == ("second", {"a": "b", "c": "d"}), found
    compatibility.behaves("online_endpoints.begin_create_or_update (description, tags)")


def traffic() -> None:
    endpoint = client.online_endpoints.get(ONE)
    endpoint.traffic = {"blue": 50, "green": 50}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    assert client.online_endpoints.get(ONE).traffic == {"blue": 50, "green": 50}
    seen = collections.Counter(invoke(ONE) for _ in range(40))
    assert set(seen) == {"blue", "green"}, seen
    other = client.online_endpoints.get(TWO)
    other.traffic = {"red": 100}
    client.online_endpoints.begin_create_or_update(other).result()
    # The SDK sends the deployment of an earlier call along with every later one, whatever the endpoint.
    assert invoke(ONE, deployment_name="green") == "green"
    assert invoke(TWO) == "red"
    compatibility.behaves("online_endpoints.begin_create_or_update (traffic over deployments)", "online_endpoints.invoke (deployment_name)")


def mirror() -> None:
    endpoint = client.online_endpoints.get(ONE)
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 100, "green": 0}, {"green": 50}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    assert client.online_endpoints.get(ONE).mirror_traffic == {"green": 50}
    # By hand: the SDK would name the deployment of its last call, and what names one is not copied.
    key = client.online_endpoints.get_keys(ONE).primary_key
    for _ in range(30):
        answer = requests.post(endpoint.scoring_uri, headers={"Authorization": "Bearer " + key}, json={"copied": MARK}, timeout=30)
        assert answer.headers["azureml-model-deployment"] == "blue", answer.headers
    for _ in range(100):
        if "copied" in client.online_deployments.get_logs(name="green", endpoint_name=ONE, lines=100):
            break
        time.sleep(0.2)
    else:
        raise AssertionError("no request was copied")
    endpoint.mirror_traffic = {"nobody": 10}
    try:
        client.online_endpoints.begin_create_or_update(endpoint).result()
        raise AssertionError("a mirror that does not exist was accepted")
    except HttpResponseError as error:
        assert "nobody" in str(error), error
    compatibility.behaves("online_endpoints.begin_create_or_update (mirror traffic)")


def keys() -> None:
    before = client.online_endpoints.get_keys(ONE)
    client.online_endpoints.begin_regenerate_keys(ONE, key_type="secondary").result()
    after = client.online_endpoints.get_keys(ONE)
    assert after.secondary_key != before.secondary_key and after.primary_key == before.primary_key
    client.online_endpoints.begin_regenerate_keys(ONE, key_type="primary").result()
    assert client.online_endpoints.get_keys(ONE).primary_key != before.primary_key
    assert invoke(ONE, deployment_name="blue") == "blue"
    compatibility.behaves("online_endpoints.begin_regenerate_keys (primary, secondary)")


def deployments() -> None:
    client.online_deployments.begin_create_or_update(deployment(ONE, "blue", "sky", count=2, tags={"t": "1"})).result()
    found = client.online_deployments.get(name="blue", endpoint_name=ONE)
    assert (found.instance_count, found.environment_variables, found.tags) == (2, {"WHO": "sky"}, {"t": "1"}), found
    assert invoke(ONE, deployment_name="blue") == "sky"
    assert "ready as sky" in client.online_deployments.get_logs(name="blue", endpoint_name=ONE, lines=50)
    compatibility.behaves("online_deployments.begin_create_or_update (instance_count, environment_variables, tags)")


def delete() -> None:
    try:
        client.online_deployments.begin_delete(name="blue", endpoint_name=ONE).result()
        raise AssertionError("a deployment with traffic was deleted")
    except HttpResponseError as error:
        assert "has traffic" in str(error), error
    client.online_deployments.begin_delete(name="green", endpoint_name=ONE).result()
    for name in (ONE, TWO):
        client.online_endpoints.begin_delete(name=name).result()
    assert not {ONE, TWO} & {e.name for e in client.online_endpoints.list()}
    compatibility.refused("online_deployments.begin_delete (with traffic)")


for step in (create, metadata, traffic, mirror, keys, deployments, delete):
    step()
    print("\nok", step.__name__, flush=True)
