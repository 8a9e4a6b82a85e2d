"""seed.py DATABASE COPIES: repeats every job named seedNNN in the database of a stopped server, under names of their own.

A job is a row in resources (with what lists filter by), one in jobs and one in runs (with its tags); whatever text of a row holds the job's name holds the copy's name
afterwards. The copies of one job come after each other, so that those of the first are the oldest of all.
"""

import re
import sqlite3
import sys
from typing import Any


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def renamed(row: tuple[Any, ...], old: str, new: str) -> list[Any]:
    return [value.replace(old, new) if isinstance(value, str) else value for value in row]


def copy(database: sqlite3.Connection, table: str, own: str, row: sqlite3.Row, old: str, new: str) -> int:
    names = [name for name in columns(database, table) if name != own]
    values = renamed(tuple(row[name] for name in names), old, new)
    marks = ", ".join("?" * len(names))
    return database.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values).lastrowid or 0


def main() -> None:
    database = sqlite3.connect(sys.argv[1])
    database.row_factory = sqlite3.Row
    jobs = [row for row in database.execute("SELECT * FROM resources WHERE type = 'jobs' ORDER BY sequence") if re.search("/seed[0-9]+$", row["key"])]
    for resource in jobs:
        old = resource["key"].rsplit("/", 1)[1]
        job = database.execute("SELECT * FROM jobs WHERE key = ?", [resource["key"]]).fetchone()
        run = database.execute("SELECT * FROM runs WHERE id = ?", [old]).fetchone()
        tags = database.execute("SELECT name, value, experiment FROM run_tags WHERE run = ?", [run["key"]]).fetchall()
        facets = database.execute("SELECT parent, facet, archived FROM job_facets WHERE sequence = ?", [resource["sequence"]]).fetchall()
        for number in range(int(sys.argv[2])):
            new = f"{old}x{number:04}"
            sequence = copy(database, "resources", "sequence", resource, old, new)
            database.execute("UPDATE resources SET revision = sequence << 20 WHERE sequence = ?", [sequence])
            database.executemany("INSERT INTO job_facets (parent, facet, sequence, archived) VALUES (?, ?, ?, ?)", [(f["parent"], f["facet"], sequence, f["archived"]) for f in facets])
            copy(database, "jobs", "seq", job, old, new)
            key = copy(database, "runs", "key", run, old, new)
            database.executemany("INSERT INTO run_tags (run, name, value, experiment) VALUES (?, ?, ?, ?)", [(key, tag["name"], tag["value"], tag["experiment"]) for tag in tags])
    database.commit()


main()
