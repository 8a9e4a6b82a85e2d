"""AzureCliCredential: the SDK signs in as whoever is signed in to the Azure CLI."""

import os
import subprocess
import tempfile

os.environ["AZURE_CONFIG_DIR"] = tempfile.mkdtemp(prefix="zaffre-az-")
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"

from azure.ai.ml import MLClient  # noqa: E402
from azure.ai.ml._version import VERSION  # noqa: E402
from azure.core.exceptions import ClientAuthenticationError  # noqa: E402
from azure.identity import AzureCliCredential, CredentialUnavailableError  # noqa: E402

import compatibility  # noqa: E402

subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
# The default of 10 s is short for a busy machine; 1.4.0's identity has no such option.
held = AzureCliCredential() if VERSION.startswith("1.4.") else AzureCliCredential(process_timeout=60)


def az(*arguments):
    subprocess.run(["az", *arguments, "-o", "none"], check=True, capture_output=True)


def sign_in() -> None:
    if "ARM_CLOUD_METADATA_URL" in os.environ:
        az("cloud", "set", "-n", "AzureLocal")
    try:
        held.get_token("https://management.azure.com/.default")
        raise AssertionError("nobody is signed in")
    except CredentialUnavailableError as error:
        assert "az login" in str(error), error
    az("login", "--service-principal", "-u", os.environ["AZURE_CLIENT_ID"], "-p", os.environ["AZURE_CLIENT_SECRET"], "--tenant", os.environ["AZURE_TENANT_ID"])


def credential() -> None:
    client = MLClient(held, subscription, os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
    assert client.workspaces.get().name == "main"
    assert held.get_token("https://storage.azure.com/.default").token.count(".") == 2
    try:
        held.get_token("https://vault.example/.default")
        raise AssertionError("a token for nothing of ours")
    except ClientAuthenticationError as error:
        # Older ones say "Please run 'az login'" for every refusal of the authority.
        assert "az login" in str(error) or "AADSTS500011" in str(error), error
    compatibility.behaves("AzureCliCredential")


def sign_out() -> None:
    az("account", "clear")


for step in (sign_in, credential, sign_out):
    step()
    print("ok", step.__name__, flush=True)
