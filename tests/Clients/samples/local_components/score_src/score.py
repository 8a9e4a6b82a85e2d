"""Scores each line of a table by its length."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("model", "table", "scores"):
    parser.add_argument("--" + name, required=True)
arguments = parser.parse_args()

model = (Path(arguments.model) / "model.txt").read_text()
scores = [len(line) for path in sorted(Path(arguments.table).iterdir()) for line in path.read_text().splitlines()]
(Path(arguments.scores) / "score.txt").write_text(model + "\n".join(map(str, scores)) + "\n")
print("scored", len(scores), "lines")
