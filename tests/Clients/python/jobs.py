"""Command jobs through the unmodified SDK: submit, stream, list, get, cancel, archive, download, and jobs that fail or are refused."""

import contextlib
import io
import os
import pathlib
import tempfile
import time
import uuid

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import Data, Environment
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-jobs-"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
RUN = uuid.uuid4().hex[:6]
CODE = """
import argparse, os, pathlib
parser = argparse.ArgumentParser()
for name in ("table", "folder", "asset", "rate", "model"):
    parser.add_argument("--" + name)
given = parser.parse_args()
print("rate", given.rate)
print("rows", len(pathlib.Path(given.table).read_text().splitlines()))
print("folder", sorted(p.name for p in pathlib.Path(given.folder).iterdir()))
print("asset", pathlib.Path(given.asset).read_text().strip())
pathlib.Path(given.model, "model.txt").write_text("weights")
pathlib.Path("outputs/report.txt").write_text("a report")
print("run", os.environ["AZUREML_RUN_ID"], os.environ["GREETING"])
"""


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def wait(name: str, *wanted: str) -> str:
    deadline = time.time() + 60
    while (status := client.jobs.get(name).status) not in wanted:
        assert time.time() < deadline, f"{name} is {status}, not {wanted}"
        time.sleep(0.1)
    return status


def streamed(name: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        client.jobs.stream(name)
    return printed.getvalue()


def submit_and_stream() -> str:
    write("code/train.py", CODE)
    asset = client.data.create_or_update(Data(name="jobs-asset", path=str(write("asset.txt", "from an asset\n")), type="uri_file"))
    job = command(
        name=f"train-{RUN}", display_name="Training", experiment_name="sdk-jobs", tags={"team": "blue"}, compute="serverless",
        code=str(root / "code"), environment=ENVIRONMENT, environment_variables={"GREETING": "hello"},
        command="python train.py --table ${{inputs.table}} --folder ${{inputs.folder}} --asset ${{inputs.asset}} --rate ${{inputs.rate}} --model ${{outputs.model}}",
        inputs={
            "table": Input(type="uri_file", path=str(write("table.csv", "a\nb\nc\n"))),
            "folder": Input(type="uri_folder", path=str(write("folder/x.txt", "x").parent)),
            "asset": Input(type="uri_file", path=asset.id),
            "rate": 0.5,
        },
        outputs={"model": Output(type="uri_folder")})
    created = client.jobs.create_or_update(job)
    assert created.name == f"train-{RUN}" and created.status in ("Queued", "Preparing", "Running", "Completed"), created.status
    assert created.compute.endswith("/computes/serverless") or created.compute == "serverless", created.compute
    assert created.studio_url.startswith("https://"), created.studio_url
    text = streamed(created.name)
    for line in ("rate 0.5", "rows 3", "folder ['x.txt']", "asset from an asset", f"run {created.name} hello", "Execution Summary"):
        assert line in text, text
    found = client.jobs.get(created.name)
    assert found.status == "Completed" and found.display_name == "Training" and found.tags == {"team": "blue"}, found
    compatibility.behaves("jobs.create_or_update", "jobs.stream", "jobs.get")
    print("ok submit")
    return created.name


def binary_log() -> None:
    """Whatever bytes a log is made of, it is streamed to its end; what is no text is shown as such."""
    created = client.jobs.create_or_update(command(
        name=f"binary-{RUN}", compute="serverless", environment=ENVIRONMENT, experiment_name="sdk-jobs",
        command="head -c 2000000 /dev/urandom; printf '\\n\\377\\376 invalid\\n'; echo the end"))
    text = streamed(created.name)
    assert "the end" in text and " invalid" in text and "Execution Summary" in text, text[-500:]
    assert client.jobs.get(created.name).status == "Completed"
    print("ok binary")


def list_and_archive(name: str) -> None:
    assert name in [j.name for j in client.jobs.list() if j is not None]
    client.jobs.archive(name)
    assert name not in [j.name for j in client.jobs.list()]
    client.jobs.restore(name)
    assert name in [j.name for j in client.jobs.list()]
    compatibility.behaves("jobs.list", "jobs.archive", "jobs.restore")
    print("ok list")


def download(name: str) -> None:
    everything = root / "everything"
    client.jobs.download(name, download_path=everything, all=True)
    files = sorted(str(p.relative_to(everything)) for p in everything.rglob("*") if p.is_file())
    assert "artifacts/outputs/report.txt" in files and "artifacts/user_logs/std_log.txt" in files, files
    assert "named-outputs/model/model.txt" in files, files
    one = root / "one"
    client.jobs.download(name, download_path=one, output_name="model")
    assert [p.read_text() for p in one.rglob("model.txt")] == ["weights"], list(one.rglob("*"))
    compatibility.behaves("jobs.download")
    print("ok download")


def cancel() -> None:
    job = client.jobs.create_or_update(command(name=f"long-{RUN}", command="echo started; sleep 100", environment=ENVIRONMENT, compute="cpu-cluster"))
    wait(job.name, "Running")
    client.jobs.begin_cancel(job.name).result()
    assert client.jobs.get(job.name).status == "Canceled"
    compatibility.behaves("jobs.begin_cancel")
    print("ok cancel")


def failure() -> None:
    job = client.jobs.create_or_update(command(name=f"fails-{RUN}", command="python -c 'import no_such_module'", environment=ENVIRONMENT, compute="serverless"))
    try:
        streamed(job.name)
        raise AssertionError("a failed job streamed without an exception")
    except JobException as exception:
        assert "no_such_module" in str(exception) and "exit code 1" in str(exception), exception
    assert client.jobs.get(job.name).status == "Failed"
    print("ok failure")


def refusals(name: str) -> None:
    def refused(status: int, *words: str, **changes: object) -> None:
        job = command(**{"name": f"refused-{RUN}", "command": "true", "environment": ENVIRONMENT, "compute": "serverless", **changes})
        try:
            client.jobs.create_or_update(job)
            raise AssertionError(f"{changes} was accepted")
        except HttpResponseError as exception:
            assert exception.status_code == status and all(w in str(exception) for w in words), exception
        try:
            client.jobs.get(f"refused-{RUN}")
            raise AssertionError("a refused job was stored")
        except ResourceNotFoundError:
            pass

    refused(400, "nowhere", "serverless", compute="nowhere")
    refused(400, "instances at once", instance_count=65)
    refused(400, "no-such-environment", environment="azureml:no-such-environment:1")
    try:
        client.jobs.create_or_update(command(name=name, command="something else", environment=ENVIRONMENT, compute="serverless"))
        raise AssertionError("a job was replaced by another")
    except ResourceExistsError as exception:
        assert "command" in str(exception), exception
    compatibility.refused("jobs.create_or_update (more instances than the compute has)")
    print("ok refusals")


trained = submit_and_stream()
binary_log()
list_and_archive(trained)
download(trained)
cancel()
failure()
refusals(trained)
