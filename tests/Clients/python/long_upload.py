"""A large upload in blocks that can be cut off and resumed: long_upload.py BLOB MIB. Stages what the server does not have yet, then commits."""

import base64
import os
import sys

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient

PIECE = 32
blob, mib = sys.argv[1], int(sys.argv[2])
ml = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
datastore = ml.datastores.get("workspaceblobstore", include_secrets=True)
client = BlobClient(f"https://{datastore.account_name}.blob.core.windows.net", datastore.container_name, blob, credential=datastore.credentials.account_key)
identifiers = [f"{index:08}" for index in range(mib // PIECE)]
try:
    there = {block.id for block in client.get_block_list("uncommitted")[1]}
except ResourceNotFoundError:
    there = set()
print("there", len(there), flush=True)
rest = b"\x5a" * (PIECE * 1024 * 1024 - 8)
for identifier in identifiers:
    if identifier not in there and base64.b64encode(identifier.encode()).decode() not in there:
        client.stage_block(identifier, identifier.encode() + rest)
        print("staged", identifier, flush=True)
client.commit_block_list([BlobBlock(identifier) for identifier in identifiers])
assert client.get_blob_properties().size == mib * 1024 * 1024
for index in (0, len(identifiers) // 2, len(identifiers) - 1):
    assert client.download_blob(offset=index * PIECE * 1024 * 1024, length=8).readall() == identifiers[index].encode()
client.delete_blob()
print("ok upload", flush=True)
