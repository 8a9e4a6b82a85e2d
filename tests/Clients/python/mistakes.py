"""Mistakes that people make with azure-ai-ml: each ends in seconds, in the error that Azure's own answer would raise or a clearer one."""

import os
import tempfile
import time
import uuid

from azure.ai.ml import Input, MLClient, command
from azure.ai.ml.entities import Data, Environment, ManagedOnlineEndpoint, Model, Workspace
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

SUBSCRIPTION, GROUP, WORKSPACE = (os.environ[name] for name in ("AZURE_SUBSCRIPTION_ID", "ZAFFRE_RESOURCE_GROUP", "ZAFFRE_WORKSPACE"))
ENVIRONMENT = Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
RUN = uuid.uuid4().hex[:6]


def client(subscription=SUBSCRIPTION, group=GROUP, workspace=WORKSPACE):
    return MLClient(DefaultAzureCredential(), subscription, group, workspace)


def fails(work, *words, kind=HttpResponseError, within=15):
    began = time.monotonic()
    try:
        found = work()
    except kind as error:
        text = str(error)
        assert all(word in text for word in words), text
        assert "Zaffre." not in text and "   at " not in text, text
        status = getattr(error, "status_code", 400) or 400
        assert status < 500, status
        assert time.monotonic() - began < within, f"{time.monotonic() - began} s for {words}"
        return
    raise AssertionError(f"{words} was expected, not {found!r}")


def job(**changes):
    return command(**{"name": f"mistake-{RUN}", "command": "true", "environment": ENVIRONMENT, "compute": "serverless", **changes})


def wrong_places():
    fails(lambda: client(workspace="absent").workspaces.get("absent"), "absent", kind=ResourceNotFoundError)
    fails(lambda: client(workspace="absent").jobs.create_or_update(job()), "absent", kind=ResourceNotFoundError)
    fails(lambda: list(client(workspace="absent").jobs.list()), "absent", kind=ResourceNotFoundError)
    fails(lambda: client(group="absent").workspaces.get(WORKSPACE), "absent", kind=ResourceNotFoundError)
    other = str(uuid.uuid4())
    fails(lambda: client(subscription=other).workspaces.get(WORKSPACE), other)


def deleted_workspace():
    name = f"deleted-{RUN}"
    ml = client(workspace=name)
    ml.workspaces.begin_create(Workspace(name=name, location="local")).result()
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(b"x")
        file.flush()
        ml.data.create_or_update(Data(name="kept", version="1", path=file.name, type="uri_file"))
        ml.workspaces.begin_delete(name, delete_dependent_resources=False).result()
        # The same client, which remembers what it has looked up.
        fails(lambda: ml.data.get("kept", version="1"), name, kind=ResourceNotFoundError)
        fails(lambda: ml.jobs.create_or_update(job()), name, kind=ResourceNotFoundError)
        fails(lambda: ml.data.create_or_update(Data(name="more", version="1", path=file.name, type="uri_file")), name, kind=Exception)
        fails(lambda: list(ml.online_endpoints.list()), name, kind=ResourceNotFoundError)


def bad_names():
    ml = client()
    for name in ("has space", "slash/name", "ünïcødé", "x" * 300, "semi;colon", "-begins"):
        fails(lambda: ml.jobs.create_or_update(job(name=name)), kind=Exception)
        fails(lambda: ml.data.create_or_update(Data(name=name, version="1", path="azureml://datastores/workspaceblobstore/paths/x", type="uri_file")), kind=Exception)
        fails(lambda: ml.models.create_or_update(Model(name=name, version="1", path="azureml://datastores/workspaceblobstore/paths/x")), kind=Exception)
        fails(lambda: ml.environments.create_or_update(Environment(name=name, version="1", image="i")), kind=Exception)
        fails(lambda: ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result(), kind=Exception)
    for name in ("..", "a/../b", "%2e%2e"):
        fails(lambda: ml.jobs.get(name), kind=Exception)
        fails(lambda: ml.data.get(name, version="1"), kind=Exception)


def bad_references():
    ml = client()
    fails(lambda: ml.jobs.create_or_update(job(environment="azureml:absent@latest")), "absent", kind=Exception)
    fails(lambda: ml.jobs.create_or_update(job(command="echo ${{inputs.x}}")), kind=Exception)
    fails(lambda: ml.jobs.create_or_update(job(inputs={"x": Input(type="uri_file", path="azureml:absent:1")}, command="cat ${{inputs.x}}")), "absent", kind=Exception)
    fails(lambda: ml.jobs.create_or_update(job(inputs={"x": Input(type="uri_file", path="/no/such/file")}, command="cat ${{inputs.x}}")), "/no/such/file", kind=Exception)
    fails(lambda: ml.jobs.stream("absent"), "absent", kind=ResourceNotFoundError)
    fails(lambda: ml.jobs.begin_cancel("absent").result(), kind=ResourceNotFoundError)
    fails(lambda: ml.models.create_or_update(Model(name="m", version="1", path="azureml://jobs/absent/outputs/model/paths/x")), "absent", kind=Exception)


for step in (wrong_places, deleted_workspace, bad_names, bad_references):
    step()
    print("\nok", step.__name__)
