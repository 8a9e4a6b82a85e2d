"""Pipelines that decide and repeat, through the unmodified SDK: if_else, do_while, parallel_for from DSL and YAML; children, outputs, failures."""

import contextlib
import io
import os
import pathlib
import tempfile
import uuid

# The SDK's switch for control flow nodes; it reads it when it is imported.
os.environ["AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"] = "true"

from azure.ai.ml import Input, MLClient, dsl, load_component, load_job  # noqa: E402
from azure.ai.ml.dsl._condition import condition  # noqa: E402
from azure.ai.ml.dsl._do_while import do_while  # noqa: E402
from azure.ai.ml.dsl._parallel_for import parallel_for  # noqa: E402
from azure.ai.ml.exceptions import JobException  # noqa: E402
from azure.core.exceptions import HttpResponseError  # noqa: E402
from azure.identity import DefaultAzureCredential  # noqa: E402

import compatibility  # noqa: E402

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-control-flow-"))
RUN = uuid.uuid4().hex[:6]

COUNT = """
name: count_{run}
version: "1"
type: command
inputs:
  number: {{ type: integer }}
  limit: {{ type: integer, default: 3 }}
  before: {{ type: uri_folder, optional: true }}
outputs:
  next: {{ type: integer, is_control: true }}
  more: {{ type: boolean, is_control: true }}
  history: {{ type: uri_folder }}
environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
command: >-
  if [ ${{{{inputs.number}}}} = 7 ]; then exit 9; fi;
  for old in $[[${{{{inputs.before}}}}/all.txt]]; do cat $old; done > ${{{{outputs.history}}}}/all.txt;
  echo ${{{{inputs.number}}}} >> ${{{{outputs.history}}}}/all.txt;
  n=$(( ${{{{inputs.number}}}} + 1 )); echo $n > ${{{{outputs.next}}}};
  if [ $n -le ${{{{inputs.limit}}}} ]; then echo true; else echo false; fi > ${{{{outputs.more}}}}
"""

SAY = """
name: say_{run}
version: "1"
type: command
inputs:
  word: {{ type: string }}
  size: {{ type: integer, default: 1 }}
outputs:
  said: {{ type: uri_file }}
  twice: {{ type: integer, is_control: true }}
environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
command: echo ${{{{inputs.word}}}} ${{{{inputs.size}}}} > ${{{{outputs.said}}}}; echo $(( 2 * ${{{{inputs.size}}}} )) > ${{{{outputs.twice}}}}
"""

JOIN = """
name: join_{run}
version: "1"
type: command
inputs:
  table: {{ type: mltable }}
  list: {{ type: string }}
outputs:
  joined: {{ type: uri_file }}
environment: {{ image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04 }}
command: echo '${{{{inputs.list}}}}' > ${{{{outputs.joined}}}}; grep -c 'file:' ${{{{inputs.table}}}}/MLTable >> ${{{{outputs.joined}}}}
"""

PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
name: control-yaml-{run}
settings: {{ default_compute: azureml:serverless }}
outputs:
  history: {{ type: uri_folder }}
jobs:
  body:
    type: command
    component: ./count.yml
    inputs: {{ number: 1 }}
    outputs: {{ history: "${{{{parent.outputs.history}}}}" }}
  again:
    type: do_while
    body: ${{{{parent.jobs.body}}}}
    condition: ${{{{parent.jobs.body.outputs.more}}}}
    mapping:
      ${{{{parent.jobs.body.outputs.next}}}}: ${{{{parent.jobs.body.inputs.number}}}}
      history: [ before ]
    limits: {{ max_iteration_count: 10 }}
  check:
    type: if_else
    condition: ${{{{parent.jobs.body.outputs.more}}}}
    true_block: ${{{{parent.jobs.goes}}}}
    false_block: ${{{{parent.jobs.stays}}}}
  goes:
    type: command
    component: ./say.yml
    inputs: {{ word: go }}
  stays:
    type: command
    component: ./say.yml
    inputs: {{ word: stay }}
"""


def write(name: str, text: str) -> str:
    (root / name).write_text(text.format(run=RUN))
    return str(root / name)


def ended(name: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        client.jobs.stream(name)
    return printed.getvalue()


def children(name: str) -> dict:
    return {child.display_name: child for child in client.jobs.list(parent_job_name=name)}


def statuses(name: str) -> dict:
    return {title: child.status for title, child in children(name).items()}


def output(job: str, name: str) -> str:
    target = root / f"{job}-{name}"
    client.jobs.download(job, download_path=target, output_name=name)
    return "".join(path.read_text() for path in sorted(target.rglob("*")) if path.is_file())


count = load_component(write("count.yml", COUNT))
say = load_component(write("say.yml", SAY))
join = load_component(write("join.yml", JOIN))


def loops() -> None:
    @dsl.pipeline()
    def body(number: int, limit: int, before: Input(type="uri_folder", optional=True)):
        step = count(number=number, limit=limit, before=before)
        return {"next": step.outputs.next, "more": step.outputs.more, "history": step.outputs.history}

    @dsl.pipeline(default_compute="serverless", display_name="Loops")
    def outer(start: int = 1):
        inside = body(number=start, limit=3)
        do_while(
            body=inside, condition=inside.outputs.more, max_iteration_count=10,
            mapping={inside.outputs.next: inside.inputs.number, inside.outputs.history: [inside.inputs.before]})
        show = say(word="end", size=inside.outputs.next)
        return {"history": inside.outputs.history, "said": show.outputs.said}

    job = client.jobs.create_or_update(outer())
    assert "completed." in ended(job.name)
    found = children(job.name)
    assert sorted(child.status for child in found.values()) == ["Completed", "Completed"], found
    loop = next(child for title, child in found.items() if title != "show")
    assert client.jobs.get(loop.name).type == "pipeline"
    iterations = children(loop.name)
    assert sorted(iterations) == ["inside 1", "inside 2", "inside 3"], iterations
    assert list(statuses(iterations["inside 2"].name)) == ["step"]
    assert output(job.name, "history") == "1\n2\n3\n"
    assert output(job.name, "said") == "end 4\n"
    found = client.jobs.get(job.name)
    assert sorted(node.type for node in found.jobs.values()) == ["command", "do_while", "pipeline"], found.jobs
    print("ok loops")


def branches() -> None:
    @dsl.pipeline(default_compute="serverless")
    def outer(flag: bool):
        tested = count(number=1, limit=1)
        taken, other, skipped = say(word="taken"), say(word="other"), say(word="skipped")
        condition(tested.outputs.more, true_block=other, false_block=taken)
        condition(flag, true_block=skipped)

    job = client.jobs.create_or_update(outer(flag=False))
    assert "completed." in ended(job.name)
    found = statuses(job.name)
    assert (found["taken"], found["other"], found["skipped"]) == ("Completed", "Canceled", "Canceled"), found
    assert output(children(job.name)["taken"].name, "said") == "taken 1\n"
    print("ok branches")


def items() -> None:
    @dsl.pipeline()
    def body(word: str, size: int):
        spoken = say(word=word, size=size)
        return {"said": spoken.outputs.said, "twice": spoken.outputs.twice}

    @dsl.pipeline(default_compute="serverless")
    def outer(first: str):
        inside = body(size=1)
        each = parallel_for(body=inside, items=[{"word": first, "size": 1}, {"word": "b", "size": 2}, {"word": "c", "size": 3}], max_concurrency=2)
        both = join(table=each.outputs.said, list=each.outputs.twice)
        return {"table": each.outputs.said, "joined": both.outputs.joined}

    job = client.jobs.create_or_update(outer(first="a"))
    assert "completed." in ended(job.name)
    loop = next(child for title, child in children(job.name).items() if title != "both")
    iterations = children(loop.name)
    assert sorted(iterations) == ["inside 1", "inside 2", "inside 3"], iterations
    assert output(iterations["inside 1"].name, "said") == "a 1\n"
    assert output(job.name, "joined") == "[2,4,6]\n3\n"
    assert output(job.name, "table").count("- file: azureml://") == 3
    assert "parallel_for" in [node.type for node in client.jobs.get(job.name).jobs.values()]
    print("ok items")


def yaml() -> None:
    job = client.jobs.create_or_update(load_job(write("pipeline.yml", PIPELINE)))
    assert "completed." in ended(job.name)
    assert statuses(job.name) == {"again": "Completed", "check": "Completed", "goes": "Canceled", "stays": "Completed"}, statuses(job.name)
    assert output(job.name, "history") == "1\n2\n3\n"
    print("ok yaml")


def failure() -> None:
    @dsl.pipeline(default_compute="serverless")
    def outer():
        step = count(number=6, limit=9)
        do_while(body=step, condition=step.outputs.more, mapping={step.outputs.next: step.inputs.number}, max_iteration_count=4)

    job = client.jobs.create_or_update(outer())
    try:
        ended(job.name)
        raise AssertionError("a failed loop streamed without an exception")
    except JobException as exception:
        assert "exit code 9" in str(exception), exception
    loop = next(iter(children(job.name).values()))
    assert statuses(loop.name) == {"step 1": "Completed", "step 2": "Failed"}, statuses(loop.name)
    print("ok failure")


def refusal() -> None:
    job = load_job(write("wrong.yml", PIPELINE.replace("control-yaml", "wrong-yaml")))
    job.jobs["body"].inputs.limit = "many"
    try:
        client.jobs.create_or_update(job)
        raise AssertionError("a wrong loop was accepted")
    except HttpResponseError as exception:
        assert "many" in str(exception), exception
    print("ok refusal")


loops()
branches()
items()
yaml()
failure()
refusal()
compatibility.behaves("jobs.create_or_update (do_while)", "jobs.create_or_update (if_else)", "jobs.create_or_update (parallel_for)")
