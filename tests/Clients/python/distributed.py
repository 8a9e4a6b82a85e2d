"""Distributed jobs through the unmodified SDK: PyTorch, MPI as a dictionary, TensorFlow in a pipeline from YAML and DSL; streamed and downloaded logs."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import time
import uuid

from azure.ai.ml import MLClient, MpiDistribution, PyTorchDistribution, TensorFlowDistribution, command, dsl, load_component, load_job
from azure.ai.ml.entities import Environment
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-distributed-"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
RUN = uuid.uuid4().hex[:6]

HELLO = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: tf_hello_{run}
version: "1"
type: command
environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
command: echo $TF_CONFIG
resources: {{ instance_count: 2 }}
distribution: {{ type: tensorflow, worker_count: 2 }}
"""

PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
name: dist-{run}
settings: {{ default_compute: azureml:serverless }}
jobs:
  hello:
    type: command
    component: ./hello.yml
  inline:
    type: command
    command: echo rank $RANK of $WORLD_SIZE
    environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
    resources: {{ instance_count: 2 }}
    distribution: {{ type: pytorch, process_count_per_instance: 2 }}
"""


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def ended(name: str) -> object:
    deadline = time.time() + 120
    while (job := client.jobs.get(name)).status not in ("Completed", "Failed", "Canceled"):
        assert time.time() < deadline, f"{name} is {job.status}"
        time.sleep(0.2)
    return job


def logs(name: str) -> dict:
    target = root / name
    client.jobs.download(name, download_path=target, all=True)
    return {path.name: path.read_text() for path in (target / "artifacts" / "user_logs").iterdir()}


def child(pipeline: str, step: str) -> str:
    return next(found.name for found in client.jobs.list(parent_job_name=pipeline) if found.display_name == step)


def submit(line: str, **more: object) -> object:
    return client.jobs.create_or_update(command(command=line, environment=ENVIRONMENT, compute="serverless", **more))


def pytorch() -> None:
    # It lives long enough to be streamed: the SDK looks at a job's logs only while it runs.
    created = submit("echo rank $RANK of $WORLD_SIZE node $NODE_RANK; sleep 3", instance_count=2, distribution=PyTorchDistribution(process_count_per_instance=2))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        client.jobs.stream(created.name)
    text = printed.getvalue()
    assert "Streaming user_logs/std_log_process_0.txt" in text and "rank 0 of 4 node 0" in text and "rank 1" not in text, text
    job = ended(created.name)
    assert job.status == "Completed" and job.resources.instance_count == 2, job
    assert job.distribution.type.lower() == "pytorch" and int(job.distribution.process_count_per_instance) == 2, job.distribution
    assert logs(created.name) == {f"std_log_process_{i}.txt": f"rank {i} of 4 node {i // 2}\n" for i in range(4)}, logs(created.name)
    print("ok pytorch")


def mpi() -> None:
    both = [
        submit("echo $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE", instance_count=2, distribution=given)
        for given in ({"type": "mpi", "process_count_per_instance": 1}, MpiDistribution(process_count_per_instance=1))
    ]
    for created in both:
        assert ended(created.name).status == "Completed", created.name
        assert logs(created.name) == {"std_log_process_0.txt": "0 of 2\n", "std_log_process_1.txt": "1 of 2\n"}, logs(created.name)
    print("ok mpi")


def check_cluster(found: dict) -> None:
    assert sorted(found) == ["std_log_process_0.txt", "std_log_process_1.txt"], found
    for index in range(2):
        config = json.loads(found[f"std_log_process_{index}.txt"])
        assert len(config["cluster"]["worker"]) == 2 and config["task"] == {"type": "worker", "index": index}, config


def pipelines() -> None:
    hello = write("hello.yml", HELLO.format(run=RUN))
    from_yaml = client.jobs.create_or_update(load_job(str(write("pipeline.yml", PIPELINE.format(run=RUN)))))
    component = client.components.create_or_update(load_component(str(hello)))
    assert component.distribution.type.lower() == "tensorflow", component.distribution

    @dsl.pipeline(default_compute="serverless")
    def twice() -> None:
        component()
        other = component()
        other.distribution = PyTorchDistribution(process_count_per_instance=2)
        other.resources.instance_count = 1
        other.name = "other"

    from_dsl = client.jobs.create_or_update(twice())
    assert ended(from_yaml.name).status == "Completed" and ended(from_dsl.name).status == "Completed"
    check_cluster(logs(child(from_yaml.name, "hello")))
    assert logs(child(from_yaml.name, "inline"))["std_log_process_3.txt"] == "rank 3 of 4\n"
    assert sorted(logs(child(from_dsl.name, "other"))) == ["std_log_process_0.txt", "std_log_process_1.txt"]
    print("ok pipelines")


def failure() -> None:
    created = submit("if [ $RANK = 1 ]; then echo 'ValueError: odd'; exit 4; fi; sleep 100", distribution=PyTorchDistribution(process_count_per_instance=2))
    try:
        client.jobs.stream(created.name)
        raise AssertionError("a job with a failed process streamed to a good end")
    except JobException as failed:
        assert "Rank 1 of 2 processes failed" in str(failed) and "exit code 4" in str(failed) and "ValueError: odd" in str(failed), failed
    print("ok failure")


def refusals() -> None:
    try:
        submit("true", instance_count=900, distribution=TensorFlowDistribution(worker_count=2))
        raise AssertionError("a job with more instances than its compute was accepted")
    except HttpResponseError as refused:
        assert refused.status_code == 400 and "instances at once" in str(refused), refused
    print("ok refusals")


pytorch()
mpi()
pipelines()
failure()
refusals()
compatibility.behaves("PyTorchDistribution", "MpiDistribution", "TensorFlowDistribution")
