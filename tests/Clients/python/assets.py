"""Data, models, environments and code through the unmodified SDK: upload, list, latest, download, archive, refuse."""

import filecmp
import os
import pathlib
import sys
import tempfile
import uuid

from azure.ai.ml import MLClient
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import AzureBlobDatastore, AccountKeyConfiguration, Data, Environment, Model
from azure.ai.ml.entities._assets import Code
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential

import compatibility

os.environ.setdefault("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED", "false")
client = MLClient(
    DefaultAzureCredential(),
    os.environ["AZURE_SUBSCRIPTION_ID"],
    os.environ["ZAFFRE_RESOURCE_GROUP"],
    os.environ["ZAFFRE_WORKSPACE"],
)
RUN = uuid.uuid4().hex[:6]
TABLE, FOLDER, REMOTE, TREES, SKLEARN, BUILT, TRAINING, EXTRA = (
    f"{name}-{RUN}" for name in ("table", "folder", "remote", "trees", "sklearn", "built", "training", "extra"))
root = pathlib.Path(tempfile.mkdtemp(prefix="zaffre-assets-"))


def write(path: str, content: bytes) -> pathlib.Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def workspaces() -> None:
    workspace = client.workspaces.get(os.environ["ZAFFRE_WORKSPACE"])
    assert workspace.name == "main" and workspace.location == "local", workspace
    assert "main" in [w.name for w in client.workspaces.list()]
    assert client.workspaces.get_keys("main").user_storage_key
    compatibility.behaves("workspaces.get", "workspaces.list", "workspaces.get_keys")


def datastores() -> None:
    names = [d.name for d in client.datastores.list()]
    assert {"workspaceblobstore", "workspaceartifactstore"} <= set(names), names
    default = client.datastores.get_default()
    assert default.name == "workspaceblobstore"
    full = client.datastores.get("workspaceblobstore", include_secrets=True)
    assert full.credentials.account_key
    mine = AzureBlobDatastore(
        name=EXTRA, account_name=full.account_name, container_name="extra",
        credentials=AccountKeyConfiguration(account_key=full.credentials.account_key))
    assert client.datastores.create_or_update(mine).container_name == "extra"
    client.datastores.delete(EXTRA)
    try:
        client.datastores.get(EXTRA)
        raise AssertionError("a deleted datastore was found")
    except ResourceNotFoundError:
        pass
    compatibility.behaves("datastores.list", "datastores.get", "datastores.get_default", "datastores.create_or_update", "datastores.delete")


def data() -> None:
    file = write("table.csv", b"a,b\n1,2\n")
    created = client.data.create_or_update(Data(name=TABLE, version="1", path=str(file), type=AssetTypes.URI_FILE, tags={"k": "v"}))
    assert created.path.endswith("/table.csv"), created.path
    assert created.version == "1" and created.tags == {"k": "v"}

    for name in ("a.txt", "sub/b.txt", "sub/deeper/c d.txt", "empty.txt"):
        write("folder/" + name, b"" if name.startswith("empty") else name.encode() * 1000)
    first = client.data.create_or_update(Data(name=FOLDER, path=str(root / "folder"), type=AssetTypes.URI_FOLDER))
    second = client.data.create_or_update(Data(name=FOLDER, path=str(root / "folder"), type=AssetTypes.URI_FOLDER))
    assert (first.version, second.version) == ("1", "2"), (first.version, second.version)
    assert first.path == second.path, "equal content is uploaded once"

    assert client.data.get(FOLDER, label="latest").version == "2"
    assert client.data.get(FOLDER, version="1").path == first.path
    assert {d.name for d in client.data.list()} >= {TABLE, FOLDER}
    assert [d.version for d in client.data.list(name=FOLDER)] and len(list(client.data.list(name=FOLDER))) == 2
    client.data.archive(FOLDER, version="2")
    assert [d.version for d in client.data.list(name=FOLDER)] == ["1"]
    client.data.restore(FOLDER, version="2")
    assert len(list(client.data.list(name=FOLDER))) == 2

    remote = client.data.create_or_update(Data(name=REMOTE, version="1", path="https://example.org/data.csv", type=AssetTypes.URI_FILE))
    assert remote.path == "https://example.org/data.csv"
    try:
        client.data.create_or_update(Data(name=REMOTE, version="1", path="https://example.org/other.csv", type=AssetTypes.URI_FILE))
        raise AssertionError("other content was accepted on an existing version")
    except HttpResponseError as refused:
        assert refused.status_code == 409, refused
    try:
        client.data.get(REMOTE, version="9")
        raise AssertionError("a version that does not exist was found")
    except ResourceNotFoundError:
        pass
    compatibility.behaves("data.create_or_update", "data.get", "data.list", "data.archive", "data.restore")


def models() -> None:
    folder = root / "folder"
    model = client.models.create_or_update(Model(name=TREES, path=str(folder), type=AssetTypes.CUSTOM_MODEL, description="d"))
    assert model.version == "1"
    again = client.models.create_or_update(Model(name=TREES, path=str(root / "table.csv"), type=AssetTypes.CUSTOM_MODEL))
    assert again.version == "2", again.version
    target = root / "downloaded"
    client.models.download(TREES, version="1", download_path=str(target))
    found = {str(p.relative_to(target / TREES / "folder")) for p in (target / TREES / "folder").rglob("*") if p.is_file()}
    assert found == {"a.txt", "sub/b.txt", "sub/deeper/c d.txt", "empty.txt"}, found
    for name in found:
        assert filecmp.cmp(folder / name, target / TREES / "folder" / name, shallow=False), name
    assert client.models.get(TREES, label="latest").version == "2"
    assert TREES in {m.name for m in client.models.list()}
    assert len(list(client.models.list(name=TREES))) == 2
    client.models.archive(TREES, version="1")
    assert [m.version for m in client.models.list(name=TREES)] == ["2"]
    compatibility.behaves("models.create_or_update", "models.get", "models.list", "models.download", "models.archive")


def environments() -> None:
    conda = write("conda.yml", b"name: e\ndependencies:\n- python=3.11\n- pip:\n  - scikit-learn\n")
    environment = Environment(name=SKLEARN, version="1", image="ubuntu:22.04", conda_file=str(conda))
    created = client.environments.create_or_update(environment)
    assert created.conda_file["dependencies"][0] == "python=3.11", created.conda_file
    assert client.environments.create_or_update(environment).version == "1"
    assert client.environments.get(SKLEARN, label="latest").version == "1"
    assert SKLEARN in {e.name for e in client.environments.list()}
    assert [e.version for e in client.environments.list(name=SKLEARN)] == ["1"]
    (root / "ctx").mkdir()
    write("ctx/Dockerfile", b"FROM ubuntu\n")
    from azure.ai.ml.entities import BuildContext
    context = Environment(name=BUILT, version="1", build=BuildContext(path=str(root / "ctx")))
    if compatibility.newest():
        # Uploaded and kept; what uses it is refused.
        assert client.environments.create_or_update(context).build.path.endswith("/ctx/")
        assert client.environments.get(BUILT, version="1").build.dockerfile_path == "Dockerfile"
        compatibility.stored_only("environments.create_or_update (build context)")
    else:
        try:
            client.environments.create_or_update(context)
            raise AssertionError("a Docker context that was not uploaded was accepted")
        except HttpResponseError as refused:
            assert "OperationNotSupported" in str(refused) and "build" in str(refused), refused
        compatibility.refused("environments.create_or_update (build context)")
    compatibility.behaves("environments.create_or_update", "environments.get", "environments.list")


def code() -> None:
    write("src/train.py", f"print('hello from {RUN}')\n".encode())
    created = client._code.create_or_update(Code(name=TRAINING, version="1", path=str(root / "src")))
    assert created.version == "1" and created.path.endswith("/src"), created.path
    assert client._code.get(TRAINING, "1").path == created.path
    again = client._code.create_or_update(Code(name=TRAINING, version="1", path=str(root / "src")))
    assert again.path == created.path, (again.path, created.path)
    write("src/more.py", b"print('more')\n")
    try:
        client._code.create_or_update(Code(name=TRAINING, version="1", path=str(root / "src")))
        raise AssertionError("other code was accepted on an existing version")
    except HttpResponseError as refused:
        assert refused.status_code == 409, refused


for step in (workspaces, datastores, data, models, environments, code):
    step()
    print("ok", step.__name__, flush=True)
sys.exit(0)
