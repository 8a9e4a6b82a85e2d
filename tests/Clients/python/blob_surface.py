"""azure-storage-blob: the commonly used surface beyond what azure-ai-ml itself calls (blobs.py)."""

import datetime
import hashlib
import io
import os
import time
import uuid

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    AccountSasPermissions, BlobBlock, BlobClient, BlobSasPermissions, BlobServiceClient, BlobType, ContainerClient, ContentSettings,
    ResourceTypes, generate_account_sas, generate_blob_sas)

import compatibility

datastore = MLClient(
    DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"],
).datastores.get("workspaceblobstore", include_secrets=True)
KEY, ACCOUNT = datastore.credentials.account_key, datastore.account_name
URL = f"https://{ACCOUNT}.blob.core.windows.net"
service = BlobServiceClient(URL, credential=KEY, max_block_size=1024 * 1024, max_single_put_size=4 * 1024 * 1024, max_chunk_get_size=1024 * 1024, max_single_get_size=1024 * 1024)
container = service.create_container(f"py-{uuid.uuid4().hex[:8]}")


def behaves(*operations):
    compatibility.behaves(*operations, package="azure-storage-blob")


def refused(kind, code, work, *words):
    began = time.monotonic()
    try:
        work()
    except kind as error:
        assert getattr(error, "error_code", code) == code, error
        assert all(word in str(error) for word in words), error
        assert time.monotonic() - began < 10, f"{code} after {time.monotonic() - began} s"
        return
    raise AssertionError(f"{code} was expected")


def soon():
    return datetime.datetime.utcnow() + datetime.timedelta(minutes=10)


def uploads():
    payload = os.urandom(5 * 1024 * 1024 + 7)

    def pieces():
        for at in range(0, len(payload), 300_001):
            yield payload[at : at + 300_001]

    class Unseekable(io.RawIOBase):
        def __init__(self):
            self.inner = io.BytesIO(payload)

        def readable(self):
            return True

        def read(self, size=-1):
            return self.inner.read(size)

    for name, content in {"bytes": payload, "stream": io.BytesIO(payload), "unseekable": Unseekable(), "generator": pieces()}.items():
        blob = container.get_blob_client(f"uploads/{name}")
        blob.upload_blob(content, max_concurrency=4 if name != "unseekable" else 1)
        assert blob.download_blob(max_concurrency=4).readall() == payload, name
    text = container.upload_blob("uploads/text", "täxt", encoding="utf-8")
    assert text.download_blob(encoding="utf-8").readall() == "täxt"
    short = container.upload_blob("uploads/length", io.BytesIO(payload), length=1000)
    assert short.get_blob_properties().size == 1000
    checked = container.upload_blob("uploads/checked", payload, validate_content=True)
    assert checked.download_blob(validate_content=True, max_concurrency=2).readall() == payload
    log = container.upload_blob("uploads/log", b"one\n", blob_type=BlobType.AppendBlob)
    log.upload_blob(b"two\n", blob_type=BlobType.AppendBlob)
    assert log.download_blob().readall() == b"one\ntwo\n"
    behaves("BlobClient.upload_blob", "ContainerClient.upload_blob", "BlobClient.upload_blob (stream)", "BlobClient.upload_blob (AppendBlob)", "BlobClient.upload_blob (validate_content)")


def in_blocks_of_64_mib():
    """More than 64 MiB with the client's own sizes: 4 MiB blocks, four at a time."""
    blob = BlobClient(URL, container.container_name, "huge", credential=KEY)
    piece = os.urandom(1024 * 1024)
    digest = hashlib.sha256()

    class Source(io.RawIOBase):
        left = 66

        def readable(self):
            return True

        def read(self, size=-1):
            if self.left == 0:
                return b""
            assert size >= len(piece), size
            taken = min(size // len(piece), self.left)
            self.left -= taken
            digest.update(piece * taken)
            return piece * taken

    blob.upload_blob(Source(), length=66 * 1024 * 1024, max_concurrency=4)
    assert len(blob.get_block_list("committed")[0]) == 17
    down = hashlib.sha256()
    for chunk in blob.download_blob(max_concurrency=4).chunks():
        down.update(chunk)
    assert down.digest() == digest.digest()
    blob.delete_blob()
    behaves("BlobClient.get_block_list", "BlobClient.download_blob (chunks)")


def downloads():
    blob = container.upload_blob("downloads", bytes(range(256)) * 10)
    assert blob.download_blob(offset=255, length=3).readall() == b"\xff\x00\x01"
    assert blob.download_blob(offset=2550).readall() == bytes(range(246, 256))
    target = io.BytesIO()
    assert blob.download_blob().readinto(target) == 2560 and target.getvalue() == bytes(range(256)) * 10
    stream = blob.download_blob(offset=0, length=4, validate_content=True)
    assert stream.size == 4 and stream.readall() == b"\x00\x01\x02\x03"
    behaves("BlobClient.download_blob", "BlobClient.download_blob (validate_content)")


def properties_and_conditions():
    settings = ContentSettings(content_type="text/csv", content_encoding="identity", content_language="de", content_disposition="attachment", cache_control="no-store")
    blob = container.upload_blob("properties", b"one", content_settings=settings, metadata={"Key": "value"})
    found = blob.get_blob_properties()
    for name in ("content_type", "content_encoding", "content_language", "content_disposition", "cache_control"):
        assert getattr(found.content_settings, name) == getattr(settings, name), name
    assert found.blob_type == BlobType.BlockBlob and found.lease.state == "available" and found.creation_time <= found.last_modified + datetime.timedelta(seconds=1)
    blob.set_http_headers(ContentSettings(content_type="text/plain"))
    assert blob.get_blob_properties().content_settings.cache_control is None
    tag = blob.set_blob_metadata({"a": "1", "b": "2"})["etag"]
    assert blob.get_blob_properties().metadata == {"a": "1", "b": "2"}
    blob.upload_blob(b"two", overwrite=True, etag=tag, match_condition=MatchConditions.IfNotModified)
    refused(ResourceModifiedError, "ConditionNotMet", lambda: blob.upload_blob(b"three", overwrite=True, etag=tag, match_condition=MatchConditions.IfNotModified))
    refused(HttpResponseError, "ConditionNotMet", lambda: blob.delete_blob(if_unmodified_since=datetime.datetime(2020, 1, 1)))
    refused(ResourceExistsError, "BlobAlreadyExists", lambda: container.upload_blob("properties", b"x"))
    assert blob.exists() and not container.get_blob_client("none").exists()
    behaves("BlobClient.get_blob_properties", "BlobClient.set_http_headers", "BlobClient.set_blob_metadata", "BlobClient.exists", "conditional requests")


def listing():
    names = sorted([f"list/{letter}/{number}" for letter in "ab" for number in range(5)] + ["list/top"])
    for name in names:
        container.upload_blob(name, b"x", metadata={"m": "1"})
    assert list(container.list_blob_names(name_starts_with="list/")) == names if hasattr(container, "list_blob_names") else True
    pages = container.list_blobs(name_starts_with="list/", results_per_page=4).by_page()
    first = [blob.name for blob in next(pages)]
    rest = container.list_blobs(name_starts_with="list/", results_per_page=4).by_page(continuation_token=pages.continuation_token)
    assert first + [blob.name for page in rest for blob in page] == names
    tree = list(container.walk_blobs("list/", results_per_page=1))
    assert [item.name for item in tree] == ["list/a/", "list/b/", "list/top"]
    assert [item.name for item in tree[0]] == names[:5]
    found = next(iter(container.list_blobs(name_starts_with="list/top", include=["metadata", "copy", "snapshots", "tags", "uncommittedblobs"])))
    assert found.metadata == {"m": "1"} and found.size == 1 and found.blob_type == BlobType.BlockBlob
    named = [each for each in service.list_containers(name_starts_with="py-", include_metadata=True, results_per_page=1) if each.name == container.container_name]
    assert len(named) == 1
    behaves("ContainerClient.list_blobs", "ContainerClient.walk_blobs", "BlobServiceClient.list_containers")


def copies():
    source = container.upload_blob("copy/source ü", b"copy me", metadata={"from": "here"})
    target = container.get_blob_client("copy/target")
    started = target.start_copy_from_url(source.url)
    copy = target.get_blob_properties().copy
    # As everybody waits for a copy: until the properties say so.
    assert (copy.status, copy.id, copy.progress) == ("success", started["copy_id"], "7/7"), copy
    assert target.get_blob_properties().metadata == {"from": "here"}
    refused(ResourceExistsError, "NoPendingCopyOperation", lambda: target.abort_copy(started["copy_id"]))
    signed = f"{source.url}?{generate_blob_sas(ACCOUNT, container.container_name, 'copy/source ü', account_key=KEY, permission=BlobSasPermissions(read=True), expiry=soon())}"
    assert container.get_blob_client("copy/sync").start_copy_from_url(signed, requires_sync=True)["copy_status"] == "success"
    put = container.get_blob_client("copy/put")
    put.upload_blob_from_url(signed, content_settings=ContentSettings(content_type="text/x-put"))
    assert put.download_blob().readall() == b"copy me" and put.get_blob_properties().content_settings.content_type == "text/x-put"
    part = container.get_blob_client("copy/part")
    part.stage_block_from_url("one", signed, source_offset=5, source_length=2)
    part.commit_block_list([BlobBlock("one")])
    assert part.download_blob().readall() == b"me"
    log = container.get_blob_client("copy/log")
    log.create_append_blob()
    log.append_block_from_url(signed, source_offset=0, source_length=4)
    assert log.download_blob().readall() == b"copy"
    refused(HttpResponseError, "SourceConditionNotMet", lambda: target.start_copy_from_url(source.url, source_etag="0x0", source_match_condition=MatchConditions.IfNotModified))
    refused(HttpResponseError, "OperationNotSupported", lambda: target.start_copy_from_url("https://example.com/file"), "example.com")
    refused(ResourceNotFoundError, "BlobNotFound", lambda: target.start_copy_from_url(f"{container.url}/none"))
    behaves("BlobClient.start_copy_from_url", "BlobClient.upload_blob_from_url", "BlobClient.stage_block_from_url", "BlobClient.append_block_from_url")


def signatures_and_addresses():
    blob = container.upload_blob("signed", b"s")
    url = f"{blob.url}?{generate_blob_sas(ACCOUNT, container.container_name, 'signed', account_key=KEY, permission=BlobSasPermissions(read=True), expiry=soon(), content_type='text/x-mine')}"
    reader = BlobClient.from_blob_url(url)
    assert reader.download_blob().readall() == b"s" and reader.get_blob_properties().content_settings.content_type == "text/x-mine"
    refused(HttpResponseError, "AuthorizationPermissionMismatch", lambda: reader.delete_blob())
    account = generate_account_sas(ACCOUNT, account_key=KEY, resource_types=ResourceTypes(service=True, container=True, object=True), permission=AccountSasPermissions(read=True, list=True, write=True, create=True), expiry=soon())
    signed = BlobServiceClient(URL, credential=account)
    assert container.container_name in [each.name for each in signed.list_containers()]
    signed.get_blob_client(container.container_name, "by-account").upload_blob(b"a")
    connected = BlobServiceClient.from_connection_string(f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={KEY};EndpointSuffix=core.windows.net")
    assert connected.get_container_client(container.container_name).exists()
    # Path style: no name to resolve and no proxy needed.
    endpoint = f"{os.environ['MLFLOW_TRACKING_URI']}/blobz/{ACCOUNT}"
    by_path = BlobServiceClient(endpoint, credential={"account_name": ACCOUNT, "account_key": KEY})
    try:
        there = by_path.get_blob_client(container.container_name, "path/style")
        there.upload_blob(b"p")
        assert container.download_blob("path/style").readall() == b"p"
        behaves("path-style address")
    except HttpResponseError as error:
        assert False, error
    by_token = BlobServiceClient(URL, credential=DefaultAzureCredential())
    assert by_token.get_blob_client(container.container_name, "signed").download_blob().readall() == b"s"
    behaves("service SAS", "account SAS", "BlobClient.from_blob_url", "connection string", "bearer token")


def unusual_names():
    names = ["a b", "per%cent", "plus+&=", "hash#", "question?", "ünïcødé", "emoji 😀", "quote'\"", "semi;colon,comma", "tilde~", "tail.", "deep/" * 20 + "end", "x" * 1024, "dot.dot..dot", "new\u2028line", "[br](ac){ket}"]
    for name in names:
        blob = container.get_blob_client("odd/" + name if len(name) < 1000 else name)
        blob.upload_blob(name.encode())
        assert blob.download_blob().readall() == name.encode(), name
    found = [blob.name for blob in container.list_blobs(name_starts_with="odd/")]
    assert sorted(found) == sorted("odd/" + name for name in names if len(name) < 1000), found
    refused(HttpResponseError, "InvalidResourceName", lambda: container.upload_blob("y" * 1025, b"x"))
    behaves("unusual names")


def refusals():
    blob = container.get_blob_client("signed")
    for operation, work in {
        "BlobClient.acquire_lease": lambda: blob.acquire_lease(),
        "BlobClient.create_snapshot": lambda: blob.create_snapshot(),
        "BlobClient.set_blob_tags": lambda: blob.set_blob_tags({"a": "b"}),
        "BlobClient.get_blob_tags": lambda: blob.get_blob_tags(),
        "BlobClient.upload_blob (tags)": lambda: container.upload_blob("t", b"x", tags={"a": "b"}),
        "BlobClient.set_standard_blob_tier": lambda: blob.set_standard_blob_tier("Cool"),
        "BlobClient.create_page_blob": lambda: container.get_blob_client("page").create_page_blob(512),
        "BlobClient.undelete_blob": lambda: blob.undelete_blob(),
        "ContainerClient.delete_blobs": lambda: list(container.delete_blobs("signed", "none")),
        "ContainerClient.set_container_access_policy": lambda: container.set_container_access_policy({}),
        "ContainerClient.acquire_lease": lambda: container.acquire_lease(),
        "BlobServiceClient.get_user_delegation_key": lambda: BlobServiceClient(URL, credential=DefaultAzureCredential()).get_user_delegation_key(datetime.datetime.utcnow(), soon()),
        "BlobServiceClient.find_blobs_by_tags": lambda: list(service.find_blobs_by_tags("a='b'")),
    }.items():
        refused(HttpResponseError, "OperationNotSupported", work)
        compatibility.refused(operation, package="azure-storage-blob")


def mistakes():
    refused(HttpResponseError, "InvalidMetadata", lambda: container.upload_blob("m", b"x", metadata={"a-b": "c"}))
    refused(HttpResponseError, "InvalidResourceName", lambda: service.create_container("Upper_case"))
    refused(ResourceNotFoundError, "ContainerNotFound", lambda: service.get_container_client("py-none").upload_blob("x", b"x"))
    refused(ResourceNotFoundError, "ContainerNotFound", lambda: list(service.get_container_client("py-none").list_blobs()))
    refused(ResourceNotFoundError, "BlobNotFound", lambda: container.get_blob_client("none").delete_blob())
    refused(HttpResponseError, "AuthenticationFailed", lambda: BlobClient(URL, container.container_name, "signed", credential="bm8ga2V5" * 8).download_blob(), "signature")
    refused(HttpResponseError, "ResourceNotFound", lambda: BlobServiceClient("https://nosuchaccount.blob.core.windows.net", credential=KEY).get_account_information(), "nosuchaccount")
    # A header that HTTP cannot carry is the client's to refuse or ours to keep; either way the blob is served afterwards.
    try:
        container.upload_blob("odd-metadata", b"x", metadata={"a": "ünïcødé"})
        found = container.get_blob_client("odd-metadata").get_blob_properties()
        print("metadata came back as", ascii(found.metadata))
    except (HttpResponseError, UnicodeError, ValueError) as error:
        assert getattr(error, "status_code", 400) < 500, error
        print("metadata was refused:", ascii(str(error))[:200])


def delete():
    container.delete_container()
    assert not container.exists()
    behaves("ContainerClient.delete_container", "BlobServiceClient.create_container")


for step in (uploads, in_blocks_of_64_mib, downloads, properties_and_conditions, listing, copies, signatures_and_addresses, unusual_names, refusals, mistakes, delete):
    step()
    print("ok", step.__name__)
