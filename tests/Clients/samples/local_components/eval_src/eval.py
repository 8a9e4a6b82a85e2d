"""Sums up what was scored."""

import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--scores", required=True)
parser.add_argument("--result", required=True)
arguments = parser.parse_args()

model, *scores = (Path(arguments.scores) / "score.txt").read_text().splitlines()
(Path(arguments.result) / "eval_result.txt").write_text("{}: {} scores, {} in all\n".format(model, len(scores), sum(map(int, scores))))
print("evaluated", len(scores), "scores")
