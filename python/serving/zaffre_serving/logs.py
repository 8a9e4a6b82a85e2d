"""The deployment's log: every line that a scoring process writes, with the time it came."""

import os
import time


class LogStream:
    """Reads one pipe and writes its lines, stamped, to the log. A full disk loses lines, never requests."""

    def __init__(self, source: int, target: int, prefix: str) -> None:
        self.source, self._target, self._prefix = source, target, prefix
        self._partial = b""
        self.last = ""

    def pump(self, block: bool = True) -> bool:
        """Takes what is there; False at the end of the pipe, or, without blocking, when nothing is there."""
        if not block:
            os.set_blocking(self.source, False)
        try:
            data = os.read(self.source, 65536)
        except BlockingIOError:
            return False
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if not data and self._partial:
            lines, self._partial = [self._partial], b""
        elif len(self._partial) > 65536:
            lines.append(self._partial)
            self._partial = b""
        if lines:
            stamp = _stamp() + self._prefix.encode()
            _write(self._target, b"".join(stamp + line + b"\n" for line in lines))
            self.last = next((t for t in (line.decode("utf-8", "replace").strip() for line in reversed(lines)) if t), self.last)
        return bool(data)

    @staticmethod
    def write_line(target: int, text: str) -> None:
        _write(target, _stamp() + text.encode("utf-8", "replace") + b"\n")


def _stamp() -> bytes:
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z ".encode()


def _write(target: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(target, data):]
    except OSError:
        return
