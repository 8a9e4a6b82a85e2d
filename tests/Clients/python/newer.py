"""What came into the SDK after 1.4.0: jobs without a compute, queues, named outputs, clouds of one's own, what update sends back."""

import os
import pathlib
import tempfile
import time
import uuid

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import (
    CodeConfiguration, DefaultScaleSettings, Environment, JupyterLabJobService, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model, OnlineRequestSettings,
    ProbeSettings, QueueSettings)
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-newer-"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
RUN = uuid.uuid4().hex[:6]


def done(name: str) -> object:
    deadline = time.time() + 60
    while (job := client.jobs.get(name)).status not in ("Completed", "Failed", "Canceled"):
        assert time.time() < deadline, job.status
        time.sleep(0.1)
    return job


def without_compute() -> None:
    job = client.jobs.create_or_update(command(name=f"bare-{RUN}", command="echo hi", environment=ENVIRONMENT))
    assert done(job.name).status == "Completed"
    assert client.jobs.get(job.name).compute in ("serverless", None) or client.jobs.get(job.name).compute.endswith("/computes/serverless")
    compatibility.behaves("jobs.create_or_update (no compute)")

    # Equal code is uploaded once, other code is not taken for it.
    codes = []
    for number, text in enumerate(("print('a')", "print('a')", "print('b')")):
        (root / str(number) / "src").mkdir(parents=True)
        (root / str(number) / "src" / "run.py").write_text(f"{text}  # {RUN}\n")
        job = client.jobs.create_or_update(command(name=f"code{number}-{RUN}", command="python run.py", code=str(root / str(number) / "src"), environment=ENVIRONMENT))
        assert done(job.name).status == "Completed"
        codes.append(job.code)
    assert codes[0] == codes[1] != codes[2], codes


def queue() -> None:
    job = command(name=f"queued-{RUN}", command="echo hi", environment=ENVIRONMENT, instance_type="Standard_DS3_v2", locations=["local"])
    job.queue_settings = QueueSettings(job_tier="standard", priority="high")
    created = client.jobs.create_or_update(job)
    # This client sends priority and locations and reads neither back.
    assert created.queue_settings.job_tier.lower() == "standard", created
    assert done(created.name).status == "Completed"
    compatibility.behaves("jobs.create_or_update (priority)")
    compatibility.stored_only("jobs.create_or_update (job_tier, locations)")


def named_output() -> None:
    asset = f"made-{RUN}"
    job = client.jobs.create_or_update(command(
        name=f"named-{RUN}", command="echo from the job > ${{outputs.made}}/a.txt", environment=ENVIRONMENT, compute="serverless",
        outputs={"made": Output(type="uri_folder", name=asset, version="3")}))
    assert done(job.name).status == "Completed"
    made = client.data.get(asset, version="3")
    assert made.type == "uri_folder", made
    assert client.data.get(asset, label="latest").version == "3"
    reader = client.jobs.create_or_update(command(
        name=f"reads-{RUN}", command="grep 'from the job' ${{inputs.made}}/a.txt", environment=ENVIRONMENT,
        inputs={"made": Input(type="uri_folder", path=f"azureml:{asset}:3")}))
    assert done(reader.name).status == "Completed"
    model = client.jobs.create_or_update(command(
        name=f"model-{RUN}", command="echo w > ${{outputs.weights}}/w.txt", environment=ENVIRONMENT,
        outputs={"weights": Output(type="custom_model", name=f"weights-{RUN}")}))
    assert done(model.name).status == "Completed"
    assert client.models.get(f"weights-{RUN}", label="latest").version == "1"
    target = root / "model"
    client.jobs.download(model.name, download_path=target, all=True)
    assert [p.read_text() for p in target.rglob("w.txt")] == ["w\n"], list(target.rglob("*"))
    compatibility.behaves("jobs.create_or_update (named outputs)")


def refusals() -> None:
    def refused(job: object, *words: str) -> None:
        try:
            client.jobs.create_or_update(job)
            raise AssertionError(f"{words} was accepted")
        except HttpResponseError as error:
            assert error.status_code == 400 and "OperationNotSupported" in str(error) and all(word in str(error) for word in words), error

    refused(command(name=f"local-{RUN}", command="echo hi", environment=ENVIRONMENT, compute="local"), "local")
    refused(command(name=f"lab-{RUN}", command="sleep 1", environment=ENVIRONMENT, services={"lab": JupyterLabJobService()}), "JupyterLab")
    compatibility.refused("jobs.create_or_update (compute=local)", "jobs.create_or_update (services)")


def endpoint() -> None:
    name = f"newer-{RUN}"
    (root / "code").mkdir()
    (root / "code" / "score.py").write_text("def init():\n    pass\ndef run(raw):\n    return {'got': raw}\n")
    (root / "m.txt").write_text("m")
    (root / "request.json").write_text('{"a": 1}')
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    deployment = ManagedOnlineDeployment(
        name="blue", endpoint_name=name, model=Model(path=str(root / "m.txt")), environment=ENVIRONMENT, instance_type="Standard_DS3_v2", instance_count=1,
        code_configuration=CodeConfiguration(code=str(root / "code"), scoring_script="score.py"), scale_settings=DefaultScaleSettings(),
        request_settings=OnlineRequestSettings(request_timeout_ms=3000, max_concurrent_requests_per_instance=1, max_queue_wait_ms=500),
        liveness_probe=ProbeSettings(failure_threshold=3, success_threshold=1, timeout=2, period=10, initial_delay=10),
        egress_public_network_access="enabled")
    made = client.online_deployments.begin_create_or_update(deployment).result()
    assert made.request_settings.request_timeout_ms == 3000 and made.liveness_probe.failure_threshold == 3, made
    assert isinstance(made.scale_settings, DefaultScaleSettings), made.scale_settings

    # The SDK sends back what it was told, with system data copied into the properties.
    found = client.online_endpoints.get(name)
    found.traffic, found.tags = {"blue": 100}, {"stage": "test"}
    updated = client.online_endpoints.begin_create_or_update(found).result()
    assert updated.tags == {"stage": "test"} and client.online_endpoints.get(name).traffic == {"blue": 100}
    assert "got" in client.online_endpoints.invoke(endpoint_name=name, request_file=str(root / "request.json"))
    client.online_endpoints.begin_delete(name).result()
    compatibility.behaves("online_endpoints.begin_create_or_update (after get)", "online_deployments.begin_create_or_update (settings)")


def aad_token() -> None:
    name = f"aad-{RUN}"
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="aad_token")).result()
    client.online_deployments.begin_create_or_update(ManagedOnlineDeployment(
        name="blue", endpoint_name=name, environment=ENVIRONMENT, instance_type="Standard_DS3_v2", instance_count=1,
        code_configuration=CodeConfiguration(code=str(root / "code"), scoring_script="score.py"))).result()
    found = client.online_endpoints.get(name)
    assert found.auth_mode.lower() == "aad_token", found.auth_mode
    found.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(found).result()
    assert client.online_endpoints.get_keys(name).access_token.count(".") == 2
    assert "got" in client.online_endpoints.invoke(endpoint_name=name, request_file=str(root / "request.json"))
    client.online_endpoints.begin_delete(name).result()
    compatibility.behaves("online_endpoints.get_keys, invoke (aad_token)")


for step in (without_compute, queue, named_output, refusals, endpoint, aad_token):
    step()
    print("\nok", step.__name__, flush=True)
