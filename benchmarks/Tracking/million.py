"""million.py DATABASE EXPERIMENT...: writes a million runs into the database of a stopped server, half of them into the first experiment.

Each run has three metrics, three params and two tags of its own, beside its name and user. Indexes are made again after the rows, which takes minutes instead of an hour.
"""

import sqlite3
import sys

RUNS = 1_000_000

TABLES = ("runs", "run_latest", "run_params", "run_tags")


def texts(table: str, name: str, value: str) -> str:
    return f"INSERT INTO {table} (run, name, value, experiment) SELECT key, '{name}', {value}, experiment FROM temp.made"


def main() -> None:
    database = sqlite3.connect(sys.argv[1], isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA temp_store=FILE")
    database.execute("PRAGMA cache_size=-500000")
    experiments = [int(text) for text in sys.argv[2:]]
    workspace = database.execute("SELECT workspace FROM experiments WHERE key = ?", [experiments[0]]).fetchone()[0]
    indexes = [row for table in TABLES for row in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", [table])]
    database.execute("BEGIN")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")

    for metric in ("m0", "m1", "m2"):
        database.execute("INSERT OR IGNORE INTO metric_names (name) VALUES (?)", [metric])

    # Spread without order by a prime, as results are; a run of two belongs to the first experiment.
    others = " ".join(f"WHEN {i} THEN {key}" for i, key in enumerate(experiments[1:]))
    database.execute(
        f"""INSERT INTO runs (workspace, id, experiment, name, status, user, created, start_time, started, ended)
        WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {RUNS})
        SELECT {workspace}, printf('%032x', (n * 2654435761) % 1000000007), CASE WHEN n % 2 = 0 THEN {experiments[0]} ELSE CASE (n / 2) % {len(experiments) - 1} {others} END END,
            'run-' || ((n * 7919) % 1000003), CASE n % 4 WHEN 0 THEN 8 ELSE 10 END, 'user' || (n % 97), 1700000000000 + n, 1700000000000 + (n * 104729) % 999983, 1700000000000 + n,
            CASE n % 4 WHEN 0 THEN NULL ELSE 1700000100000 + (n * 15485863) % 999979 END
        FROM numbers"""
    )
    database.execute("CREATE TEMP VIEW made AS SELECT key, experiment, name, user FROM main.runs WHERE id GLOB '0000*'")
    for i, metric in enumerate(("m0", "m1", "m2")):
        database.execute(
            f"""INSERT INTO run_latest (run, metric, experiment, step, time, nan, value)
            SELECT key, (SELECT key FROM metric_names WHERE name = '{metric}'), experiment, 0, 1700000000000, 0, ((key * {7919 * (i + 1)}) % 1000003) / 1000003.0 FROM temp.made"""
        )

    for i in range(3):
        database.execute(texts("run_params", f"p{i}", f"((key * {31 + i}) % 9973) || ''"))

    database.execute(texts("run_tags", "mlflow.runName", "name"))
    database.execute(texts("run_tags", "mlflow.user", "user"))
    for i in range(2):
        database.execute(texts("run_tags", f"t{i}", f"'tag' || ((key * {37 + i}) % 997)"))

    for _, sql in indexes:
        database.execute(sql)

    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


main()
