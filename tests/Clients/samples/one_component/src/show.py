"""Prints what it is given, and writes a file named by the day."""

import argparse
from datetime import date
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("source", "word", "made"):
    parser.add_argument("--" + name, required=True)
arguments = parser.parse_args()

source = Path(arguments.source)
print("word:", arguments.word)
for path in sorted(source.iterdir()) if source.is_dir() else [source]:
    print("{}: {}".format(path.name, path.read_text().splitlines()[0]))
(Path(arguments.made) / "file-{}.txt".format(date.today().isoformat())).write_text("made with {}\n".format(arguments.word))
