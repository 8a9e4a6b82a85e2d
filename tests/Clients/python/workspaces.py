"""Workspaces, hubs and connections through the unmodified SDK: create by template, list, update, keys, diagnose, connect, delete, refuse."""

import os
import sys
import time

from azure.ai.ml import MLClient
from azure.ai.ml._version import VERSION
from azure.ai.ml.entities import PatTokenConfiguration, Workspace, WorkspaceConnection
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

OLD = VERSION.startswith("1.4.")
NAME = f"sdk-{VERSION.replace('.', '-')}-{sys.argv[1]}"
subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
credential = DefaultAzureCredential()
client = MLClient(credential, subscription, os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])


def fails(error, call, *words):
    try:
        call()
    except error as raised:
        assert all(word in str(raised) for word in words), (words, str(raised))
        return
    raise AssertionError(f"{call} did not fail")


def create() -> None:
    began = time.monotonic()
    made = client.workspaces.begin_create(Workspace(name=NAME, location="local", display_name="A display name", description="made by the SDK", tags={"team": "a"})).result()
    # The SDK sleeps 5 s when its poller is not done at its first look.
    assert time.monotonic() - began < 20
    assert (made.name, made.display_name, made.description, made.location) == (NAME, "A display name", "made by the SDK", "local"), made
    assert made.tags["team"] == "a" and made.tags["createdByToolkit"].startswith("sdk-v2-"), made.tags
    assert made.storage_account.split("/")[-2] == "storageAccounts" and made.mlflow_tracking_uri.startswith("azureml://"), made
    assert client.workspaces.get(NAME).id == made.id
    inside = MLClient(credential, subscription, os.environ["ZAFFRE_RESOURCE_GROUP"], NAME)
    assert inside.datastores.get_default().name == "workspaceblobstore"
    fails(HttpResponseError, lambda: client.workspaces.begin_create(Workspace(name="bad name", location="local")).result(), "A workspace name has 3 to 33 letters")
    compatibility.behaves("workspaces.begin_create", "workspaces.get")


def update() -> None:
    # Creating what exists updates it.
    again = client.workspaces.begin_create(Workspace(name=NAME, location="local", tags={"more": "b"})).result()
    assert again.tags["team"] == "a" and again.tags["more"] == "b", again.tags
    changed = client.workspaces.get(NAME)
    changed.description, changed.display_name, changed.tags = "changed", "Another name", {"only": "this"}
    changed = client.workspaces.begin_update(changed).result()
    assert (changed.description, changed.display_name, changed.tags) == ("changed", "Another name", {"only": "this"}), changed
    compatibility.behaves("workspaces.begin_update")


def lists() -> None:
    for scope in ("resource_group", "subscription"):
        assert {"main", NAME} <= {found.name for found in client.workspaces.list(scope=scope)}
    compatibility.behaves("workspaces.list")
    if OLD:
        compatibility.not_callable("workspaces.list (filtered_kinds)")
    else:
        assert NAME in [found.name for found in client.workspaces.list(filtered_kinds="default")]
        assert NAME not in [found.name for found in client.workspaces.list(filtered_kinds=["hub", "project"])]
        compatibility.behaves("workspaces.list (filtered_kinds)")


def keys() -> None:
    held = client.workspaces.get_keys(NAME)
    assert held.user_storage_key and held.user_storage_resource_id == client.workspaces.get(NAME).storage_account
    client.workspaces.begin_sync_keys(NAME).result()
    found = client.workspaces.begin_diagnose(NAME).result()
    assert found.storage_account_results == [], found
    compatibility.behaves("workspaces.get_keys", "workspaces.begin_sync_keys", "workspaces.begin_diagnose")
    if OLD:
        compatibility.not_callable("workspaces.begin_provision_network", "workspace_outbound_rules.list")
    else:
        fails(HttpResponseError, lambda: client.workspaces.begin_provision_network(workspace_name=NAME).result(), "OperationNotSupported")
        assert list(client.workspace_outbound_rules.list(NAME)) == []
        compatibility.refused("workspaces.begin_provision_network")
        compatibility.behaves("workspace_outbound_rules.list")


def connections() -> None:
    inside = MLClient(credential, subscription, os.environ["ZAFFRE_RESOURCE_GROUP"], NAME)
    own = inside.connections
    made = own.create_or_update(WorkspaceConnection(name="git-one", target="https://example.com/repo", type="git", credentials=PatTokenConfiguration(pat="a secret"), metadata={"k": "v"}))
    assert (made.name, made.target, made.type) == ("git-one", "https://example.com/repo", "git"), made
    assert own.get("git-one").credentials.pat is None
    assert "git-one" in [found.name for found in own.list()]
    if not OLD:
        from azure.ai.ml.entities import ApiKeyConfiguration, AzureOpenAIConnection

        keyed = AzureOpenAIConnection(name="openai-one", azure_endpoint="https://example.com", api_key="another secret", api_version="v", open_ai_resource_id=None)
        assert own.create_or_update(keyed).name == "openai-one"
        assert isinstance(own.get("openai-one").credentials, ApiKeyConfiguration)
        assert own.get("openai-one", populate_secrets=True).credentials.key == "another secret"
        assert {found.name for found in own.list()} == {"git-one", "openai-one"}
        compatibility.behaves("connections.get (populate_secrets)")
    else:
        compatibility.not_callable("connections.get (populate_secrets)")
    own.delete("git-one")
    own.delete("git-one")
    fails(ResourceNotFoundError, lambda: own.get("git-one"), "git-one")
    compatibility.behaves("connections.create_or_update", "connections.get", "connections.list", "connections.delete")


def hubs() -> None:
    if OLD:
        compatibility.not_callable("workspaces.begin_create (hub)", "workspaces.begin_create (project)")
        return
    from azure.ai.ml.entities import Hub, Project

    hub = client.workspaces.begin_create(Hub(name=NAME + "h", location="local")).result()
    assert isinstance(hub, Hub), hub
    project = client.workspaces.begin_create(Project(name=NAME + "p", location="local", hub_id=hub.id)).result()
    assert isinstance(project, Project) and project.hub_id == hub.id, project
    hub = client.workspaces.get(NAME + "h")
    assert isinstance(hub, Hub) and hub.associated_workspaces == [project.id], hub.associated_workspaces
    assert [found.name for found in client.workspaces.list(filtered_kinds="project")] == [NAME + "p"]
    fails(HttpResponseError, lambda: client.workspaces.begin_delete(hub.name, delete_dependent_resources=False).result(), "HubHasProjects")
    client.workspaces.begin_delete(project.name, delete_dependent_resources=True).result()
    client.workspaces.begin_delete(hub.name, delete_dependent_resources=False, permanently_delete=True).result()
    compatibility.behaves("workspaces.begin_create (hub)", "workspaces.begin_create (project)")


def feature_stores() -> None:
    if OLD:
        compatibility.not_callable("feature_stores.begin_create", "feature_stores.get", "feature_stores.list", "feature_stores.begin_delete")
        return
    from azure.ai.ml.entities import ComputeRuntime, FeatureStore

    made = client.feature_stores.begin_create(FeatureStore(name=NAME + "f", location="local", compute_runtime=ComputeRuntime(spark_runtime_version="3.4"))).result()
    assert made.compute_runtime.spark_runtime_version == "3.4", made
    assert client.feature_stores.get(NAME + "f").id == made.id
    assert [found.name for found in client.feature_stores.list()] == [NAME + "f"]
    client.feature_stores.begin_delete(NAME + "f").result()
    fails(ResourceNotFoundError, lambda: client.feature_stores.get(NAME + "f"), "ResourceNotFound")
    compatibility.stored_only("feature_stores.begin_create", "feature_stores.get", "feature_stores.list", "feature_stores.begin_delete")


def deleted() -> None:
    before = client.workspaces.get(NAME)
    client.workspaces.begin_delete(NAME, delete_dependent_resources=True).result()
    fails(ResourceNotFoundError, lambda: client.workspaces.get(NAME), before.id)
    inside = MLClient(credential, subscription, os.environ["ZAFFRE_RESOURCE_GROUP"], NAME)
    fails(ResourceNotFoundError, lambda: inside.datastores.get_default(), "ResourceNotFound")
    fails(ResourceNotFoundError, lambda: list(inside.jobs.list()), "ResourceNotFound")
    nowhere = MLClient(credential, "00000000-0000-0000-0000-000000000001", "zaffre", "main")
    fails(ResourceNotFoundError, lambda: nowhere.workspaces.get("main"), "not found")
    compatibility.behaves("workspaces.begin_delete")


for step in (create, update, lists, keys, connections, hubs, feature_stores, deleted):
    step()
    print("ok", step.__name__, flush=True)
