"""A scoring process: runs init() once, then one thread for each request that it takes side by side."""

import faulthandler
import json
import os
import signal
import socket
import sys
import threading
import time
from typing import NoReturn

from .frames import WANTS_HEADERS, hello, read_request, send_response
from .script import Script, describe

#: Sent by the supervisor before it kills: every thread's stack goes to the log, even when native code holds the interpreter.
STACKS = signal.SIGRTMIN + 3


def main(listener: socket.socket, status: int, lifeline: int, busy: memoryview, root: str, entry: str) -> NoReturn:
    """Never returns; ends when the listener is shut down and every connection is closed."""
    faulthandler.enable()
    faulthandler.register(STACKS, all_threads=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=_end_with_supervisor, args=(lifeline,), daemon=True).start()
    try:
        script = Script.load(root, entry)
    except BaseException as error:  # SystemExit too: a script that exits cannot serve
        failure = describe(error)
        sys.stderr.write(failure["traceback"])
        sys.stderr.flush()
        os.write(status, json.dumps(failure).encode())
        os._exit(70)
    os.write(status, b"ready\n")
    threads = [threading.Thread(target=_accept, args=(listener, script, busy, i)) for i in range(1, len(busy))]
    for thread in threads:
        thread.start()
    _accept(listener, script, busy, 0)
    for thread in threads:
        thread.join()
    os._exit(0)


def _end_with_supervisor(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(75)


def _accept(listener: socket.socket, script: Script, busy: memoryview, index: int) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                connection.sendall(hello(os.getpid(), WANTS_HEADERS if script.wants_headers else 0))
                _converse(connection, script, busy, index)
            except (OSError, ValueError) as error:
                if not isinstance(error, (BrokenPipeError, ConnectionResetError)):
                    sys.stderr.write(f"a connection ended: {error}\n")


def _converse(connection: socket.socket, script: Script, busy: memoryview, index: int) -> None:
    clock = time.perf_counter_ns
    while (request := read_request(connection)) is not None:
        # Odd while a run lasts; the supervisor tells a stuck run from a later one by the number.
        busy[index] += 1
        started = clock()
        try:
            answer = script.answer(request)
        except SystemExit as leaving:
            sys.stderr.write(f"run() ended the process: {leaving!r}\n")
            sys.stderr.flush()
            os._exit(76)
        finally:
            busy[index] += 1
        send_response(connection, answer.status, answer.flags, answer.head, answer.body, (clock() - started) // 1000)
