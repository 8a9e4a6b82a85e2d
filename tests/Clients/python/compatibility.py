"""What a script found out about calls of the official SDK; `./zaffre test` writes docs/compatibility.md from it.

Record only after the assertions:

    import compatibility
    compatibility.behaves("jobs.create_or_update", "jobs.get")
    compatibility.behaves("ContainerClient.list_blobs", package="azure-storage-blob")
"""

import importlib
import os


def behaves(*operations: str, package: "str | None" = None) -> None:
    """The client did it, and the test checked what came of it."""
    _record(package, "behaves", operations)


def stored_only(*operations: str, package: "str | None" = None) -> None:
    """The document is kept and returned; nothing acts on it."""
    _record(package, "stored-only", operations)


def refused(*operations: str, package: "str | None" = None) -> None:
    """Answered with a 4xx that names what is not supported."""
    _record(package, "refused", operations)


def not_callable(*operations: str, package: "str | None" = None) -> None:
    """This version of the client cannot make the call."""
    _record(package, "not callable", operations)


# From here on a version is called "or newer": Debian's unstable suite moves on, and the table names what is promised.
NEWEST = {"azure-ai-ml": (1, 34), "azure-identity": (1, 26), "azure-storage-blob": (12, 31)}


def column(package: str) -> str:
    """A package with its version."""
    version = importlib.import_module(package.replace("-", ".") + "._version").VERSION
    newest = NEWEST[package]
    return package + (" %s.%s+" % newest if tuple(int(part) for part in version.split(".")[:2]) >= newest else f" {version}")


def newest() -> bool:
    """Whether the SDK is the newest of the two generations."""
    return column("azure-ai-ml").endswith("+")


def client() -> str:
    """The column of the table: a version, and the way it is connected where there are two. Scripts of another client replace it."""
    return column("azure-ai-ml") + (", direct" if "ARM_CLOUD_METADATA_URL" in os.environ else "")


def _record(package, verdict, operations):
    target = os.environ.get("ZAFFRE_COMPATIBILITY")
    if not target:
        return
    with open(target, "a", encoding="utf-8") as rows:
        for operation in operations:
            rows.write(f"{column(package) if package else client()}\t{operation}\t{verdict}\n")
