"""Writes down what it would have trained with."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("table", "epochs", "rate", "schedule", "model"):
    parser.add_argument("--" + name, required=True)
arguments = parser.parse_args()

lines = sum(len(path.read_text().splitlines()) for path in sorted(Path(arguments.table).iterdir()))
(Path(arguments.model) / "model.txt").write_text(
    "lines={} epochs={} rate={} schedule={}\n".format(lines, int(arguments.epochs), float(arguments.rate), arguments.schedule))
print("trained on", lines, "lines")
