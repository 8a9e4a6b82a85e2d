"""What a script found out about calls of the official SDK; `./zaffre test` writes docs/compatibility.md from it.

Record only after the assertions:

    import compatibility
    compatibility.behaves("jobs.create_or_update", "jobs.get")
"""

import os


def behaves(*operations: str) -> None:
    """The client did it, and the test checked what came of it."""
    _record("behaves", operations)


def stored_only(*operations: str) -> None:
    """The document is kept and returned; nothing acts on it."""
    _record("stored-only", operations)


def refused(*operations: str) -> None:
    """Answered with a 4xx that names what is not supported."""
    _record("refused", operations)


def not_callable(*operations: str) -> None:
    """This version of the client cannot make the call."""
    _record("not callable", operations)


def client() -> str:
    """The column of the table: a version, and the way it is connected where there are two. Scripts of another client replace it."""
    from azure.ai.ml._version import VERSION

    # Debian's unstable suite moves on, and the table names what is promised.
    newest = tuple(int(part) for part in VERSION.split(".")[:2]) >= (1, 34)
    direct = "ARM_CLOUD_METADATA_URL" in os.environ
    return "azure-ai-ml " + ("1.34+" if newest else VERSION) + (", direct" if direct else "")


def _record(verdict, operations):
    target = os.environ.get("ZAFFRE_COMPATIBILITY")
    if not target:
        return
    with open(target, "a", encoding="utf-8") as rows:
        for operation in operations:
            rows.write(f"{client()}\t{operation}\t{verdict}\n")
