"""A scoring process: loads its runtime (init()) once, then one thread for each request that it takes side by side."""

import faulthandler
import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, NoReturn, Protocol

from .answers import Answer
from .frames import MAX_DESCRIPTION, RUN_FAILED, STREAMED, WANTS_HEADERS, Request, hello, read_request, send_piece, send_response
from .script import describe
from .streams import StreamFailed

#: Sent by the supervisor before it kills: every thread's stack goes to the log, even when native code holds the interpreter.
STACKS = signal.SIGRTMIN + 3


class Runtime(Protocol):
    """What scores in a process: a script or a model. Called by several threads."""

    @property
    def wants_headers(self) -> bool:
        """Requests must carry method, address and headers."""

    def describe(self) -> Dict[str, Any]:
        """What the gateway answers itself: ``swagger``, ``version``, and whether ``invocations`` is a route."""

    def answer(self, request: Request) -> Answer:
        """Scores one request; never raises but SystemExit."""


def main(listener: socket.socket, status: int, lifeline: int, busy: memoryview, load: Callable[[], Runtime]) -> NoReturn:
    """Never returns; ends when the listener is shut down and every connection is closed."""
    faulthandler.enable()
    faulthandler.register(STACKS, all_threads=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    threading.Thread(target=_end_with_supervisor, args=(lifeline,), daemon=True).start()
    try:
        runtime = load()
        greeting = _greeting(runtime)
    except BaseException as error:  # SystemExit too: what exits cannot serve
        failure = describe(error)
        sys.stderr.write(failure["traceback"])
        sys.stderr.flush()
        os.write(status, json.dumps(failure).encode())
        os._exit(70)
    os.write(status, b"ready\n")
    threads = [threading.Thread(target=_accept, args=(listener, runtime, greeting, busy, i)) for i in range(1, len(busy))]
    for thread in threads:
        thread.start()
    _accept(listener, runtime, greeting, busy, 0)
    for thread in threads:
        thread.join()
    os._exit(0)


def _end_with_supervisor(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(75)


def _greeting(runtime: Runtime) -> bytes:
    description = json.dumps(runtime.describe()).encode()
    if len(description) > MAX_DESCRIPTION:
        sys.stderr.write(f"the description of the deployment is left out: it has {len(description)} bytes\n")
        description = b""
    return hello(os.getpid(), WANTS_HEADERS if runtime.wants_headers else 0, description)


def _accept(listener: socket.socket, runtime: Runtime, greeting: bytes, busy: memoryview, index: int) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                connection.sendall(greeting)
                _converse(connection, runtime, busy, index)
            except (OSError, ValueError) as error:
                if not isinstance(error, (BrokenPipeError, ConnectionResetError)):
                    sys.stderr.write(f"a connection ended: {error}\n")


def _converse(connection: socket.socket, runtime: Runtime, busy: memoryview, index: int) -> None:
    clock = time.perf_counter_ns
    while (request := read_request(connection)) is not None:
        # Odd while a run lasts; the supervisor tells a stuck run from a later one by the number.
        busy[index] += 1
        started = clock()
        try:
            answer = runtime.answer(request)
            if answer.stream is not None:
                _stream(connection, answer, answer.stream, (clock() - started) // 1000)
        except SystemExit as leaving:
            sys.stderr.write(f"run() ended the process: {leaving!r}\n")
            sys.stderr.flush()
            os._exit(76)
        finally:
            busy[index] += 1
        if answer.stream is None:
            send_response(connection, answer.status, answer.flags, answer.head, answer.body, (clock() - started) // 1000)


def _stream(connection: socket.socket, answer: Answer, pieces: Iterator[bytes], micros: int) -> None:
    # A caller who leaves closes the connection: the next piece cannot be sent, and the generator is closed.
    try:
        send_response(connection, answer.status, answer.flags | STREAMED, answer.head, b"", micros)
        for piece in pieces:
            if piece:
                send_piece(connection, 0, piece)
        send_piece(connection, 0, b"")
    except StreamFailed:
        send_piece(connection, RUN_FAILED, b"")
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
