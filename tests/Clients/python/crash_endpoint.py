"""Makes endpoint `crash` with a scoring script (blue) and an ONNX model that answers what it is asked (count), and prints its scoring URI and key: the set-up of the crash tests of serving."""

import os
import pathlib
import tempfile

from azure.ai.ml import MLClient
from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model, OnlineRequestSettings
from azure.identity import DefaultAzureCredential

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-crash-"))
(root / "code").mkdir()
(root / "code" / "score.py").write_text("""
import json, os, time
def init():
    global factor
    factor = int(open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "factor.txt")).read())
def run(raw_data):
    asked = json.loads(raw_data)
    if asked.get("die"):
        os.kill(os.getpid(), 9)
    time.sleep(0.005)
    return {"answer": asked["n"] * factor, "process": os.getpid()}
""")
(root / "factor.txt").write_text("7")
client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="crash", auth_mode="key")).result()
client.online_deployments.begin_create_or_update(ManagedOnlineDeployment(
    name="blue", endpoint_name="crash", model=Model(path=str(root / "factor.txt")), instance_type="Standard_DS3_v2", instance_count=2,
    environment=Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", name="crash", version="1"),
    request_settings=OnlineRequestSettings(max_concurrent_requests_per_instance=4, request_timeout_ms=10000, max_queue_wait_ms=10000),
    code_configuration=CodeConfiguration(code=str(root / "code"), scoring_script="score.py"))).result()
client.online_deployments.begin_create_or_update(ManagedOnlineDeployment(
    name="count", endpoint_name="crash", model=Model(path=str(pathlib.Path(__file__).resolve().parents[3] / "tests/Unit/Gateway/onnx/count.onnx")), instance_type="Standard_DS3_v2",
    instance_count=1, request_settings=OnlineRequestSettings(max_concurrent_requests_per_instance=4, request_timeout_ms=10000, max_queue_wait_ms=10000))).result()
endpoint = client.online_endpoints.get("crash")
endpoint.traffic = {"blue": 100}
endpoint = client.online_endpoints.begin_create_or_update(endpoint).result()
print("\nuri", endpoint.scoring_uri)
print("key", client.online_endpoints.get_keys("crash").primary_key)
