"""One answer, read from bytes as they come; knows nothing of sockets."""

from typing import Final

from pyproxy.upstream.receiver import Receiver, Switch
from pyproxy.wire.chunked import ChunkedBody
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE, response_length, wants_close
from pyproxy.wire.head import ResponseHead, ResponseReader, can_become_a_head
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.upgrade import protocols_granted

MAX_HEAD: Final = 64 * 1024
# Interim answers to one request; a server sends a handful of 103 at the most.
MAX_INTERIM: Final = 100
_END: Final = b"\r\n\r\n"
_START: Final = b"HTTP/1."
_FINAL: Final = 200  # RFC 9110 section 15.2: what is below is interim
_SWITCHING: Final = 101


class Answer:
    """Tells a receiver what the bytes of an answer mean.

    Args:
        method: Of the request; decides whether there is a body.
        receiver: Told everything but ``flush`` and ``failed``.
        reader: Of the connection's heads.

    Attributes:
        head: The final head, once it came.
        is_complete: The answer is whole.
        is_in_step: Nothing came after it, its end was not the connection's, and
            the upstream means to go on: another request may follow.
        switch: Told if the upstream changes protocol; ``None``: it was not asked to.
    """

    __slots__ = ("_buffer", "_decoder", "_interims", "_left", "_method", "_reader", "_receiver",
                 "head", "is_complete", "is_in_step", "switch")  # fmt: skip

    def __init__(
        self, method: bytes, receiver: Receiver, reader: ResponseReader | None = None
    ) -> None:
        self._reader = reader or ResponseReader()
        self._method = method
        self._receiver = receiver
        self._buffer = b""
        self._left = 0  # bytes of body to come, or UNTIL_CLOSE
        self._decoder: ChunkedBody | None = None
        self._interims = 0
        self.head: ResponseHead | None = None
        self.is_complete = False
        self.is_in_step = True
        self.switch: Switch | None = None

    @property
    def ends_with_connection(self) -> bool:
        """Nothing but the end of the connection says where it ends."""
        return self.head is not None and self._left == UNTIL_CLOSE

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            Malformed: They are no HTTP, or more of it than is sane.
        """
        if self.head is None:
            data = self._take_heads(data)
            if self.head is None:
                return
        if self._decoder is not None:
            self._take_chunks(self._decoder, data)
        elif self._left == UNTIL_CLOSE:
            if data:
                self._receiver.body_arrived(data)
        else:
            self._take_length(data)

    def end(self) -> None:
        """Take note that the connection ended, where that is the answer's end."""
        self.is_in_step = False
        self.is_complete = True
        self._receiver.body_ended([])

    def _take_heads(self, data: bytes) -> bytes:
        """Read heads until the final one; what follows it is returned."""
        data = self._buffer + data if self._buffer else data
        while data:
            end = data.find(_END) + len(_END)
            if end < len(_END):
                if len(data) > MAX_HEAD or data[: len(_START)] != _START[: len(data)]:
                    raise Malformed("the answer's head is too long, or not HTTP")
                if not can_become_a_head(data):
                    raise Malformed("a line of the answer's head does not end in CRLF")
                break
            if end > MAX_HEAD:
                raise Malformed("the answer's head is too long")
            head = self._reader.read(data[:end])
            data = data[end:]
            if head.status >= _FINAL:
                self._buffer = b""
                self._begin(head)
                return data
            if head.status == _SWITCHING:
                self._buffer = b""
                self._change(head, data)
                return b""
            self._take_interim(head)
        self._buffer = data
        return b""

    def _take_interim(self, head: ResponseHead) -> None:
        self._interims += 1
        if self._interims > MAX_INTERIM:
            raise Malformed("a flood of interim answers")
        self._receiver.interim_arrived(head)

    def _change(self, head: ResponseHead, rest: bytes) -> None:
        """Give way to another protocol, if it was asked for; nothing is fed from now on."""
        granted = () if self.switch is None else protocols_granted(head, self.switch.protocols)
        if self.switch is None or not granted:
            raise Malformed("a 101 that nobody asked for")
        self.switch.switched(head, granted, rest)

    def _begin(self, head: ResponseHead) -> None:
        length = response_length(head, self._method)
        self.head = head
        self._left = length
        if length == CHUNKED:
            self._decoder = ChunkedBody()
        self._receiver.head_arrived(head, length)

    def _take_length(self, data: bytes) -> None:
        left = self._left
        if len(data) > left:
            self.is_in_step = False
            data = data[:left]
        if data:
            self._left = left = left - len(data)
            self._receiver.body_arrived(data)
        if not left:
            self._complete([])

    def _take_chunks(self, decoder: ChunkedBody, data: bytes) -> None:
        if size := decoder.whole(data):
            self._receiver.chunk_arrived(data, size)
            return
        content = decoder.feed(data) if data else b""
        if content:
            self._receiver.body_arrived(content)
        if decoder.is_complete:
            if decoder.rest:
                self.is_in_step = False
            self._complete(decoder.trailers)

    def _complete(self, trailers: list[tuple[bytes, bytes]]) -> None:
        self.is_complete = True
        if self.head is not None and wants_close(self.head):
            self.is_in_step = False
        self._receiver.body_ended(trailers)
