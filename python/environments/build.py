"""Installs what `requirements.txt` says into the virtual environment that runs this, and writes what is there to `packages.json`.

Arguments: how often to try while the way to the index fails; seconds before the second try, which double with each further one; and, when exact versions are
wanted, `each`: then everything that the index lacks is named, and not only the first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib import metadata

TOOLS = {"pip", "setuptools", "wheel", "conda"}
TRANSPORT_LOG = "transport.log"

# What a connection says that was cut, refused, too slow, or answered by a server in trouble. A name that nobody knows and a network that is not there do not
# pass within seconds.
PASSING = re.compile(
    r"ConnectTimeoutError|ReadTimeoutError|Read timed out|ProtocolError|IncompleteRead|RemoteDisconnected|Connection broken|Connection aborted|Connection reset"
    r"|Connection refused|\b5\d\d Server Error|too many 5\d\d error responses|HTTP error 5\d\d|SSLEOFError"
)
ABSENT = re.compile(r"No matching distribution found for (\S+)")


def pip(*arguments: str) -> tuple[int, str]:
    """Runs pip, with its output as ours; the exit code and what it said, to its log too."""
    command = [sys.executable, "-I", "-m", "pip", "--log", TRANSPORT_LOG, *arguments]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            said.append(line)
    if os.path.exists(TRANSPORT_LOG):
        with open(TRANSPORT_LOG, encoding="utf-8", errors="replace") as log:
            said.append(log.read())
        os.unlink(TRANSPORT_LOG)
    return process.returncode, "".join(said)


def install(tries: int, pause: float) -> tuple[int, str]:
    """Installs the requirements; again, when it failed on the way to the index."""
    for attempt in range(1, tries + 1):
        code, said = pip("install", "-r", "requirements.txt")
        if code == 0 or attempt == tries or not PASSING.search(said):
            return code, said
        print(f"Try {attempt} of {tries} failed on the way to the index; the next one begins in {pause:g} s.", flush=True)
        time.sleep(pause)
        pause *= 2
    return 1, ""


def name_absent(said: str) -> None:
    """Asks for the other requirements after one was not found, so that pip names each that the index lacks."""
    with open("requirements.txt", encoding="utf-8") as file:
        left = file.read().splitlines()
    while (absent := ABSENT.search(said)) and absent[1] in left:
        left.remove(absent[1])
        if all(line.startswith("-") for line in left):
            return
        with open("left.txt", "w", encoding="utf-8") as file:
            file.write("\n".join(left) + "\n")
        _, said = pip("install", "--dry-run", "--no-deps", "--ignore-installed", "-r", "left.txt")


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> list[dict[str, object]]:
    """Names and versions; `tool` for what only serves to install, and that no package needs."""
    found = {normalize(d.metadata["Name"]): d for d in metadata.distributions() if d.metadata["Name"]}
    needed = set()
    try:
        from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return [{"name": name, "version": d.version, "tool": name in TOOLS} for name, d in sorted(found.items())]
    for name, distribution in found.items():
        for text in [] if name in TOOLS else distribution.requires or []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed.add(normalize(requirement.name))
    return [{"name": name, "version": d.version, "tool": name in TOOLS and name not in needed} for name, d in sorted(found.items())]


def main() -> int:
    code, said = install(int(sys.argv[1]), float(sys.argv[2]))
    if code != 0:
        if "each" in sys.argv[3:]:
            name_absent(said)
        return code
    with open("packages.json", "w", encoding="utf-8") as file:
        json.dump(installed(), file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
