"""The supervisor of one instance: holds the sockets, stamps the log, forks scoring processes again when they die."""

import json
import mmap
import os
import selectors
import signal
import socket
import sys
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from . import process
from .logs import LogStream
from .mlflow_model import MlflowModel
from .script import Script

FIRST_PAUSE, LONGEST_PAUSE, HEALTHY_AFTER = 0.1, 10.0, 30.0
STUCK_GRACE = 1.0


class Settings(NamedTuple):
    folder: str
    concurrency: int
    processes: int
    root: str
    load: Callable[[], process.Runtime]

    @classmethod
    def from_environment(cls) -> "Settings":
        def number(name: str) -> int:
            text = os.environ.get(name, "")
            return min(256, int(text)) if text.isdigit() and int(text) > 0 else 1

        folder = os.environ.pop("ZAFFRE_WORKER_FOLDER")
        concurrency = number("ZAFFRE_WORKER_CONCURRENCY")
        os.environ.pop("ZAFFRE_WORKER_CONCURRENCY", None)
        root = os.environ["AML_APP_ROOT"]
        model = os.environ.pop("ZAFFRE_MODEL_FOLDER", None)
        if model is not None:
            return cls(folder, concurrency, number("WORKER_COUNT"), root, lambda: MlflowModel.load(model, os.path.join(folder, "model.json")))
        entry = os.environ["AZUREML_ENTRY_SCRIPT"]
        return cls(folder, concurrency, number("WORKER_COUNT"), root, lambda: Script.load(root, entry))


class Child:
    """One forked scoring process as its supervisor sees it."""

    def __init__(self, pid: int, status: int, log: LogStream, busy: memoryview) -> None:
        self.pid, self.status, self.log, self.busy = pid, status, log, busy
        self.started = time.monotonic()
        self.said = b""
        self.ready = False


class Supervisor:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._children: Dict[int, Child] = {}
        self._timers: List[Tuple[float, Callable[[], None]]] = []
        self._pause = 0.0
        self._served = False
        self._stopping = False
        self._exit: Optional[int] = None

    def run(self) -> int:
        os.chdir(self._settings.root)
        self._listener = self._listen()
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(self._path("c.sock"))
        self._control.setblocking(False)
        self._lifeline = os.pipe()
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._selector.register(wake_read, selectors.EVENT_READ, lambda: self._signalled(wake_read))
        self._selector.register(self._control, selectors.EVENT_READ, self._ordered)
        for _ in range(self._settings.processes):
            self._fork()
        while self._exit is None:
            self._turn()
        return self._exit

    def _turn(self) -> None:
        self._timers.sort(key=lambda t: t[0])
        wait = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        for key, _ in self._selector.select(wait):
            key.data()
        now = time.monotonic()
        due = [t for t in self._timers if t[0] <= now]
        self._timers = [t for t in self._timers if t[0] > now]
        for _, action in due:
            action()

    def _path(self, name: str) -> str:
        return os.path.join(self._settings.folder, name)

    def _listen(self) -> socket.socket:
        # Bound aside: the name s.sock appears when init() has run everywhere, and its appearance is the signal of readiness.
        for name in ("s.new", "s.sock", "c.sock", "failed"):
            if os.path.exists(self._path(name)):
                os.unlink(self._path(name))
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self._path("s.new"))
        listener.listen(128)
        return listener

    def _fork(self) -> None:
        settings = self._settings
        threads = -(-settings.concurrency // settings.processes)
        busy = memoryview(mmap.mmap(-1, 8 * threads)).cast("Q")
        log_read, log_write = os.pipe()
        status_read, status_write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become_child(log_write, status_write, busy)
        os.close(log_write)
        os.close(status_write)
        child = Child(pid, status_read, LogStream(log_read, 1, f"[{pid}] " if settings.processes > 1 else ""), busy)
        self._children[pid] = child
        self._selector.register(log_read, selectors.EVENT_READ, lambda: self._logged(child))
        self._selector.register(status_read, selectors.EVENT_READ, lambda: self._said(child))

    def _become_child(self, log: int, status: int, busy: memoryview) -> None:
        try:
            signal.set_wakeup_fd(-1)
            self._selector.close()
            self._control.close()
            os.close(self._lifeline[1])
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            for child in self._children.values():
                os.close(child.status)
                os.close(child.log.source)
            process.main(self._listener, status, self._lifeline[0], busy, self._settings.load)
        finally:
            os._exit(70)

    def _logged(self, child: Child) -> None:
        if not child.log.pump():
            self._selector.unregister(child.log.source)
            os.close(child.log.source)

    def _said(self, child: Child) -> None:
        more = os.read(child.status, 65536)
        child.said += more
        if not more:
            self._ended(child)
        elif child.said == b"ready\n" and not child.ready:
            child.ready = True
            if not self._served and len(self._children) == self._settings.processes and all(c.ready for c in self._children.values()):
                self._served = True
                os.rename(self._path("s.new"), self._path("s.sock"))
                self._log("ready: init() has run, the deployment takes requests")

    def _ended(self, child: Child) -> None:
        self._selector.unregister(child.status)
        os.close(child.status)
        _, code = os.waitpid(child.pid, 0)
        while child.log.source in self._selector.get_map() and child.log.pump(block=False):
            pass
        del self._children[child.pid]
        how = f"was killed by signal {os.WTERMSIG(code)}" if os.WIFSIGNALED(code) else f"exited with code {os.WEXITSTATUS(code)}"
        if self._stopping:
            if not self._children:
                self._exit = 0
            return
        if not self._served:
            self._fail(child, how)
            return
        if time.monotonic() - child.started > HEALTHY_AFTER:
            self._pause = 0.0
        self._log(f"the scoring process {child.pid} {how}; another one starts in {self._pause:.1f} s")
        self._timers.append((time.monotonic() + self._pause, self._fork))
        self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._pause * 2))

    def _fail(self, child: Child, how: str) -> None:
        try:
            failure = json.loads(child.said)
        except ValueError:
            failure = {"code": "ProcessEnded", "message": f"the scoring process {how} during init()", "line": child.log.last, "traceback": ""}
        with open(self._path("failed.new"), "w", encoding="utf-8") as file:
            json.dump(failure, file)
        os.rename(self._path("failed.new"), self._path("failed"))
        for other in self._children.values():
            os.kill(other.pid, signal.SIGKILL)
        self._exit = 70

    def _signalled(self, wake: int) -> None:
        os.read(wake, 64)
        self._stop()

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._log("stopping: running requests end first")
            self._listener.shutdown(socket.SHUT_RDWR)
            if not self._children:
                self._exit = 0

    def _ordered(self) -> None:
        order = self._control.recv(256).decode("ascii", "replace").split()
        if order == ["stop"]:
            self._stop()
        elif len(order) == 2 and order[0] == "recycle" and order[1].isdigit():
            child = self._children.get(int(order[1]))
            if child is not None:
                stuck = [(i, n) for i, n in enumerate(child.busy) if n % 2]
                self._timers.append((time.monotonic() + STUCK_GRACE, lambda: self._recycle(child, stuck)))

    def _recycle(self, child: Child, stuck: List[Tuple[int, int]]) -> None:
        if child.pid not in self._children or not any(child.busy[i] == n for i, n in stuck):
            return
        self._log(f"run() in process {child.pid} does not end; its threads were:")
        os.kill(child.pid, process.STACKS)
        self._timers.append((time.monotonic() + 0.2, lambda: self._kill(child)))

    def _kill(self, child: Child) -> None:
        if child.pid in self._children:
            os.kill(child.pid, signal.SIGKILL)

    def _log(self, text: str) -> None:
        LogStream.write_line(1, text)
