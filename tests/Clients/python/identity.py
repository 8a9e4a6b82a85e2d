"""azure-identity: every way to a token that needs no person, and the mistakes that people make. The mode is that of `zaffre exec`."""

import base64
import json
import os
import time
import uuid

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DefaultAzureCredential, EnvironmentCredential
from azure.identity._version import VERSION

import compatibility

TENANT, ID, SECRET = (os.environ[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"))
HOST = os.environ.get("AZURE_AUTHORITY_HOST")
MODE = "direct" if HOST else "proxy"
ARM = HOST or "https://management.azure.com"
# The keyword's name in azure-identity 1.13 and in what came after.
NO_DISCOVERY = {"instance_discovery": False} if VERSION.startswith("1.13.0b") else {"disable_instance_discovery": True}


def claims(token):
    payload = token.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def check(credential, scope=f"{ARM}/.default"):
    token = credential.get_token(scope)
    assert token.expires_on > time.time() + 60
    assert claims(token)["appid"] == ID and claims(token)["aud"].rstrip("/") == scope[: -len("/.default")].rstrip("/"), claims(token)
    return token


def refused(credential, *words, scope=f"{ARM}/.default"):
    began = time.monotonic()
    try:
        credential.get_token(scope)
    except (ClientAuthenticationError, ValueError) as error:
        assert all(word in str(error) for word in words), error
        assert "Zaffre." not in str(error) and "Traceback" not in str(error), error
        assert time.monotonic() - began < 10, time.monotonic() - began
        return
    raise AssertionError(f"a token was issued: {words}")


def client_secret():
    credential = ClientSecretCredential(TENANT, ID, SECRET)
    first = check(credential)
    assert check(credential).token == first.token, "the second token comes from the cache"
    assert check(credential, "https://storage.azure.com/.default").token != first.token
    check(credential, f"{ARM}//.default")
    compatibility.behaves(f"ClientSecretCredential ({MODE})", package="azure-identity")


def default_and_environment():
    check(EnvironmentCredential())
    check(DefaultAzureCredential())
    compatibility.behaves(f"EnvironmentCredential ({MODE})", f"DefaultAzureCredential ({MODE})", package="azure-identity")


def tenant_by_id():
    """The tenant's id in place of `adfs`; in direct mode the client has to be told not to ask Azure about the authority."""
    real = claims(check(EnvironmentCredential()))["tid"]
    check(ClientSecretCredential(real, ID, SECRET, **NO_DISCOVERY))
    check(DefaultAzureCredential(**NO_DISCOVERY))
    compatibility.behaves(f"ClientSecretCredential ({MODE}, no instance discovery)", package="azure-identity")


def mistakes():
    refused(ClientSecretCredential(TENANT, ID, "wrong"), "AADSTS7000215", "Invalid client secret")
    refused(ClientSecretCredential(TENANT, str(uuid.uuid4()), SECRET), "AADSTS700016", "was not found in the directory")
    refused(ClientSecretCredential(TENANT, ID, SECRET), "AADSTS500011", "graph.microsoft.com", scope="https://graph.microsoft.com/.default")
    refused(ClientSecretCredential(str(uuid.uuid4()), ID, SECRET, **NO_DISCOVERY), "tenant")


for step in (client_secret, default_and_environment, tenant_by_id, mistakes):
    step()
    print("ok", step.__name__)
