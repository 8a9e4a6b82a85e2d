"""The blob protocol through the unmodified azure-storage-blob, against the default datastore's account."""
import base64
import datetime
import hashlib
import os
import tempfile

from azure.ai.ml import MLClient
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient, BlobClient, ContentSettings, ContainerSasPermissions, generate_container_sas

datastore = MLClient(
    DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"],
).datastores.get("workspaceblobstore", include_secrets=True)
KEY, ACCOUNT, CONTAINER = datastore.credentials.account_key, datastore.account_name, datastore.container_name
URL = f"https://{ACCOUNT}.blob.{datastore.endpoint}"


def refused(kind, code, work):
    try:
        work()
    except kind as error:
        assert error.error_code == code, error
        return
    raise AssertionError(f"{code} was expected")


service = BlobServiceClient(URL, credential=KEY)
container = service.get_container_client(CONTAINER)


def small():
    blob = container.get_blob_client("sdk/small ü+%25.txt")
    blob.upload_blob(b"hello world", content_settings=ContentSettings(content_type="text/plain", content_md5=bytearray(hashlib.md5(b"hello world").digest())), metadata={"upload_status": "completed", "b": "2"}, overwrite=True)
    properties = blob.get_blob_properties()
    assert properties.size == 11 and properties.content_settings.content_type == "text/plain"
    assert properties.metadata == {"upload_status": "completed", "b": "2"}, properties.metadata
    assert blob.download_blob().readall() == b"hello world"
    assert blob.download_blob(offset=6, length=3, validate_content=True).readall() == b"wor"
    blob.set_blob_metadata({"c": "3"})
    assert blob.get_blob_properties().metadata == {"c": "3"}
    refused(ResourceExistsError, "BlobAlreadyExists", lambda: blob.upload_blob(b"other"))
    refused(ResourceModifiedError, "ConditionNotMet", lambda: blob.download_blob(etag="0x0", match_condition=MatchConditions.IfNotModified))
    refused(ResourceNotFoundError, "BlobNotFound", lambda: container.get_blob_client("sdk/none").get_blob_properties())
    refused(HttpResponseError, "InvalidRange", lambda: blob.download_blob(offset=100, length=1))
    empty = container.get_blob_client("sdk/empty")
    empty.upload_blob(b"", overwrite=True)
    assert empty.download_blob().readall() == b""


def large():
    """More than 64 MiB goes up in blocks, in parallel, and comes down in ranges."""
    piece = os.urandom(1024 * 1024)
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as file:
        for i in range(70):
            part = i.to_bytes(4, "big") + piece[4:]
            digest.update(part)
            file.write(part)
        file.write(b"end")
        digest.update(b"end")
        file.seek(0)
        blob = container.get_blob_client("sdk/large.bin")
        blob.upload_blob(file, max_concurrency=4, overwrite=True)
    assert len(blob.get_block_list("all")[0]) == 18
    down = hashlib.sha256()
    for chunk in blob.download_blob(max_concurrency=4).chunks():
        down.update(chunk)
    assert down.digest() == digest.digest()
    blob.delete_blob()


def blocks():
    blob = container.get_blob_client("sdk/blocks")
    blob.stage_block("a", b"one")
    blob.stage_block("b", b"two", validate_content=True)
    blob.commit_block_list([BlobBlock("b"), BlobBlock("a")])
    assert blob.download_blob().readall() == b"twoone"
    refused(HttpResponseError, "InvalidBlockList", lambda: blob.commit_block_list([BlobBlock("z")]))


def listing():
    names = [f"list/{folder}/{file}" for folder in ("a", "b") for file in ("1", "2", "3")] + ["list/top"]
    for name in names:
        container.upload_blob(name, name.encode(), overwrite=True, metadata={"n": "1"})
    assert [b.name for b in container.list_blobs(name_starts_with="list/")] == names
    assert [b.name for page in container.list_blobs(name_starts_with="list/", results_per_page=2).by_page() for b in page] == names
    assert [b.name for b in container.walk_blobs("list/", delimiter="/")] == ["list/a/", "list/b/", "list/top"]
    found = next(iter(container.list_blobs(name_starts_with="list/top", include=["metadata"])))
    assert found.size == 8 and found.metadata == {"n": "1"} and bytes(found.content_settings.content_md5) == hashlib.md5(b"list/top").digest()


def append_and_copy():
    log = container.get_blob_client("sdk/log")
    log.create_append_blob()
    log.append_block(b"one\n")
    log.append_block(b"two\n")
    assert log.download_blob().readall() == b"one\ntwo\n"
    copy = container.get_blob_client("sdk/copy")
    assert copy.start_copy_from_url(log.url)["copy_status"] == "success"
    assert copy.download_blob().readall() == b"one\ntwo\n"


def containers():
    fresh = service.create_container("sdk-fresh", metadata={"k": "v"})
    refused(ResourceExistsError, "ContainerAlreadyExists", lambda: service.create_container("sdk-fresh"))
    assert fresh.get_container_properties().metadata == {"k": "v"}
    assert fresh.exists() and "sdk-fresh" in [c.name for c in service.list_containers()]
    fresh.upload_blob("x", b"x")
    fresh.delete_container()
    assert not fresh.exists()
    assert service.get_account_information()["account_kind"] == "StorageV2"
    refused(HttpResponseError, "OperationNotSupported", lambda: container.get_blob_client("sdk/empty").acquire_lease())
    refused(HttpResponseError, "OperationNotSupported", lambda: container.get_blob_client("sdk/empty").create_snapshot())
    refused(HttpResponseError, "InvalidResourceName", lambda: service.create_container("NO"))


def signatures_and_tokens():
    until = datetime.datetime.utcnow() + datetime.timedelta(minutes=10)
    sas = generate_container_sas(ACCOUNT, CONTAINER, account_key=KEY, permission=ContainerSasPermissions(read=True, write=True, list=True), expiry=until)
    signed = ContainerClient.from_container_url(f"{URL}/{CONTAINER}?{sas}")
    signed.upload_blob("sdk/signed", b"s", overwrite=True)
    assert signed.download_blob("sdk/signed").readall() == b"s"
    refused(HttpResponseError, "AuthorizationPermissionMismatch", lambda: signed.delete_blob("sdk/signed"))
    bad = BlobClient(URL, CONTAINER, "sdk/signed", credential=base64.b64encode(b"x" * 64).decode())
    refused(HttpResponseError, "AuthenticationFailed", lambda: bad.download_blob())
    token = ContainerClient(URL, CONTAINER, credential=DefaultAzureCredential())
    token.upload_blob("sdk/token", b"t", overwrite=True)
    assert token.download_blob("sdk/token").readall() == b"t"
    token.delete_blob("sdk/token")


def delete():
    for blob in container.list_blobs(name_starts_with="sdk/"):
        container.delete_blob(blob.name)
    assert not list(container.list_blobs(name_starts_with="sdk/"))


for step in (small, large, blocks, listing, append_and_copy, containers, signatures_and_tokens, delete):
    step()
    print("ok", step.__name__)
