"""A machine whose clock is hours off: what tokens and keys do then. Run under `faketime`."""

import datetime
import os
import time

from azure.ai.ml import MLClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobClient, BlobSasPermissions, ContainerClient, generate_blob_sas

ml = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
# Tokens are the server's: its clock alone counts.
datastore = ml.datastores.get("workspaceblobstore", include_secrets=True)
assert "main" in [found.name for found in ml.workspaces.list()]
print("ok tokens")


def refused(work, *words):
    began = time.monotonic()
    try:
        work()
    except HttpResponseError as error:
        assert error.status_code == 403 and error.error_code == "AuthenticationFailed" and all(word in str(error) for word in words), error
        assert time.monotonic() - began < 10, time.monotonic() - began
        return
    raise AssertionError(f"{words} was expected")


url = f"https://{datastore.account_name}.blob.core.windows.net"
keyed = ContainerClient(url, datastore.container_name, credential=datastore.credentials.account_key)
refused(lambda: list(keyed.list_blobs()), "15 minutes")
refused(lambda: keyed.upload_blob("clock", b"x"), "15 minutes")
print("ok keys")

# A signature that this clock calls valid and the server's does not.
now = datetime.datetime.utcnow()
signature = generate_blob_sas(
    datastore.account_name, datastore.container_name, "clock", account_key=datastore.credentials.account_key, permission=BlobSasPermissions(read=True),
    start=now - datetime.timedelta(minutes=5), expiry=now + datetime.timedelta(minutes=30))
refused(lambda: BlobClient(url, datastore.container_name, "clock", credential=signature).download_blob(), "expired" if now.timestamp() < float(os.environ["TRUE_TIME"]) else "not valid before")
print("ok signatures")
