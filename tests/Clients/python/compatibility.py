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


def _record(verdict, operations):
    target = os.environ.get("ZAFFRE_COMPATIBILITY")
    if not target:
        return
    from azure.ai.ml._version import VERSION

    with open(target, "a", encoding="utf-8") as rows:
        for operation in operations:
            rows.write(f"azure-ai-ml {VERSION}\t{operation}\t{verdict}\n")
