"""Assets in their breadth through the unmodified SDK: kinds of data, model paths, environments, components, versions, labels and what may change."""

import concurrent.futures
import os
import pathlib
import tempfile
import time

from azure.ai.ml import Input, MLClient, Output, command, load_component, load_data, load_environment, load_model
from azure.ai.ml.entities import BuildContext, Data, Environment, Model
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-kinds-"))
MARK = format(time.time_ns() % 10**9, "x")
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")


def write(path: str, content: str) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    return target


def named(kind: str) -> str:
    return f"{kind}-{MARK}"


def refused(status: int, words: str, call, *arguments, **options) -> None:
    try:
        call(*arguments, **options)
    except HttpResponseError as error:
        assert error.status_code == status and words in str(error), (error.status_code, error)
        return
    raise AssertionError(f"{words}: nothing was refused")


def data() -> None:
    write("table/MLTable", "type: mltable\npaths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n")
    write("table/rows.csv", "a,b\n1,2\n")
    (root / "data.yml").write_text(f"name: {named('yaml')}\nversion: 3\ntype: uri_file\npath: ./table/rows.csv\ntags: {{from: yaml}}\ndescription: of a file\n")
    made = client.data.create_or_update(load_data(str(root / "data.yml")))
    assert (made.version, made.type, made.tags, made.description) == ("3", "uri_file", {"from": "yaml"}, "of a file"), made
    made = client.data.create_or_update(Data(name=named("far"), version="1", path=f"azureml://datastores/workspaceblobstore/paths/some/{MARK}/", type="uri_folder"))
    assert client.data.get(made.name, "1").path == f"azureml://datastores/workspaceblobstore/paths/some/{MARK}/", made.path
    # Everything but the path may change.
    made.tags, made.description = {"changed": "yes"}, "later"
    changed = client.data.create_or_update(made)
    assert (changed.tags, changed.description) == ({"changed": "yes"}, "later"), changed
    compatibility.behaves("data.create_or_update (uri_file, uri_folder)", "data.create_or_update (tags, description)")


def tables() -> None:
    made = client.data.create_or_update(Data(name=named("table"), path=str(root / "table"), type="mltable"))
    assert made.type == "mltable" and made.version == "1", made
    compatibility.behaves("data.create_or_update (mltable)")


def versions() -> None:
    name = named("counted")
    client.data.create_or_update(Data(name=name, version="7", path="azureml://datastores/workspaceblobstore/paths/a", type="uri_file"))
    client.data.create_or_update(Data(name=name, version="alpha", path="azureml://datastores/workspaceblobstore/paths/a", type="uri_file"))
    files = [write(f"counted/{i}.txt", str(i)) for i in range(6)]

    def create(file: pathlib.Path) -> str:
        # Whoever comes second with a number tries the next one: the SDK repeats on 409, or its user does.
        for _ in range(20):
            try:
                return client.data.create_or_update(Data(name=name, path=str(file), type="uri_file")).version
            except ResourceExistsError:
                pass
        raise AssertionError("no version was free")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        made = sorted(pool.map(create, files))
    assert made == sorted(str(v) for v in range(8, 14)), made
    assert client.data.get(name, label="latest").version in made
    assert len(list(client.data.list(name=name))) == 8
    client.data.archive(name)
    assert name not in {d.name for d in client.data.list()}
    client.data.restore(name)
    assert name in {d.name for d in client.data.list()}
    client.data.archive(name, version="7")
    assert "7" not in {d.version for d in client.data.list(name=name)}
    archived = {d.version for d in client.data.list(name=name, list_view_type="ArchivedOnly")}
    assert archived == {"7"}, archived
    client.data.restore(name, version="7")
    refused(409, "UserError", client.data.create_or_update, Data(name=name, version="7", path="azureml://datastores/workspaceblobstore/paths/b", type="uri_file"))
    compatibility.behaves("data.create_or_update (next version)", "data.archive (container)", "data.restore (container)", "data.list (archived)")


def models() -> None:
    job = client.jobs.create_or_update(command(
        name=f"makes-{MARK}", command="mkdir -p outputs/m && echo w > outputs/m/w.txt && echo v > ${{outputs.model}}/v.txt", environment=ENVIRONMENT, compute="serverless",
        outputs={"model": Output(type="custom_model")}))
    deadline = time.time() + 60
    while client.jobs.get(job.name).status != "Completed":
        assert time.time() < deadline, client.jobs.get(job.name).status
        time.sleep(0.2)
    write("local/weights.txt", "weights")
    write("mlflow/MLmodel", "flavors:\n  python_function:\n    loader_module: x\n")
    write("triton/model/1/model.onnx", "onnx")
    local = client.models.create_or_update(Model(name=named("m"), path=str(root / "local"), type="custom_model"))
    store = client.datastores.get("workspaceblobstore")
    folder = local.path.split("/paths/")[1]
    paths = {
        "file": str(root / "local" / "weights.txt"),
        "short": f"azureml://datastores/workspaceblobstore/paths/{folder}",
        "long": local.path,
        "blob": f"https://{store.account_name}.blob.core.windows.net/{store.container_name}/{folder}",
        "wasbs": f"wasbs://{store.container_name}@{store.account_name}.blob.core.windows.net/{folder}",
        "job": f"azureml://jobs/{job.name}/outputs/model/paths/v.txt",
        "artifact": f"azureml://jobs/{job.name}/outputs/artifacts/paths/outputs/m",
        "run": f"runs:/{job.name}/outputs/m",
    }
    for kind, path in paths.items():
        made = client.models.create_or_update(Model(name=named("m-" + kind), version="1", path=path, type="custom_model"))
        assert "/datastores/workspace" in made.path, (kind, made.path)
        client.models.download(made.name, version="1", download_path=str(root / "downloaded"))
        found = [p.name for p in (root / "downloaded" / made.name).rglob("*") if p.is_file()]
        assert found == [{"job": "v.txt", "artifact": "w.txt", "run": "w.txt"}.get(kind, "weights.txt")], (kind, found)
    assert client.models.get(named("m-run"), "1").job_name == job.name
    for kind, folder in (("mlflow_model", "mlflow"), ("triton_model", "triton")):
        assert client.models.create_or_update(Model(name=named(folder), path=str(root / folder), type=kind)).type == kind
    (root / "model.yml").write_text(f"name: {named('yaml')}\nversion: 1\ntype: custom_model\npath: ./local\nflavors:\n  sklearn:\n    version: '1'\n")
    flavored = client.models.create_or_update(load_model(str(root / "model.yml")))
    assert flavored.flavors["sklearn"]["version"] == "1" or flavored.flavors, flavored.flavors
    refused(400, "modelUri", client.models.create_or_update, Model(name=named("m"), version="9", path="azureml://jobs/nobody/outputs/o/paths/x"))
    refused(409, "UserError", client.models.create_or_update, Model(name=named("m-short"), version="1", path="azureml://datastores/workspaceblobstore/paths/elsewhere"))
    client.models.archive(named("m-short"))
    assert named("m-short") not in {m.name for m in client.models.list()}
    client.models.restore(named("m-short"))
    assert named("m-short") in {m.name for m in client.models.list()}
    compatibility.behaves(
        "models.create_or_update (local file, folder)", "models.create_or_update (datastore, blob and wasbs URIs)", "models.create_or_update (job output, runs:/)",
        "models.create_or_update (mlflow_model, triton_model)", "models.archive (container)", "models.restore (container)", "models.download (every path)")


def environments() -> None:
    conda = {"name": "e", "dependencies": ["python=3.11", {"pip": ["numpy"]}]}
    write("conda.yml", "name: e\ndependencies:\n- python=3.11\n- pip:\n  - numpy\n")
    for version, given in (("1", conda), ("2", str(root / "conda.yml"))):
        made = client.environments.create_or_update(Environment(name=named("conda"), version=version, image="ubuntu:22.04", conda_file=given))
        assert made.conda_file == conda and made.image == "ubuntu:22.04", made
    assert client.environments.get(named("conda"), label="latest").version == "2"
    (root / "env.yml").write_text(f"name: {named('yaml')}\nimage: ubuntu:22.04\nconda_file: conda.yml\ntags: {{a: b}}\n")
    assert client.environments.create_or_update(load_environment(str(root / "env.yml"))).version == "1"
    for _ in range(2):
        # No name: anonymous, by content.
        inline = client.jobs.create_or_update(command(command="true", environment=Environment(image="ubuntu:22.04", conda_file=conda), compute="serverless"))
        assert "CliV2AnonymousEnvironment" in str(inline.environment), inline.environment
    assert "CliV2AnonymousEnvironment" not in {e.name for e in client.environments.list()}
    job = client.jobs.create_or_update(command(command="true", environment=f"{named('conda')}@latest", compute="serverless"))
    assert f"{named('conda')}" in str(job.environment) and "2" in str(job.environment), job.environment
    curated = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:1"
    job = client.jobs.create_or_update(command(command="true", environment=curated, compute="serverless"))
    assert "AzureML-sklearn-1.0" in str(job.environment), job.environment
    refused(400, "curated-environments.yml", client.jobs.create_or_update, command(command="true", environment="azureml:AzureML-nobody-knows:1", compute="serverless"))
    client.environments.archive(named("conda"), version="1")
    assert [e.version for e in client.environments.list(name=named("conda"))] == ["2"]
    client.environments.restore(named("conda"), version="1")
    client.environments.archive(named("conda"))
    assert named("conda") not in {e.name for e in client.environments.list()}
    client.environments.restore(named("conda"))
    made.tags, made.description = {"changed": "yes"}, "later"
    changed = client.environments.create_or_update(made)
    assert (changed.tags, changed.description) == ({"changed": "yes"}, "later"), changed
    compatibility.behaves(
        "environments.create_or_update (conda dictionary, file)", "environments (inline)", "environments.get (latest)", "environments.archive", "environments.restore",
        "environments (curated, known to the table)")


def build_contexts() -> None:
    from azure.ai.ml._version import VERSION

    write("ctx/Dockerfile", "FROM ubuntu\n")
    remote = client.environments.create_or_update(Environment(name=named("built"), version="1", build=BuildContext(path="https://github.com/Azure/azureml-examples.git#main:cli")))
    assert remote.build.path.startswith("https://github.com/") and remote.build.dockerfile_path == "Dockerfile", vars(remote.build)
    refused(400, "Docker context", client.jobs.create_or_update, command(command="true", environment=f"azureml:{named('built')}:1", compute="serverless"))
    local = Environment(name=named("local"), version="1", build=BuildContext(path=str(root / "ctx")))
    if VERSION.startswith("1.4."):
        refused(400, "was not uploaded", client.environments.create_or_update, local)
        compatibility.not_callable("environments.create_or_update (local build context)")
    else:
        assert "/LocalUpload/" in client.environments.create_or_update(local).build.path
        compatibility.stored_only("environments.create_or_update (local build context)")
    compatibility.stored_only("environments.create_or_update (remote build context)")


def components() -> None:
    (root / "component.yml").write_text(f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: train_{MARK}
version: 1
display_name: Train
description: trains
type: command
is_deterministic: false
tags: {{team: blue}}
inputs:
  table: {{type: uri_file, description: rows}}
  rate: {{type: number, default: 0.1, min: 0, max: 1}}
  mode: {{type: string, enum: [fast, slow], default: fast}}
  extra: {{type: uri_folder, optional: true}}
outputs:
  model: {{type: mlflow_model}}
environment:
  image: ubuntu:22.04
resources: {{instance_count: 1}}
command: >-
  echo ${{{{inputs.rate}}}} ${{{{inputs.mode}}}} $[[--extra ${{{{inputs.extra}}}}]] > ${{{{outputs.model}}}}/x
""")
    name = f"train_{MARK}"
    made = client.components.create_or_update(load_component(str(root / "component.yml")))
    assert (made.version, made.display_name, made.tags, made.is_deterministic) == ("1", "Train", {"team": "blue"}, False), made
    assert client.components.create_or_update(load_component(str(root / "component.yml"))).version == "1"
    second = load_component(str(root / "component.yml"))
    second.version, second.display_name = "2", "Second"
    client.components.create_or_update(second)
    assert client.components.get(name).version == "2"
    assert client.components.get(name, label="latest").version == "2"
    found = client.components.get(name, version="1")
    assert found.inputs["mode"]["enum"] == ["fast", "slow"] and found.outputs["model"]["type"] == "mlflow_model", found
    assert name in {c.name for c in client.components.list()}
    assert {c.version for c in client.components.list(name=name)} == {"1", "2"}
    client.components.archive(name, version="1")
    assert {c.version for c in client.components.list(name=name)} == {"2"}
    client.components.restore(name, version="1")
    client.components.archive(name)
    assert name not in {c.name for c in client.components.list()}
    client.components.restore(name)
    try:
        client.components.get(name, version="9")
        raise AssertionError("a version that does not exist was found")
    except ResourceNotFoundError:
        pass
    compatibility.behaves(
        "components.create_or_update (command)", "components.get", "components.get (default version)", "components.get (latest)", "components.list",
        "components.archive", "components.restore")


for step in (data, versions, models, environments, build_contexts, components, tables):
    step()
    print("\nok", step.__name__, flush=True)
