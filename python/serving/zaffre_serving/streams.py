"""Streamed answers: what a generator yields, as server-sent events or as it is; and the event loop of async scripts."""

import asyncio
import inspect
import json
import sys
import threading
import traceback
from typing import Any, Iterator, Optional


class StreamFailed(Exception):
    """The script raised after its answer had begun."""


class EventLoop:
    """One event loop for a process: what init() opened on it is there for every run()."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    def wait(self, awaitable: Any) -> Any:
        """The result of an awaitable; the calling thread waits, others go on."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="event loop", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(_await(awaitable), self._loop).result()

    def items(self, stream: Any) -> Iterator[Any]:
        """The items of an asynchronous generator."""
        try:
            while True:
                try:
                    yield self.wait(stream.__anext__())
                except StopAsyncIteration:
                    return
        finally:
            self.wait(stream.aclose())


def is_stream(value: Any) -> bool:
    """Whether run() answers piece by piece."""
    return inspect.isgenerator(value) or inspect.isasyncgen(value)


def begin(stream: Iterator[Any], events: Optional[bool], request_id: str) -> "tuple[bool, Iterator[bytes]]":
    """Takes the first item, so that what raises before it is no stream yet. Returns whether these are events, and the bytes."""
    try:
        first = next(stream)
    except StopIteration:
        return events is not False, iter(())
    as_events = not isinstance(first, (bytes, bytearray, memoryview)) if events is None else events
    head = _encode(first, as_events)
    return as_events, _rest(head, stream, as_events, request_id)


def _rest(head: bytes, stream: Iterator[Any], as_events: bool, request_id: str) -> Iterator[bytes]:
    failed = False
    try:
        yield head
        try:
            for item in stream:
                yield _encode(item, as_events)
        except GeneratorExit:
            raise
        except Exception:  # the user's code may raise anything
            sys.stderr.write(f"run() failed within its stream for request {request_id}\n{traceback.format_exc()}")
            sys.stderr.flush()
            failed = True
        if failed and as_events:
            yield b'event: error\ndata: {"message": "The scoring script failed. Check the logs for more info."}\n\n'
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    if failed:
        raise StreamFailed


def _encode(item: Any, as_events: bool) -> bytes:
    if isinstance(item, (bytes, bytearray, memoryview)):
        return bytes(item)
    if not as_events:
        return (item if isinstance(item, str) else json.dumps(item, allow_nan=False)).encode()
    text = item if isinstance(item, str) else json.dumps(item, allow_nan=False)
    if text.startswith(("data:", "event:", "id:", "retry:", ":")) and text.endswith("\n\n"):
        return text.encode()
    return ("".join(f"data: {line}\n" for line in text.split("\n")) + "\n").encode()


async def _await(awaitable: Any) -> Any:
    return await awaitable
