"""The frames between gateway and scoring process: see WorkerFrame in the gateway for the fields."""

import socket
import struct
from typing import NamedTuple, Optional

HEADER = struct.Struct("<BBBBHHIII")
MAGIC = 0x5A
HELLO, REQUEST, RESPONSE, PIECE = 1, 2, 3, 4
RUN_FAILED, JSON, WANTS_HEADERS, OWN_STATUS, STREAMED = 1, 2, 4, 8, 16
MAX_FRAME = (1 << 30) + (1 << 18)
MAX_DESCRIPTION = 1 << 20
_CHUNK = 65536


class Request(NamedTuple):
    head: bytes
    body: bytes


def hello(process: int, flags: int, description: bytes) -> bytes:
    """``description`` is what the runtime says of itself as JSON, at most MAX_DESCRIPTION bytes."""
    return HEADER.pack(MAGIC, HELLO, flags, 0, 0, 0, 0, len(description), process) + description


def read_request(connection: socket.socket) -> Optional[Request]:
    """The next request, or None when the gateway closed the connection. A frame that is none raises ValueError."""
    data = connection.recv(_CHUNK)
    while 0 < len(data) < HEADER.size:
        more = connection.recv(_CHUNK)
        if not more:
            return None
        data += more
    if not data:
        return None
    magic, kind, _, _, _, _, head, body, _ = HEADER.unpack_from(data)
    end = HEADER.size + head
    total = end + body
    if magic != MAGIC or kind != REQUEST or total > MAX_FRAME:
        raise ValueError("this is no request frame")
    if len(data) < total:
        whole = bytearray(total)
        whole[: len(data)] = data
        view = memoryview(whole)[len(data):]
        while view:
            got = connection.recv_into(view)
            if got == 0:
                return None
            view = view[got:]
        return Request(bytes(whole[HEADER.size:end]), bytes(memoryview(whole)[end:]))
    return Request(data[HEADER.size:end], data[end:total])


def send_response(connection: socket.socket, status: int, flags: int, head: bytes, body: bytes, micros: int) -> None:
    header = HEADER.pack(MAGIC, RESPONSE, flags, 0, status, 0, len(head), len(body), min(micros, 0x7FFFFFFF))
    if len(body) < _CHUNK:
        connection.sendall(header + head + body)
    else:
        connection.sendall(header + head)
        connection.sendall(body)


def send_piece(connection: socket.socket, flags: int, piece: bytes) -> None:
    """One piece of a streamed response; an empty one ends it."""
    connection.sendall(HEADER.pack(MAGIC, PIECE, flags, 0, 0, 0, 0, len(piece), 0) + piece)
