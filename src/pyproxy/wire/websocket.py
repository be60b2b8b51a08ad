"""A WebSocket's frames, as far as one who only passes them on must know them (RFC 6455 §5)."""

from typing import Final

GOING_AWAY: Final = 1001  # RFC 6455 section 7.4.1

_CLOSE: Final = 0x8
_FIN: Final = 0x80
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_SHORTEST: Final = 2  # bytes of a header
_LONGEST: Final = 14
# What the seven bits of a length say if the length is in the bytes behind them.
_IN_16_BITS: Final = 126
_IN_64_BITS: Final = 127


def close_frame(code: int, mask: bytes = b"") -> bytes:
    """A Close frame without a reason.

    Args:
        code: Why.
        mask: Four bytes that nobody can foresee, for a frame as a client sends it
            (section 5.3); empty for one as a server does.
    """
    payload = code.to_bytes(2)
    if not mask:
        return bytes((_FIN | _CLOSE, len(payload))) + payload
    masked = bytes(byte ^ key for byte, key in zip(payload, mask, strict=False))
    return bytes((_FIN | _CLOSE, _MASKED | len(payload))) + mask + masked


class FrameTracker:
    """Knows where frames end in a stream of them; looks at their headers alone.

    Nothing is checked: what breaks the protocol is for the two ends to find.

    Attributes:
        has_closed: A Close frame began.
    """

    __slots__ = ("_head", "_left", "has_closed")

    def __init__(self) -> None:
        self._head = b""  # of a header that is not whole
        self._left = 0  # bytes of payload to come
        self.has_closed = False

    @property
    def is_between(self) -> bool:
        """The last frame is whole, and no other has begun."""
        return not self._left and not self._head

    def feed(self, data: bytes) -> None:
        """Take note of bytes that follow those before."""
        at, end = 0, len(data)
        while at < end:
            at = self._step(data, at, end)

    def finish(self, data: bytes) -> int:
        """Take note of bytes up to the end of the frame that is under way.

        Returns:
            How many those are; all if it does not end in them.
        """
        at, end = 0, len(data)
        while at < end and not self.is_between:
            at = self._step(data, at, end)
        return at

    def _step(self, data: bytes, at: int, end: int) -> int:
        """Pass what there is of a payload, or of a header."""
        left = self._left
        if left:
            taken = min(left, end - at)
            self._left = left - taken
            return at + taken
        before = len(self._head)
        head = self._head + data[at : at + _LONGEST - before]
        size = _header_size(head)
        if len(head) < size:
            self._head = head
            return end
        self._head = b""
        self._left = _payload_size(head)
        if head[0] & 0x8F == _FIN | _CLOSE:
            self.has_closed = True
        return at + size - before


def _header_size(head: bytes) -> int:
    """Bytes of the header that begins so; of one byte, as many as the shortest has."""
    if len(head) < _SHORTEST:
        return _SHORTEST
    size, length = _SHORTEST, head[1] & 0x7F
    if length == _IN_16_BITS:
        size += 2
    elif length == _IN_64_BITS:
        size += 8
    return size + _MASK_BYTES if head[1] & _MASKED else size


def _payload_size(head: bytes) -> int:
    length = head[1] & 0x7F
    if length == _IN_16_BITS:
        return int.from_bytes(head[2:4])
    if length == _IN_64_BITS:
        return int.from_bytes(head[2:10])
    return length


class Speech:
    """One direction of a WebSocket, which can be ended between two frames.

    Attributes:
        is_over: It was ended: a Close frame has passed, the speaker's or ours, and
            nothing follows.
    """

    __slots__ = ("_close", "_tracker", "is_over")

    def __init__(self) -> None:
        self._tracker = FrameTracker()
        self._close = b""  # ours, once it is to be said
        self.is_over = False

    @property
    def has_closed(self) -> bool:
        """The speaker said Close, heard or not."""
        return self._tracker.has_closed

    def hear(self, data: bytes) -> bytes:
        """Take what the speaker sent, and give what passes on."""
        tracker = self._tracker
        if not self._close:
            tracker.feed(data)
            return data
        if self.is_over:
            tracker.feed(data)
            return b""
        end = tracker.finish(data)
        heard = data[:end] + self._end()
        tracker.feed(data[end:])
        return heard

    def close(self, frame: bytes) -> bytes:
        """Say Close at the end of the frame under way, unless the speaker does.

        Args:
            frame: Ours.

        Returns:
            What is to be sent at once: the frame, or nothing yet.
        """
        self._close = frame
        return self._end()

    def _end(self) -> bytes:
        if self.is_over or not self._tracker.is_between:
            return b""
        self.is_over = True
        return b"" if self._tracker.has_closed else self._close
