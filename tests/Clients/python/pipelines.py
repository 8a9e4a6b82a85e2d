"""Pipelines through the unmodified SDK: YAML and DSL, nested, registered components; stream, children, download, cancel, archive, refusals."""

import contextlib
import io
import os
import pathlib
import tempfile
import time
import uuid

from azure.ai.ml import Input, MLClient, Output, command, dsl, load_component, load_job
from azure.ai.ml._version import VERSION
from azure.ai.ml.entities import Environment
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-pipelines-"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
RUN = uuid.uuid4().hex[:6]
SAMPLES = pathlib.Path(__file__).parent.parent / "samples"

TRAIN = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: train_{run}
version: "1"
type: command
inputs:
  table: {{ type: uri_file }}
  rate: {{ type: number, default: 0.1, min: 0, max: 1 }}
  note: {{ type: string, optional: true }}
outputs:
  model: {{ type: uri_folder }}
environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
command: >-
  wc -l < ${{{{inputs.table}}}} > ${{{{outputs.model}}}}/rows.txt;
  echo rate ${{{{inputs.rate}}}} $[[note ${{{{inputs.note}}}}]] > ${{{{outputs.model}}}}/how.txt
"""

PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
name: yaml-{run}
display_name: From YAML
experiment_name: sdk-pipelines
tags: {{ team: blue }}
settings: {{ default_compute: azureml:cpu-cluster, default_datastore: azureml:workspaceblobstore, continue_on_step_failure: false, force_rerun: true }}
inputs:
  raw: {{ type: uri_file, path: ./table.csv }}
  rate: 0.5
outputs:
  report: {{ type: uri_folder, mode: upload }}
jobs:
  clean:
    type: command
    command: grep -v '#' ${{{{inputs.raw}}}} > ${{{{outputs.table}}}}; echo cleaned $WHO
    environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
    environment_variables: {{ WHO: me }}
    inputs: {{ raw: "${{{{parent.inputs.raw}}}}" }}
    outputs: {{ table: {{ type: uri_file }} }}
  train:
    type: command
    component: ./train.yml
    compute: azureml:serverless
    inputs: {{ table: "${{{{parent.jobs.clean.outputs.table}}}}", rate: "${{{{parent.inputs.rate}}}}", note: hello }}
  report:
    type: command
    command: cat ${{{{inputs.model}}}}/*.txt > ${{{{outputs.report}}}}/report.txt; echo kept > outputs/kept.txt
    environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
    inputs: {{ model: "${{{{parent.jobs.train.outputs.model}}}}" }}
    outputs: {{ report: "${{{{parent.outputs.report}}}}" }}
    limits: {{ timeout: 120 }}
"""


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def wait(name: str, *wanted: str) -> str:
    deadline = time.time() + 120
    while (status := client.jobs.get(name).status) not in wanted:
        assert time.time() < deadline, f"{name} is {status}, not {wanted}"
        time.sleep(0.1)
    return status


def streamed(name: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        client.jobs.stream(name)
    return printed.getvalue()


def yaml_pipeline() -> str:
    write("table.csv", "# header\n1\n2\n3\n")
    write("train.yml", TRAIN.format(run=RUN))
    created = client.jobs.create_or_update(load_job(str(write("pipeline.yml", PIPELINE.format(run=RUN)))))
    assert created.name == f"yaml-{RUN}" and created.status == "Running", created.status
    text = streamed(created.name)
    for line in ("clean: queued as the job", "report: completed", f"The pipeline yaml-{RUN} completed.", "Execution Summary"):
        assert line in text, text
    found = client.jobs.get(created.name)
    assert found.status == "Completed" and found.display_name == "From YAML" and found.tags == {"team": "blue"}, found
    assert sorted(found.jobs) == ["clean", "report", "train"], found.jobs
    print("ok yaml")
    return created.name


def children_of(name: str) -> dict:
    return {child.display_name: child for child in client.jobs.list(parent_job_name=name)}


def children(name: str) -> None:
    found = children_of(name)
    assert sorted(found) == ["clean", "report", "train"], found
    for child in found.values():
        job = client.jobs.get(child.name)
        assert job.type == "command" and job.status == "Completed", job
    assert "cleaned me" in streamed(found["clean"].name)
    assert found["train"].name not in [j.name for j in client.jobs.list() if j is not None], "a step is listed among the jobs"
    print("ok children")


def download(name: str) -> None:
    target = root / f"down-{name}"
    client.jobs.download(name, download_path=target, all=True)
    assert (target / "named-outputs" / "report" / "report.txt").read_text() == "rate 0.5 note hello\n3\n", list(target.rglob("*"))
    assert "report: completed" in (target / "artifacts" / "logs" / "azureml" / "executionlogs.txt").read_text()
    one = root / f"one-{name}"
    client.jobs.download(name, download_path=one, output_name="report")
    assert [p.read_text() for p in one.rglob("report.txt")] == ["rate 0.5 note hello\n3\n"], list(one.rglob("*"))
    step = root / f"step-{name}"
    client.jobs.download(children_of(name)["report"].name, download_path=step, all=True)
    assert (step / "artifacts" / "outputs" / "kept.txt").read_text() == "kept\n", list(step.rglob("*"))
    print("ok download")


def archive(name: str) -> None:
    client.jobs.archive(name)
    assert name not in [j.name for j in client.jobs.list() if j is not None]
    client.jobs.restore(name)
    assert name in [j.name for j in client.jobs.list() if j is not None]
    print("ok archive")


def nested_dsl() -> None:
    registered = client.components.create_or_update(load_component(str(write("train.yml", TRAIN.format(run=RUN)))))
    assert registered.version == "1", registered
    train = client.components.get(f"train_{RUN}", "1")
    write("code/say.py", "print('said')")
    count = command(
        name="count", code=str(root / "code"), command="python say.py && cat ${{inputs.a}}/rows.txt ${{inputs.b}}/rows.txt > ${{outputs.total}}",
        environment=ENVIRONMENT, inputs={"a": Input(type="uri_folder"), "b": Input(type="uri_folder")}, outputs={"total": Output(type="uri_file")})

    @dsl.pipeline(description="two trainings")
    def twice(table: Input(type="uri_file"), rate: float):
        first = train(table=table, rate=rate)
        second = train(table=table, rate=0.25)
        both = count(a=first.outputs.model, b=second.outputs.model)
        return {"total": both.outputs.total}

    @dsl.pipeline(default_compute="serverless", experiment_name="sdk-pipelines", display_name="From DSL")
    def outer(table: Input(type="uri_file")):
        inner = twice(table=table, rate=0.75)
        show = command(name="show", command="cat ${{inputs.total}}", environment=ENVIRONMENT, inputs={"total": Input(type="uri_file")})
        show(total=inner.outputs.total)
        return {"total": inner.outputs.total}

    table = str(write("table.csv", "1\n2\n"))
    pipeline = outer(table=Input(type="uri_file", path=table))
    pipeline.settings.force_rerun = True
    created = client.jobs.create_or_update(pipeline)
    text = streamed(created.name)
    assert "completed." in text, text
    above = children_of(created.name)
    assert sorted(above) == ["inner", "show"], above
    assert sorted(children_of(above["inner"].name)) == ["both", "first", "second"], children_of(above["inner"].name)
    assert client.jobs.get(above["inner"].name).type == "pipeline"
    assert "said" in streamed(children_of(above["inner"].name)["both"].name)
    assert "2\n2\n" in streamed(above["show"].name)
    target = root / "nested"
    client.jobs.download(created.name, download_path=target, output_name="total")
    assert [p.read_text() for p in target.rglob("*") if p.is_file()] == ["2\n2\n"], list(target.rglob("*"))
    print("ok nested")


def registered() -> None:
    """A pipeline that is a registered component, used as a step and as a job; an output that becomes a named asset."""
    train = client.components.get(f"train_{RUN}", "1")

    @dsl.pipeline(name=f"pair_{RUN}", version="1")
    def pair(table: Input(type="uri_file"), rate: float = 0.5):
        return {"model": train(table=table, rate=rate, note="paired").outputs.model}

    made = client.components.create_or_update(pair)
    assert (made.name, made.type) == (f"pair_{RUN}", "pipeline"), made
    again = client.components.get(made.name, "1")

    @dsl.pipeline(default_compute="serverless")
    def outer(table: Input(type="uri_file")):
        step = again(table=table)
        return {"model": step.outputs.model}

    job = outer(table=Input(type="uri_file", path=str(write("table.csv", "1\n2\n"))))
    job.outputs.model.name = f"model-{RUN}"
    job.outputs.model.version = "7"
    created = client.jobs.create_or_update(job)
    assert "completed." in streamed(created.name)
    assert list(children_of(created.name)) == ["step"], children_of(created.name)
    if VERSION != "1.4.0":  # which sends no names of a pipeline's outputs
        assert client.data.get(f"model-{RUN}", "7").type == "uri_folder"
    print("ok registered")


def samples() -> None:
    """The files that the command line runs too, loaded by the SDK; all of them at once."""
    expected = {
        "basics/inputs.yml": None,
        "basics/code.yml": None,
        "basics/pipeline-io.yml": None,
        "local_components/pipeline.yml": ("model/model.txt", "lines=3 epochs=20 rate=1.8 schedule=time-based\n"),
        "one_component/file.yml": None,
    }
    running = {}
    for path in expected:
        # 1.4.0 loads no command job without a compute.
        override = [{"compute": "azureml:cpu-cluster"}] if path in ("basics/inputs.yml", "basics/code.yml") else []
        running[path] = client.jobs.create_or_update(load_job(str(SAMPLES / path), params_override=override)).name
    for path, name in running.items():
        assert wait(name, "Completed", "Failed", "Canceled") == "Completed", (path, client.jobs.get(name))
    for path, name in running.items():
        if expected[path] is not None:
            target = root / f"sample-{name}"
            client.jobs.download(name, download_path=target, all=True)
            file, text = expected[path]
            assert (target / "named-outputs" / file).read_text() == text, list(target.rglob("*"))
    print("ok samples")


def failing(command_line: str) -> object:
    @dsl.pipeline(default_compute="serverless")
    def fails():
        bad = command(name="bad", command=command_line, environment=ENVIRONMENT, outputs={"o": Output(type="uri_folder")})()
        command(name="after", command="ls ${{inputs.o}}", environment=ENVIRONMENT, inputs={"o": Input(type="uri_folder")})(o=bad.outputs.o)

    return fails()


def failure() -> None:
    job = client.jobs.create_or_update(failing("echo going; exit 7"))
    try:
        streamed(job.name)
        raise AssertionError("a failed pipeline streamed without an exception")
    except JobException as exception:
        assert "exit code 7" in str(exception), exception
    steps = {name: child.status for name, child in children_of(job.name).items()}
    assert steps == {"bad": "Failed", "after": "Canceled"}, steps
    print("ok failure")


def cancel() -> None:
    job = client.jobs.create_or_update(failing("echo going; sleep 100"))
    wait(children_of(job.name)["bad"].name, "Running")
    client.jobs.begin_cancel(job.name).result()
    assert wait(job.name, "Canceled") == "Canceled"
    assert {child.status for child in children_of(job.name).values()} == {"Canceled"}
    print("ok cancel")


def refusals() -> None:
    @dsl.pipeline(default_compute="serverless")
    def wrong(rate: float):
        client.components.get(f"train_{RUN}", "1")(table=Input(type="uri_file", path="azureml:none:1"), rate=rate)

    pipeline = wrong(rate=7)
    pipeline.name = f"refused-{RUN}"
    try:
        client.jobs.create_or_update(pipeline)
        raise AssertionError("a wrong pipeline was accepted")
    except (HttpResponseError, ResourceNotFoundError) as exception:
        assert "none" in str(exception) and "7" in str(exception), exception
    print("ok refusals")


name = yaml_pipeline()
children(name)
download(name)
archive(name)
nested_dsl()
registered()
samples()
failure()
cancel()
refusals()
compatibility.behaves(
    "jobs.create_or_update (pipeline)", "jobs.stream (pipeline)", "jobs.list (parent_job_name)", "jobs.download (pipeline)", "jobs.archive (pipeline)",
    "jobs.begin_cancel (pipeline)", "jobs.get (step)", "components.create_or_update", "components.get")
