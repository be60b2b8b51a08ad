"""The upstream of the endurance tests: does what the last parts of a path say.

    python -m tests.endurance.origin PORT [JOURNAL]

    .../small             200, a few bytes
    .../bytes/N           N bytes, as fast as they are taken
    .../sse/N/MS          N events, MS milliseconds apart
    .../count             how many bytes the request's body had
    .../deaf/MS           likewise, but nothing of the body is read for so long
    .../hold              no answer at all
    .../interim/N         N answers 103 before the final one
    .../talk              WebSocket; each frame is answered with one

The first field of an id (``X-Request-Id``) of every POST is added to the journal, so that it
survives the death of this process. An instrument, not a server.
"""

import asyncio
import os
import sys

import uvloop

from pyproxy.wire.chunked import ChunkedBody

HOST = "127.0.0.1"
EVENT = b"data: " + b"e" * 90 + b"\n\n"
_CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
# Idle connections are to be gone soon after the load is.
_KEPT = b"Keep-Alive: timeout=3\r\n"
_SIZED = b"HTTP/1.1 200 OK\r\n" + _KEPT + b"Content-Length: %d\r\n\r\n"
_STREAM = (
    b"HTTP/1.1 200 OK\r\n" + _KEPT + b"Content-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)
_HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
_BLOCK = bytes(64 * 1024)
_CLOSE = b"\x88\x02\x03\xe8"


class Origin(asyncio.Protocol):
    """One connection.

    Args:
        journal: Descriptor of the file of ids; -1: none is kept.
        lost: Told when the connection ended, with the path asked for last.
    """

    def __init__(self, journal=-1, lost=None):
        self._journal = journal
        self._lost = lost
        self._buffer = b""
        self._path = []
        self._left = 0  # of a body of known length
        self._decoder = None
        self._taken = 0
        self._is_talking = False
        self._bytes_left = 0
        self._is_full = False

    def connection_made(self, transport):
        self.transport = transport
        self._loop = asyncio.get_running_loop()

    def connection_lost(self, _exc):
        if self._lost is not None:
            self._lost("/".join(self._path))

    def pause_writing(self):
        self._is_full = True

    def resume_writing(self):
        self._is_full = False
        self._send_bytes()

    def data_received(self, data):
        if self._is_talking:
            self._talk(data)
            return
        if self._left or self._decoder is not None:
            self._body(data)
            return
        self._buffer += data
        while not self._is_in_body and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, rest = self._buffer[:end], self._buffer[end + 4 :]
            self._buffer = b""
            self._begin(head)
            if self._is_in_body:
                self._body(rest)
            else:
                self._buffer = rest
                self._answer()

    @property
    def _is_in_body(self):
        return bool(self._left) or self._decoder is not None

    def _begin(self, head):
        method, target, _ = head.split(b" ", 2)
        self._path = target.split(b"?")[0].decode().strip("/").split("/")
        lines = head.lower().split(b"\r\n")[1:]
        self._fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
        self._taken = 0
        self._left = int(self._fields.get(b"content-length", 0))
        if self._fields.get(b"transfer-encoding"):
            self._decoder = ChunkedBody()
        if method == b"POST" and self._journal >= 0:
            os.write(self._journal, self._fields.get(b"x-request-id", b"-") + b"\n")
        if self._is_asked("deaf") and self._is_in_body:
            self.transport.pause_reading()
            self._loop.call_later(int(self._path[-1]) / 1000, self._hear)

    def _hear(self):
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _is_asked(self, what):
        return what in self._path[-3:]

    def _body(self, data):
        if self._decoder is not None:
            self._taken += len(self._decoder.feed(data))
            if not self._decoder.is_complete:
                return
            rest, self._decoder = self._decoder.rest, None
        else:
            taken = min(len(data), self._left)
            self._left -= taken
            self._taken += taken
            rest = data[taken:]
            if self._left:
                return
        self._answer()
        if rest:
            self.data_received(rest)

    def _answer(self):
        path, write = self._path, self.transport.write
        if self._is_asked("hold"):
            return
        if self._is_asked("talk"):
            self._is_talking = True
            write(_SWITCH % b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        elif self._is_asked("bytes"):
            self._bytes_left = int(path[-1])
            write(_SIZED % self._bytes_left)
            self._send_bytes()
        elif self._is_asked("sse"):
            write(_STREAM)
            self._tick(int(path[-2]), int(path[-1]) / 1000)
        elif self._is_asked("interim"):
            write(_HINT * int(path[-1]) + _SIZED % 2 + b"ok")
        else:
            text = b"%d" % self._taken
            write(_SIZED % len(text) + text)

    def _talk(self, data):
        self._buffer += data
        while len(self._buffer) >= 6:
            opcode, length = self._buffer[0] & 15, self._buffer[1] & 127
            if len(self._buffer) < 6 + length:
                return
            self._buffer = self._buffer[6 + length :]
            if opcode == 8:
                self.transport.write(_CLOSE)
                self.transport.close()
                return
            self.transport.write(b"\x81\x02ok")

    def _tick(self, events, pause_s):
        if self.transport.is_closing():
            return
        if events:
            self.transport.write(_CHUNK)
            self._loop.call_later(pause_s, self._tick, events - 1, pause_s)
        else:
            self.transport.write(b"0\r\n\r\n")

    def _send_bytes(self):
        while self._bytes_left and not self._is_full and not self.transport.is_closing():
            block = _BLOCK[: self._bytes_left]
            self._bytes_left -= len(block)
            self.transport.write(block)


async def serve(port, journal):
    """Listen until the process is ended."""
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Origin(journal), HOST, port, backlog=4096)
    print("ready", flush=True)  # noqa: T201 - who started this waits for the word
    await asyncio.Event().wait()


if __name__ == "__main__":
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    uvloop.run(
        serve(int(sys.argv[1]), os.open(sys.argv[2], flags, 0o600) if len(sys.argv) > 2 else -1)
    )
