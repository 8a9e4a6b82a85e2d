"""The Azure CLI as installed: clouds, sign-in, groups, resources, deployments, storage, mistakes. Usage: az.py proxy|cloud|register

Commands run through the CLI's own entry point in this process, which saves a second for each; failed sign-ins run as `az`, for what a user sees.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

WAY = sys.argv[1]
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-az-"))
os.environ.update(AZURE_CONFIG_DIR=str(root / "config"), AZURE_CORE_COLLECT_TELEMETRY="no", AZURE_CORE_NO_COLOR="1", AZURE_CORE_ONLY_SHOW_ERRORS="yes")
(root / "config").mkdir(mode=0o700)

from azure.cli.core import __version__, get_default_cli  # noqa: E402

import compatibility  # noqa: E402

compatibility.client = lambda: f"azure-cli {__version__} ({'proxy' if WAY == 'proxy' else 'cloud'})"
subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
group = f"/subscriptions/{subscription}/resourceGroups/zaffre"
workspaces = group + "/providers/Microsoft.MachineLearningServices/workspaces"
suffix = uuid.uuid4().hex[:6]


def az(*arguments):
    output = io.StringIO()
    cli = get_default_cli()
    code = cli.invoke(list(arguments), out_file=output)
    assert code == 0, (arguments, cli.result.error)
    text = output.getvalue()
    return json.loads(text) if text.strip() else None


def fails(*arguments, words):
    """Runs a command that must fail and say the words on standard error."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        os.dup2(said.fileno(), 2)
        try:
            code = get_default_cli().invoke(list(arguments), out_file=io.StringIO())
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
        said.seek(0)
        text = said.read().decode()
    assert code != 0 and all(word in text for word in words), (arguments, words, code, text)


def fails_alone(*arguments, words, environment=None, trace=False):
    """As fails, in a process of its own, as a user sees it; some of the CLI's failures come with a trace of its own."""
    began = time.monotonic()
    ended = subprocess.run(["az", *arguments], capture_output=True, text=True, env={**os.environ, **(environment or {})}, timeout=120)
    assert ended.returncode != 0, (arguments, ended.stdout)
    assert all(word in ended.stderr for word in words), (arguments, words, ended.stderr)
    assert trace or "Traceback" not in ended.stderr, ended.stderr
    assert time.monotonic() - began < 60


def login(client_id, secret, tenant):
    return ("login", "--service-principal", "-u", client_id, "-p", secret, "--tenant", tenant)


def cloud() -> None:
    if WAY == "cloud":
        # ARM_CLOUD_METADATA_URL names it.
        az("cloud", "set", "-n", "AzureLocal")
        compatibility.behaves("az cloud set")
    if WAY == "register":
        base = os.environ["ARM_CLOUD_METADATA_URL"].split("metadata")[0]
        del os.environ["ARM_CLOUD_METADATA_URL"]
        host = base.split("//")[1].strip("/")
        endpoints = dict.fromkeys(("resourceManager", "management", "activeDirectoryResourceId", "activeDirectoryGraphResourceId", "microsoftGraphResourceId", "gallery"), base)
        document = {"name": "mine", "endpoints": {**endpoints, "activeDirectory": base + "adfs"}, "suffixes": {"storageEndpoint": "core." + host, "keyvaultDns": ".vault.localhost"}}
        (root / "cloud.json").write_text(json.dumps(document))
        az("cloud", "register", "-n", "mine", "--cloud-config", f"@{root / 'cloud.json'}")
        az("cloud", "set", "-n", "mine")
        assert az("cloud", "show")["endpoints"]["activeDirectory"] == base + "adfs"
        compatibility.behaves("az cloud register", "az cloud set", "az cloud show")


def sign_in() -> None:
    client_id, secret, tenant = (os.environ[name] for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"))
    fails_alone(*login(client_id, "wrong", tenant), words=["AADSTS7000215"])
    fails_alone(*login(str(uuid.uuid4()), secret, tenant), words=["AADSTS700016"])
    if WAY == "proxy":
        fails_alone(*login(client_id, secret, str(uuid.uuid4())), words=["double check your tenant name"], trace=True)
    fails_alone(*login(client_id, secret, "nowhere.example"), words=["nowhere.example"])
    fails("group", "list", words=["az login"])
    found = az(*login(client_id, secret, tenant))
    assert [s["id"] for s in found] == [subscription] and found[0]["state"] == "Enabled", found
    compatibility.behaves("az login --service-principal")


def account() -> None:
    assert az("account", "show")["id"] == subscription
    assert [s["id"] for s in az("account", "list")] == [subscription]
    az("account", "set", "-s", subscription)
    fails("account", "set", "-s", str(uuid.uuid4()), words=["doesn't exist"])
    assert "local" in [place["name"] for place in az("account", "list-locations")]
    token = az("account", "get-access-token")
    assert token["subscription"] == subscription and token["accessToken"].count(".") == 2
    assert az("account", "get-access-token", "--resource", "https://storage.azure.com/")["accessToken"] != token["accessToken"]
    fails("account", "get-access-token", "--resource", "https://vault.example/", words=["AADSTS500011"])
    compatibility.behaves("az account show", "az account list", "az account set", "az account list-locations", "az account get-access-token")


def groups() -> None:
    name = "az-group-" + suffix
    assert az("group", "create", "-n", name, "-l", "local", "--tags", "a=b")["properties"]["provisioningState"] == "Succeeded"
    assert az("group", "exists", "-n", name) is True
    assert az("group", "show", "-n", name)["tags"] == {"a": "b"}
    assert {"zaffre", name} <= {g["name"] for g in az("group", "list")}
    assert [g["name"] for g in az("group", "list", "--tag", "a=b")] == [name]
    assert az("group", "update", "-n", name, "--set", "tags.c=d")["tags"] == {"a": "b", "c": "d"}
    az("group", "delete", "-n", name, "-y")
    assert az("group", "exists", "-n", name) is False
    fails("group", "show", "-n", name, words=["ResourceGroupNotFound", name])
    fails("group", "create", "-n", "bad name!", "-l", "local", words=["letters, digits"])
    compatibility.behaves("az group create", "az group exists", "az group show", "az group list", "az group update", "az group delete")


def rest() -> None:
    base = az("cloud", "show")["endpoints"]["resourceManager"].rstrip("/")
    path, version = f"{workspaces}/azrest{suffix}", "?api-version=2024-10-01"
    made = az("rest", "--method", "put", "--url", path + version, "--body", '{"location":"local","tags":{"a":"1"}}')
    assert made["tags"] == {"a": "1"} and made["properties"]["provisioningState"] == "Succeeded"
    assert az("rest", "--url", base + path + version)["id"] == made["id"]
    assert az("rest", "--method", "post", "--url", path + "/listKeys" + version)["userStorageKey"]
    az("rest", "--method", "delete", "--url", path + version)
    fails("rest", "--url", path + version, words=["ResourceNotFound"])
    fails("rest", "--method", "put", "--url", f"{workspaces}/x{version}", "--body", '{"location":"local"}', words=["3 to 33 letters"])
    fails("rest", "--method", "post", "--url", f"{workspaces}/main/prepareNotebook{version}", words=["OperationNotSupported", "prepareNotebook"])
    fails("rest", "--url", path.replace(subscription, str(uuid.uuid4())).split("/resourceGroups/")[0] + "/resourcegroups" + version, words=["not found"])
    compatibility.behaves("az rest")


def resources() -> None:
    kind, name = "Microsoft.MachineLearningServices/workspaces", "azres" + suffix
    of = ("-g", "zaffre", "-n", name, "--resource-type", kind)
    made = az("resource", "create", *of, "--location", "local", "--properties", '{"friendlyName":"by az"}')
    assert made["properties"]["friendlyName"] == "by az"
    assert az("resource", "show", *of)["id"] == made["id"]
    assert az("resource", "show", "--ids", made["id"], "--api-version", "2024-10-01")["id"] == made["id"]
    assert az("resource", "show", "--ids", made["id"] + "/datastores/workspaceblobstore")["name"] == "workspaceblobstore"
    assert az("resource", "tag", *of, "--tags", "mark=" + suffix)["tags"] == {"mark": suffix}
    assert az("resource", "update", *of, "--set", "properties.description=changed")["properties"]["description"] == "changed"
    assert {kind, "Microsoft.Storage/storageAccounts"} <= {r["type"] for r in az("resource", "list", "-g", "zaffre")}
    assert name in [r["name"] for r in az("resource", "list", "--resource-type", kind)]
    assert [r["name"] for r in az("resource", "list", "--tag", "mark=" + suffix)] == [name]
    assert [r["name"] for r in az("resource", "list", "-n", name)] == [name]
    az("resource", "delete", *of)
    fails("resource", "show", *of, words=["ResourceNotFound", name])
    fails("resource", "show", "-g", "zaffre", "-n", "x", "--resource-type", "Microsoft.Web/sites", words=["Microsoft.Web"])
    compatibility.behaves("az resource create", "az resource show", "az resource tag", "az resource update", "az resource list", "az resource delete")
    assert "Microsoft.MachineLearningServices" in [p["namespace"] for p in az("provider", "list")]
    assert az("provider", "show", "-n", "Microsoft.Storage")["registrationState"] == "Registered"
    az("provider", "register", "-n", "Microsoft.MachineLearningServices", "--wait")
    compatibility.behaves("az provider list", "az provider show", "az provider register")


def deployments() -> None:
    import azure.ai.ml

    templates = pathlib.Path(azure.ai.ml.__file__).parent / "_arm_deployments" / "arm_templates"
    name, place = "azdep" + suffix, ("-g", "zaffre", "-n", "az-" + suffix)
    parameters = json.loads((templates / "workspace_param.json").read_text())
    for parameter, value in {"workspaceName": name, "location": "local", "resourceGroupName": "zaffre", "identity": {"type": "SystemAssigned"}, "tagValues": {"a": "1"}}.items():
        parameters[parameter] = {"value": value}
    (root / "parameters.json").write_text(json.dumps({"parameters": parameters}))
    asked = ("--template-file", str(templates / "workspace_base.json"), "--parameters", f"@{root / 'parameters.json'}")
    assert az("deployment", "group", "validate", *place, *asked)["properties"]["provisioningState"] == "Succeeded"
    made = az("deployment", "group", "create", *place, *asked)
    assert made["properties"]["outputResources"][0]["id"].endswith("/" + name), made
    assert az("deployment", "group", "show", *place)["properties"]["provisioningState"] == "Succeeded"
    assert "az-" + suffix in [d["name"] for d in az("deployment", "group", "list", "-g", "zaffre")]
    operation = az("deployment", "operation", "group", "list", *place)[0]
    assert operation["properties"]["targetResource"]["resourceName"] == name
    az("deployment", "group", "delete", *place)
    az("resource", "delete", "--ids", f"{workspaces}/{name}")
    other = root / "other.json"
    other.write_text(json.dumps({"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": [{"type": "Microsoft.Web/sites", "apiVersion": "2022-03-01", "name": "s"}]}))
    fails("deployment", "group", "create", *place, "--template-file", str(other), words=["OperationNotSupported", "Microsoft.Web/sites"])
    compatibility.behaves("az deployment group validate", "az deployment group create", "az deployment group show", "az deployment group list", "az deployment operation group list", "az deployment group delete")
    compatibility.refused("az deployment group create (other templates)")


def storage() -> None:
    account = az("rest", "--url", f"{workspaces}/main?api-version=2024-10-01")["properties"]["storageAccount"].split("/")[-1]
    assert account in [a["name"] for a in az("storage", "account", "list")]
    assert account in [a["name"] for a in az("storage", "account", "list", "-g", "zaffre")]
    assert az("storage", "account", "show", "-n", account)["primaryEndpoints"]["blob"].startswith(f"https://{account}.blob.core.")
    assert az("storage", "account", "show", "-n", account, "-g", "zaffre")["name"] == account
    key = az("storage", "account", "keys", "list", "-n", account)[0]["value"]
    text = az("storage", "account", "show-connection-string", "-n", account)["connectionString"]
    assert key in text
    container = "az" + suffix
    at, named = ("--account-name", account), ("-c", container)
    assert az("storage", "container", "create", "-n", container, *at, "--auth-mode", "login")["created"]
    sas = az("storage", "container", "generate-sas", "-n", container, *at, "--account-key", key, "--permissions", "rwdlc", "--expiry", "2099-01-01")
    content = root / "content.bin"
    content.write_bytes(os.urandom(9 * 1024 * 1024))
    ways = {
        "login": (*at, "--auth-mode", "login"),
        "looked-up": (*at, "--auth-mode", "key"),
        "key": (*at, "--account-key", key),
        "sas": (*at, "--sas-token", sas),
        "connection": ("--connection-string", text),
    }
    for way, credential in ways.items():
        az("storage", "blob", "upload", *named, *credential, "-n", f"a/{way}.bin", "-f", str(content), "--no-progress")
        assert az("storage", "blob", "show", *named, *credential, "-n", f"a/{way}.bin")["properties"]["contentLength"] == content.stat().st_size
        assert f"a/{way}.bin" in [b["name"] for b in az("storage", "blob", "list", *named, *credential)]
        az("storage", "blob", "download", *named, *credential, "-n", f"a/{way}.bin", "-f", str(root / way), "--no-progress")
        assert (root / way).read_bytes() == content.read_bytes()
        assert az("storage", "blob", "exists", *named, *credential, "-n", "a/none")["exists"] is False
        az("storage", "blob", "delete", *named, *credential, "-n", f"a/{way}.bin")
    (root / "tree" / "below").mkdir(parents=True)
    (root / "tree" / "below" / "x.txt").write_text("x")
    (root / "tree" / "y.txt").write_text("y")
    assert len(az("storage", "blob", "upload-batch", *at, "--account-key", key, "-d", container, "-s", str(root / "tree"), "--no-progress")) == 2
    (root / "back").mkdir()
    assert az("storage", "blob", "download-batch", *at, "--account-key", key, "-s", container, "-d", str(root / "back"), "--no-progress") == ["below/x.txt", "y.txt"]
    assert (root / "back" / "below" / "x.txt").read_text() == "x"
    fails("storage", "blob", "upload", *named, *at, "--account-key", key, "-n", "y.txt", "-f", str(root / "tree" / "y.txt"), words=["already exists"])
    fails("storage", "blob", "list", "-c", "absent" + suffix, *at, "--account-key", key, words=["ContainerNotFound"])
    fails("storage", "blob", "list", *named, *at, "--account-key", "AAAA", words=["Authentication failure"])
    assert az("storage", "container", "exists", "-n", container, *at, "--auth-mode", "login")["exists"]
    assert container in [c["name"] for c in az("storage", "container", "list", *at, "--auth-mode", "login")]
    az("storage", "container", "delete", "-n", container, *at, "--auth-mode", "login")
    fails("storage", "account", "show", "-n", "nosuch" + suffix, "-g", "zaffre", words=["ResourceNotFound"])
    fails("storage", "account", "create", "-n", "nosuch" + suffix, "-g", "zaffre", "-l", "local", words=["OperationNotSupported"])
    compatibility.behaves(
        "az storage account list", "az storage account show", "az storage account keys list", "az storage account show-connection-string",
        "az storage container create", "az storage container list", "az storage container exists", "az storage container delete", "az storage container generate-sas",
        "az storage blob upload", "az storage blob show", "az storage blob list", "az storage blob download", "az storage blob exists", "az storage blob delete",
        "az storage blob upload-batch", "az storage blob download-batch")
    compatibility.refused("az storage account create")


def strangers() -> None:
    """A principal with a role elsewhere learns neither what exists here nor what does not."""
    made = az("rest", "--method", "post", "--url", "/zaffre/v1/principals", "--body", json.dumps({"name": "az-" + suffix}))
    own = az("group", "create", "-n", "az-stranger-" + suffix, "-l", "local")["id"]
    role = {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": made["objectId"], "principalType": "ServicePrincipal"}
    az("rest", "--method", "put", "--url", f"{own}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01", "--body", json.dumps({"properties": role}))
    config = {"AZURE_CONFIG_DIR": str(root / "stranger")}
    (root / "stranger").mkdir()
    for file in ("config", "clouds.config"):
        if (root / "config" / file).exists():
            (root / "stranger" / file).write_bytes((root / "config" / file).read_bytes())
    subprocess.run(["az", *login(made["clientId"], made["clientSecret"], os.environ["AZURE_TENANT_ID"])], check=True, capture_output=True, env={**os.environ, **config})
    for name in ("main", "absent"):
        fails_alone("rest", "--url", f"{workspaces}/{name}?api-version=2024-10-01", words=["AuthorizationFailed"], environment=config)
    az("rest", "--method", "delete", "--url", f"/zaffre/v1/principals/{made['clientId']}")
    az("group", "delete", "-n", "az-stranger-" + suffix, "-y")


def sign_out() -> None:
    az("logout")
    fails("account", "show", words=["az login"])
    az("account", "clear")
    compatibility.behaves("az logout", "az account clear")


ALL = (cloud, sign_in, account, groups, rest, resources, deployments, storage, strangers, sign_out)
for step in (cloud, sign_in, groups, sign_out) if WAY == "register" else ALL:
    step()
    print("ok", step.__name__, flush=True)
