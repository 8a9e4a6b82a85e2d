"""Datastores through the unmodified SDK: every kind and credential, lists, the default, secrets, and what is refused."""

import os
import time

from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    AccountKeyConfiguration, AzureBlobDatastore, AzureDataLakeGen1Datastore, AzureDataLakeGen2Datastore, AzureFileDatastore, Data,
    SasTokenConfiguration, ServicePrincipalConfiguration)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
MARK = format(time.time_ns() % 10**9, "x")
own = client.datastores.get("workspaceblobstore", include_secrets=True)


def name(kind: str) -> str:
    return f"{kind}_{MARK}"


def blobs() -> None:
    key = own.credentials.account_key
    made = client.datastores.create_or_update(AzureBlobDatastore(
        name=name("key"), account_name=own.account_name, container_name="extra", description="d", tags={"a": "b"}, credentials=AccountKeyConfiguration(account_key=key)))
    assert (made.container_name, made.description, made.tags) == ("extra", "d", {"a": "b"}), made
    assert client.datastores.get(name("key"), include_secrets=True).credentials.account_key == key
    identity = client.datastores.create_or_update(AzureBlobDatastore(name=name("identity"), account_name=own.account_name, container_name="extra"))
    assert identity.container_name == "extra"
    sas = AzureBlobDatastore(name=name("sas"), account_name="elsewhere", container_name="c", credentials=SasTokenConfiguration(sas_token="?sv=1&sig=x"))
    client.datastores.create_or_update(sas)
    assert client.datastores.get(name("sas"), include_secrets=True).credentials.sas_token == "?sv=1&sig=x"
    try:
        client.datastores.create_or_update(AzureBlobDatastore(
            name=name("wrong"), account_name=own.account_name, container_name="c", credentials=AccountKeyConfiguration(account_key="d3Jvbmc=")))
        raise AssertionError("a wrong key was accepted")
    except HttpResponseError as error:
        assert error.status_code == 400 and "key" in str(error), error
    # An upload through a datastore without credentials goes with the caller's own token.
    file = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"zaffre-datastores-{MARK}.txt")
    with open(file, "w", encoding="utf-8") as written:
        written.write(MARK)
    data = client.data.create_or_update(Data(name=f"through-{MARK}", version="1", path=file, type="uri_file", datastore=name("identity")))
    assert f"/datastores/{name('identity')}/" in data.path, data.path
    os.remove(file)
    compatibility.behaves("datastores.create_or_update (blob, account key)", "datastores.create_or_update (blob, identity)", "datastores.get (include_secrets)")
    compatibility.stored_only("datastores.create_or_update (blob, SAS of another account)")


def others() -> None:
    principal = ServicePrincipalConfiguration(tenant_id="t", client_id="c", client_secret="s3cret", authority_url="https://login.microsoftonline.com", resource_url="https://x")
    for store in (
        AzureFileDatastore(name=name("file"), account_name="far", file_share_name="share", credentials=AccountKeyConfiguration(account_key="a2V5")),
        AzureDataLakeGen2Datastore(name=name("gen2"), account_name="far", filesystem="fs", credentials=principal),
        AzureDataLakeGen1Datastore(name=name("gen1"), store_name="lake", credentials=principal),
    ):
        assert client.datastores.create_or_update(store).name == store.name
        found = client.datastores.get(store.name, include_secrets=True)
        assert type(found) is type(store), found
    assert client.datastores.get(name("gen2"), include_secrets=True).credentials.client_secret == "s3cret"
    try:
        client.data.create_or_update(Data(name="far", version="1", path=f"azureml://datastores/{name('gen2')}/paths/x", type="uri_file"))
        raise AssertionError("data in a store without an engine was accepted")
    except HttpResponseError as error:
        assert "OperationNotSupported" in str(error), error
    compatibility.stored_only(
        "datastores.create_or_update (File)", "datastores.create_or_update (Data Lake Gen2)", "datastores.create_or_update (Data Lake Gen1)")


def listing() -> None:
    names = [d.name for d in client.datastores.list()]
    assert {"workspaceblobstore", "workspaceartifactstore", name("key"), name("gen1")} <= set(names), names
    assert names.index(name("gen1")) < names.index(name("key")), "newest first"
    assert client.datastores.get_default().name == "workspaceblobstore"
    compatibility.behaves("datastores.list", "datastores.get_default")


def delete() -> None:
    for kind in ("key", "identity", "sas", "file", "gen2", "gen1"):
        client.datastores.delete(name(kind))
        try:
            client.datastores.get(name(kind))
            raise AssertionError("a deleted datastore was found")
        except ResourceNotFoundError:
            pass
    try:
        client.datastores.delete("workspaceblobstore")
        raise AssertionError("a datastore of the workspace was deleted")
    except HttpResponseError as error:
        assert error.status_code == 409, error
    compatibility.behaves("datastores.delete")


for step in (blobs, others, listing, delete):
    step()
    print("\nok", step.__name__, flush=True)
