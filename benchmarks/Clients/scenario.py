"""The scenario of `./zaffre bench clients`, as any user's script would have it, with a stopwatch around it.

Prints one JSON line: seconds of wall time, of imports, of sleeping and of processor time, per step and in all. Nothing of the SDK is
changed; `time.sleep` of this process is wrapped before the SDK is imported, so that the time in which the client waits by its own
choice (polling intervals, fixed pauses) is known. Sleeps that overlap in several threads count once.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

STARTED = time.perf_counter()
sleeps: list[tuple[float, float]] = []
lock = threading.Lock()
sleep = time.sleep


def counted(seconds: float) -> None:
    began = time.perf_counter()
    sleep(seconds)
    with lock:
        sleeps.append((began, time.perf_counter()))


time.sleep = counted

import contextlib  # noqa: E402
import pathlib  # noqa: E402
import tempfile  # noqa: E402
import uuid  # noqa: E402

from azure.ai.ml import MLClient, Output, command  # noqa: E402
from azure.ai.ml._version import VERSION  # noqa: E402
from azure.ai.ml.entities import Environment, Model  # noqa: E402
from azure.identity import DefaultAzureCredential  # noqa: E402

FILES = 20
RUN = sys.argv[1] if len(sys.argv) > 1 else uuid.uuid4().hex[:8]
IMPORTED = time.perf_counter()
marks: list[tuple[str, float]] = []


def slept(since: float, until: float) -> float:
    """The seconds of the span in which at least one thread slept."""
    total, end = 0.0, since
    for first, last in sorted(sleeps):
        first, last = max(first, end), min(last, until)
        if last > first:
            total += last - first
            end = last
    return total


def scenario(folder: pathlib.Path) -> None:
    code = folder / "code"
    code.mkdir()
    for number in range(FILES - 1):
        (code / f"file-{number:02}.txt").write_text(f"{RUN} {number} " + "x" * 2000)
    (code / "train.sh").write_text("sleep 1\necho trained $1\necho weights > $2/model.txt\n")

    client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
    assert client.workspaces.get(os.environ["ZAFFRE_WORKSPACE"]).name
    mark("get workspace")
    job = client.jobs.create_or_update(command(
        name=f"bench-{RUN}", experiment_name="bench", compute="serverless", code=str(code), command="sh train.sh " + RUN + " ${{outputs.model}}",
        environment=Environment(image="mcr.microsoft.com/azureml/base"), outputs={"model": Output(type="uri_folder")}))
    mark("upload and submit")
    client.jobs.stream(job.name)
    mark("stream")
    client.jobs.download(job.name, download_path=folder / "out", output_name="model")
    assert [path.read_text() for path in (folder / "out").rglob("model.txt")] == ["weights\n"]
    mark("download")
    model = client.models.create_or_update(Model(name="bench", version=RUN, path=f"azureml://jobs/{job.name}/outputs/model"))
    assert model.version == RUN
    mark("register")


def mark(step: str) -> None:
    marks.append((step, time.perf_counter()))


with tempfile.TemporaryDirectory(prefix="zaffre-bench-") as name:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        scenario(pathlib.Path(name))
    ended = marks[-1][1]
    steps, began = {}, IMPORTED
    for step, at in marks:
        steps[step] = {"wall": round(at - began, 4), "sleep": round(slept(began, at), 4)}
        began = at
    print(json.dumps({
        "version": VERSION,
        "wall": round(ended - STARTED, 4),
        "import": round(IMPORTED - STARTED, 4),
        "sleep": round(slept(IMPORTED, ended), 4),
        "cpu": round(time.process_time(), 4),
        "steps": steps,
    }))
