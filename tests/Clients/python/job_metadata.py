"""What is said about jobs and what they leave, through the unmodified SDK: changes, services, lists, children, outputs of every type."""

import concurrent.futures
import os
import pathlib
import tempfile
import time

from azure.ai.ml import MLClient, Output, command
from azure.ai.ml.entities import Environment
from azure.core.exceptions import ResourceExistsError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-metadata-"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
MARK = format(time.time_ns() % 10**9, "x")
MANY = 65
TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")


def submit(name: str, line: str = "true", **more):
    return client.jobs.create_or_update(command(name=f"{name}-{MARK}", command=line, environment=ENVIRONMENT, compute="serverless", **more))


def completed(name: str):
    deadline = time.time() + 90
    while (job := client.jobs.get(name)).status not in ("Completed", "Failed"):
        assert time.time() < deadline, f"{name} is {job.status}"
        time.sleep(0.2)
    assert job.status == "Completed", job.status
    return job


def changes() -> None:
    job = completed(submit("said", tags={"a": "b"}).name)
    job.tags["c"], job.description, job.display_name = "d", "said later", "Another name"
    changed = client.jobs.create_or_update(job)
    found = client.jobs.get(job.name)
    for seen in (changed, found):
        assert (seen.tags, seen.description, seen.display_name, seen.status) == ({"a": "b", "c": "d"}, "said later", "Another name", "Completed"), seen
    client.jobs.archive(job.name)
    assert job.name not in {j.name for j in client.jobs.list()}
    assert job.name in {j.name for j in client.jobs.list(list_view_type="ArchivedOnly")}
    assert job.name in {j.name for j in client.jobs.list(list_view_type="All")}
    client.jobs.restore(job.name)
    assert client.jobs.get(job.name).tags == {"a": "b", "c": "d"}
    found.command = "something else"
    try:
        client.jobs.create_or_update(found)
        raise AssertionError("a job was replaced by another")
    except ResourceExistsError:
        pass
    compatibility.behaves("jobs.create_or_update (tags, description, display name)", "jobs.list (archived)")


def services() -> None:
    job = client.jobs.get(f"said-{MARK}")
    assert set(job.services) == {"Studio", "Tracking"}, job.services
    assert job.services["Tracking"].endpoint.startswith("azureml://"), job.services["Tracking"].endpoint
    assert not client.jobs.show_services(job.name)
    compatibility.behaves("jobs.show_services (none run)")


def listing() -> None:
    names = [f"many-{i}" for i in range(MANY)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(submit, names))
    listed = [j.name for j in client.jobs.list()]
    assert len(listed) == len(set(listed)) and {f"{name}-{MARK}" for name in names} <= set(listed), len(listed)
    assert list(client.jobs.list(**{"schedule_defined": True})) == []
    compatibility.behaves("jobs.list (pages)")


def children() -> None:
    line = "python -c \"import mlflow; mlflow.start_run(); [(mlflow.start_run(run_name='child-%d' % i, nested=True), mlflow.log_metric('m', i), mlflow.end_run()) for i in range(3)]; mlflow.end_run()\""
    job = completed(submit("parent", line).name)
    found = list(client.jobs.list(parent_job_name=job.name))
    assert sorted(c.display_name for c in found) == ["child-0", "child-1", "child-2"], found
    assert all(c.status == "Completed" for c in found), [c.status for c in found]
    compatibility.behaves("jobs.list (parent_job_name)")


def outputs() -> None:
    lines = [f"echo {t} > ${{{{outputs.{t}}}}}" + ("" if t == "uri_file" else "/content.txt") for t in TYPES]
    job = completed(submit("leaves", " && ".join(lines), outputs={t: Output(type=t) for t in TYPES}).name)
    everything = root / "everything"
    client.jobs.download(job.name, download_path=everything, all=True)
    for kind in TYPES:
        texts = [p.read_text().strip() for p in (everything / "named-outputs" / kind).rglob("*") if p.is_file()]
        assert texts == [kind], (kind, texts)
        client.jobs.download(job.name, download_path=root / kind, output_name=kind)
        texts = [p.read_text().strip() for p in (root / kind).rglob("*") if p.is_file()]
        assert texts == [kind], (kind, texts)
    compatibility.behaves("jobs.download (outputs of every type)")


for step in (changes, services, listing, children, outputs):
    step()
    print("\nok", step.__name__, flush=True)
