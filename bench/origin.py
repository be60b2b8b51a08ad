"""The upstream that every contender stands in front of: one small, fast HTTP/1.1 origin.

    python -m bench.origin PORT

    any path            200 with a 1 kB chat completion as JSON; the request's body is dropped
    /sse/EVENTS/MS      EVENTS server-sent events, one chunk each, MS milliseconds apart
    /bytes/N            N bytes of application/octet-stream, as fast as the peer reads
    /count              the number of bytes in the request's body, as text; it needs a length
    /guarded/...        as any path, but 401 without the origin's key as a bearer token

It parses only what well-formed clients on loopback send: an instrument, not a server.
"""

import asyncio
import json
import sys
from typing import Final, cast

import uvloop

_MESSAGE = {"role": "assistant", "content": "x" * 760}
_COMPLETION = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": _MESSAGE}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
    }
).encode()
_SIZED: Final = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
ANSWER: Final = _SIZED % (b"application/json", len(_COMPLETION)) + _COMPLETION
_EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"gpt-4o","choices":[{"index":0,"delta":{"content":" token"},'
    b'"finish_reason":null}]}\n\n'
)
_EVENT_CHUNK: Final = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
KEY: Final = "sk-bench-upstream-0123456789abcdef"
GUARDED: Final = "/guarded"
_REFUSAL: Final = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
_BLOCK: Final = bytes(64 * 1024)
_LENGTH: Final = b"\r\ncontent-length:"
_COUNTED: Final = (b"PUT /count ", b"POST /count ")


class Origin(asyncio.Protocol):
    """Answers one connection's requests."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for requests."""
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._bytes_left = 0
        self._upload = self._upload_left = 0
        self._is_writable = True

    def pause_writing(self) -> None:
        """The peer reads slower than it is sent to."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """The peer caught up."""
        self._is_writable = True
        self._send_bytes()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        if self._upload_left:
            data = self._count(data)
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            if head.startswith(_COUNTED):
                self._upload = self._upload_left = _length(head.lower())
                self._buffer = self._count(self._buffer[end + 4 :])
                continue
            after = self._request_end(head, end + 4)
            if after is None:
                return
            self._buffer = self._buffer[after:]
            self._answer(head)

    def _request_end(self, head: bytes, start: int) -> int | None:
        """Where the request ends in the buffer; None while it is still arriving."""
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            end = self._buffer.find(_LAST_CHUNK, start)
            return None if end < 0 else end + len(_LAST_CHUNK)
        end = start + _length(lower)
        return end if len(self._buffer) >= end else None

    def _count(self, data: bytes) -> bytes:
        """Take what belongs to an upload's body and drop it; what follows is given back."""
        taken = min(len(data), self._upload_left)
        self._upload_left -= taken
        if not self._upload_left:
            said = b"%d" % self._upload
            self._transport.write(_SIZED % (b"text/plain", len(said)) + said)
        return data[taken:]

    def _answer(self, head: bytes) -> None:
        parts = head.split(b" ", 2)[1].split(b"/")
        if parts[1] == b"sse":
            self._transport.write(_STREAM_HEAD)
            self._tick(int(parts[2]), int(parts[3]) / 1000)
        elif parts[1] == b"bytes":
            self._bytes_left = int(parts[2])
            self._transport.write(_SIZED % (b"application/octet-stream", self._bytes_left))
            self._send_bytes()
        elif parts[1] == b"guarded" and b": Bearer %b\r\n" % KEY.encode() not in head + b"\r\n":
            self._transport.write(_REFUSAL)
        else:
            self._transport.write(ANSWER)

    def _tick(self, events: int, pause_s: float) -> None:
        self._loop.call_later(pause_s, self._send_event, events, pause_s)

    def _send_event(self, events: int, pause_s: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_EVENT_CHUNK if events else _LAST_CHUNK)
        if events:
            self._tick(events - 1, pause_s)

    def _send_bytes(self) -> None:
        while self._bytes_left and self._is_writable and not self._transport.is_closing():
            block = _BLOCK[: self._bytes_left]
            self._bytes_left -= len(block)
            self._transport.write(block)


def _length(head: bytes) -> int:
    """Content-Length of a head in lower case; 0 without one."""
    at = head.find(_LENGTH)
    return 0 if at < 0 else int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


async def serve(port: int) -> None:
    """Listen on loopback until the process is ended."""
    await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", port, backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
