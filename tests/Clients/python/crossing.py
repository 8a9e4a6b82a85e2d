"""What one generation of the SDK makes, the other reads, uses and changes: `crossing.py make NAME`, then `crossing.py use NAME` with the other one."""

import os
import pathlib
import sys
import tempfile
import time

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import CodeConfiguration, Data, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model
from azure.ai.ml.entities._assets import Code
from azure.identity import DefaultAzureCredential

import compatibility

step, NAME = sys.argv[1:]
client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-crossing-"))


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def completed(name: str) -> None:
    deadline = time.time() + 60
    while (job := client.jobs.get(name)).status not in ("Completed", "Failed", "Canceled"):
        assert time.time() < deadline, job.status
        time.sleep(0.1)
    assert job.status == "Completed", job.properties


def make() -> None:
    write("table.txt", "a table")
    client.data.create_or_update(Data(name=NAME, version="1", path=str(root / "table.txt"), type="uri_file", tags={"by": NAME}))
    client.models.create_or_update(Model(name=NAME, version="1", path=str(root / "table.txt"), type="custom_model"))
    environment = client.environments.create_or_update(Environment(
        name=NAME, version="1", image="ubuntu:22.04", conda_file=str(write("conda.yml", "name: e\ndependencies:\n- python=3.11\n"))))
    write("src/train.py", f"import sys\nprint('{NAME} read', open(sys.argv[1]).read())\nopen('outputs/o.txt', 'w').write('out')\n")
    client._code.create_or_update(Code(name=NAME, version="1", path=str(root / "src")))
    more = {} if compatibility.newest() else {"compute": "serverless"}
    job = client.jobs.create_or_update(command(
        name=NAME, command="python train.py ${{inputs.table}} && echo made | tee ${{outputs.made}}/m.txt ${{outputs.weights}}/w.txt", code=str(root / "src"), environment=environment,
        inputs={"table": Input(type="uri_file", path=f"azureml:{NAME}:1")}, outputs={"made": Output(type="uri_folder"), "weights": Output(type="custom_model")}, **more))
    completed(job.name)
    write("score/score.py", "def init():\n    pass\ndef run(raw):\n    return 'scored'\n")
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=NAME, auth_mode="key")).result()
    client.online_deployments.begin_create_or_update(ManagedOnlineDeployment(
        name="blue", endpoint_name=NAME, model=f"azureml:{NAME}:1", environment=environment, instance_type="Standard_DS3_v2", instance_count=1,
        code_configuration=CodeConfiguration(code=str(root / "score"), scoring_script="score.py"))).result()


def use() -> None:
    data = client.data.get(NAME, version="1")
    assert data.tags == {"by": NAME} and data.path.endswith("/table.txt"), data
    assert client.data.get(NAME, label="latest").version == "1" and NAME in [d.name for d in client.data.list()]
    data.tags["seen"] = "yes"
    assert client.data.create_or_update(data).tags == {"by": NAME, "seen": "yes"}
    target = root / "model"
    client.models.download(NAME, version="1", download_path=str(target))
    assert [p.read_text() for p in target.rglob("table.txt")] == ["a table"], list(target.rglob("*"))
    assert client.environments.get(NAME, version="1").image == "ubuntu:22.04"
    code = client._code.get(NAME, "1")
    assert code.path.endswith("/src"), code.path

    job = client.jobs.get(NAME)
    assert job.status == "Completed" and "train.py" in job.command, job
    assert NAME in [j.name for j in client.jobs.list() if j is not None]
    client.jobs.download(NAME, download_path=root / "job", all=True)
    files = {str(p.relative_to(root / "job")) for p in (root / "job").rglob("*") if p.is_file()}
    assert {"artifacts/outputs/o.txt", "artifacts/user_logs/std_log.txt", "named-outputs/made/m.txt", "named-outputs/weights/w.txt"} <= files, files
    assert f"{NAME} read a table" in (root / "job/artifacts/user_logs/std_log.txt").read_text()

    # The code that the other one uploaded runs again.
    again = client.jobs.create_or_update(command(
        name=NAME + "-again", command="python train.py ${{inputs.table}}", code=code.id, environment=f"azureml:{NAME}:1", compute="serverless",
        inputs={"table": Input(type="uri_file", path=f"azureml:{NAME}:1")}))
    completed(again.name)
    client.jobs.archive(NAME)
    assert NAME not in [j.name for j in client.jobs.list() if j is not None]

    endpoint = client.online_endpoints.get(NAME)
    endpoint.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(endpoint).result()
    deployment = client.online_deployments.get(name="blue", endpoint_name=NAME)
    assert deployment.provisioning_state == "Succeeded" and [d.name for d in client.online_deployments.list(NAME)] == ["blue"]
    assert "scored" in client.online_endpoints.invoke(endpoint_name=NAME, request_file=str(write("request.json", "{}")))
    client.online_endpoints.begin_delete(NAME).result()


{"make": make, "use": use}[step]()
print("\nok", step)
