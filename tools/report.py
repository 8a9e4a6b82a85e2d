"""Reads what the test suites left: counts, times, skipped tests with their reasons, and the compatibility table."""

from __future__ import annotations

import itertools
import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}


@dataclass
class Suite:
    """One test project's outcome."""

    name: str
    seconds: int
    passed: int = 0
    failed: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def ran(self) -> int:
        return self.passed + self.failed


def read_suites(results: Path) -> list[Suite]:
    suites = []
    for line in (results / "times").read_text().splitlines():
        name, seconds = line.rsplit(" ", 1)
        suite = Suite(name, int(seconds))
        for trx in sorted((results / name).glob("*.trx")):
            read_trx(trx, suite)
        suites.append(suite)
    return suites


def read_trx(trx: Path, suite: Suite) -> None:
    root = xml.parse(trx).getroot()
    for result in root.iterfind(".//t:UnitTestResult", SPACE):
        outcome = result.get("outcome")
        if outcome == "Passed":
            suite.passed += 1
        elif outcome == "NotExecuted":
            why = result.findtext(".//t:Message", "", SPACE) or result.findtext(".//t:StdOut", "no reason given", SPACE)
            suite.skipped.append((result.get("testName", "?"), why.strip()))
        else:
            suite.failed += 1
    # A run that a crash or a hang cut short fails, whatever its finished tests say.
    summary = root.find("t:ResultSummary", SPACE)
    if summary is not None and summary.get("outcome") == "Failed" and suite.failed == 0:
        suite.failed += 1


def print_suites(results: Path, filtered: bool) -> int:
    suites = read_suites(results)
    print()
    for suite in suites:
        print(f"{suite.name:<14}{suite.seconds:>5} s  {suite.passed} passed, {suite.failed} failed, {len(suite.skipped)} skipped")
    for suite in suites:
        for test, why in suite.skipped:
            print(f"skipped: {test}: {why}")
    empty = [suite.name for suite in suites if suite.ran == 0]
    if filtered and len(empty) < len(suites):
        empty = []
    if empty:
        print("no test ran in: " + ", ".join(empty))
    return 1 if empty or any(suite.failed for suite in suites) else 0


def print_total(results: Path) -> int:
    suites = read_suites(results)
    print(
        f"{sum(s.passed for s in suites)} passed, {sum(s.failed for s in suites)} failed, "
        f"{sum(len(s.skipped) for s in suites)} skipped"
    )
    return 0


VERDICTS = {
    "behaves": "the official client did it, and a test checked what came of it",
    "stored-only": "the document is kept and returned; nothing acts on it",
    "refused": "answered with a 4xx that names what is not supported",
    "not callable": "this version of the client cannot make the call",
}


# The tables, in this order: what a client's name begins with, and the table's title. The first that fits counts.
FAMILIES = (
    ("azure-ai-ml", "Python SDK: azure-ai-ml"),
    ("azure-identity", "Signing in"),
    ("@azure/identity", "Signing in"),
    ("Azure.Identity", "Signing in"),
    ("azure-storage", "Blobs"),
    ("@azure/storage", "Blobs"),
    ("Azure.Storage", "Blobs"),
    ("azure-cli", "Azure CLI"),
    ("@azure/", "JavaScript SDK"),
    ("Azure.", "C# SDK"),
    ("mlflow", "MLflow"),
)


def family(client: str) -> str:
    return next((title for start, title in FAMILIES if client.startswith(start)), "Other clients")


def by_version(client: str) -> list[tuple[int, int, str]]:
    """1.4.0 before 1.34, and one name before another."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"(\d+)", client)]


def read_cells(rows_file: Path) -> dict[tuple[str, str], str] | None:
    """Verdict by operation and client; None when rows make no sense or contradict each other."""
    cells: dict[tuple[str, str], str] = {}
    for line in rows_file.read_text().splitlines() if rows_file.exists() else []:
        client, operation, verdict = line.split("\t")
        if verdict not in VERDICTS:
            print(f"unknown verdict {verdict!r} for {client} {operation}", file=sys.stderr)
            return None
        if cells.setdefault((operation, client), verdict) != verdict:
            print(f"two verdicts for {client} {operation}", file=sys.stderr)
            return None
    return cells


def table(cells: dict[tuple[str, str], str], clients: list[str]) -> list[str]:
    operations = sorted({operation for operation, client in cells if client in clients})
    # What one version lacks is told beside what the others do; alone it says nothing.
    tried = [o for o in operations if any(cells.get((o, client), "not callable") != "not callable" for client in clients)]
    areas = itertools.groupby(tried, key=lambda operation: operation.split(".")[0] if "." in operation.split(" ")[0] else "")
    lines = ["| operation | " + " | ".join(clients) + " |", "|---" * (len(clients) + 1) + "|"]
    for area, members in areas:
        if area:
            lines.append(f"| **{area}** |" + " |" * len(clients))
        lines += [f"| `{operation}` | " + " | ".join(cells.get((operation, client), "") for client in clients) + " |" for operation in members]
    return lines


def summary(cells: dict[tuple[str, str], str], clients: list[str]) -> list[str]:
    lines = ["| client | " + " | ".join(VERDICTS) + " |", "|---" * (len(VERDICTS) + 1) + "|"]
    for client in clients:
        counts = Counter(verdict for (_, of), verdict in cells.items() if of == client)
        lines.append(f"| {client} | " + " | ".join(str(counts[verdict]) for verdict in VERDICTS) + " |")
    return lines


def write_compatibility(rows_file: Path, target: Path) -> int:
    """Rows are `client<TAB>operation<TAB>verdict`; the order in which tests ran leaves no trace."""
    cells = read_cells(rows_file)
    if cells is None:
        return 1
    clients = sorted({client for _, client in cells}, key=by_version)
    titles = sorted({family(client) for client in clients}, key=[*dict.fromkeys(title for _, title in FAMILIES), "Other clients"].index)
    lines = [
        "# Compatibility",
        "",
        "Written by `./zaffre test` from what the tests with unmodified official clients found; not edited by hand.",
        "",
        *(f"- **{name}**: {meaning}" for name, meaning in VERDICTS.items()),
        "- blank: no test has tried it",
        "",
        *summary(cells, [client for title in titles for client in clients if family(client) == title]),
    ]
    for title in titles:
        lines += ["", f"## {title}", "", *table(cells, [client for client in clients if family(client) == title])]
    target.write_text("\n".join(lines) + "\n")
    return 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["suites", results, *rest]:
            return print_suites(Path(results), "--filtered" in rest)
        case ["total", results]:
            return print_total(Path(results))
        case ["compatibility", rows, target]:
            return write_compatibility(Path(rows), Path(target))
    print("usage: report.py suites|total RESULTS, or compatibility ROWS TARGET", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
