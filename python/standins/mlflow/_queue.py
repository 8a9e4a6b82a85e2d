"""Logging by a thread: what is put is sent soon, many points in one call."""

import atexit
import queue
import threading
from typing import Any, Dict, List, Optional, Tuple

_lock = threading.Lock()
_waiting: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
_state: Dict[str, Any] = {"thread": None, "failed": [], "registered": False}
_AT_ONCE = 1000


class RunOperations:
    """What was put into the queue; ``wait`` returns when the server has it, and raises when the server refused it."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._error: Optional[BaseException] = None

    def wait(self) -> None:
        self._done.wait()
        if self._error is not None:
            if self in _state["failed"]:
                _state["failed"].remove(self)
            raise self._error

    def finish(self, error: Optional[BaseException]) -> None:
        """Called by the thread."""
        self._error = error
        if error is not None:
            _state["failed"].append(self)
        self._done.set()


def put(client: Any, run_id: str, metrics: Any = (), params: Any = (), tags: Any = ()) -> RunOperations:
    """Takes what is to be logged; returns at once."""
    operation = RunOperations()
    _waiting.put((client, run_id, list(metrics), list(params), list(tags), operation))
    with _lock:
        # A forked child has no thread.
        if _state["thread"] is None or not _state["thread"].is_alive():
            _state["thread"] = threading.Thread(target=_send_all, name="mlflow-logging", daemon=True)
            _state["thread"].start()
        if not _state["registered"]:
            _state["registered"] = True
            atexit.register(flush)
    return operation


def flush() -> None:
    """Waits until all that was put is sent; says what was refused, on the error stream."""
    thread = _state["thread"]
    if thread is None or not thread.is_alive():
        return
    mark = RunOperations()
    _waiting.put((None, "", [], [], [], mark))
    mark.wait()
    failed, _state["failed"] = _state["failed"], []
    if failed:
        import sys

        for operation in failed:
            print("mlflow: what was logged was refused: {}".format(operation._error), file=sys.stderr)


def _send_all() -> None:
    while True:
        taken = [_waiting.get()]
        while len(taken) < _AT_ONCE and not _waiting.empty():
            taken.append(_waiting.get())
        for batch in _by_run(taken):
            _send(batch)


def _by_run(taken: List[Tuple[Any, ...]]) -> List[List[Tuple[Any, ...]]]:
    """Neighbours of one run together, in their order."""
    grouped: List[List[Tuple[Any, ...]]] = []
    for item in taken:
        if grouped and grouped[-1][0][1] == item[1]:
            grouped[-1].append(item)
        else:
            grouped.append([item])
    return grouped


def _send(batch: List[Tuple[Any, ...]]) -> None:
    client, run_id = batch[0][0], batch[0][1]
    error: Optional[BaseException] = None
    try:
        if client is not None:
            client.send_batch(run_id, *[[one for item in batch for one in item[part]] for part in (2, 3, 4)])
    except Exception as refused:  # noqa: BLE001  (told to whoever waits)
        error = refused
    if error is not None and len(batch) > 1:
        # One bad item must not take its neighbours along.
        for item in batch:
            _send([item])
        return
    for item in batch:
        item[5].finish(error)
