"""An answer of which the status alone is wanted."""

import asyncio
from typing import Final

from pyproxy.errors.refusal import Refusal
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.wire.head import FieldLine, ResponseHead

# An answer that is longer tells no more; its connection is broken off.
_LONGEST_ANSWER: Final = 64 * 1024


async def status_of(connection: UpstreamConnection, head: bytes, until: float) -> int:
    """Send a request without a body, and hear its answer to the end.

    The connection is kept or ended, as after any request.

    Args:
        connection: Open, and nothing under way.
        head: Of a GET, with its empty line.
        until: By the loop's clock.

    Raises:
        TimeoutError: There was no whole answer by then.
        Refusal: There was none, or no answer at all.
    """
    loop = asyncio.get_running_loop()
    hearing = _Hearing(loop)
    try:
        async with asyncio.timeout_at(until):
            connection.request(
                head,
                b"GET",
                is_chunked=False,
                receiver=hearing,
                read_timeout=max(0.0, until - loop.time()),
            )
            connection.body_ended([])
            connection.flush_request()
            return await hearing.status
    finally:
        if not hearing.is_over:
            connection.abort()


class _Hearing:
    """Takes the answer.

    Attributes:
        status: Once the answer is whole, or longer than anybody wants to hear.
        is_over: The connection needs no end: it has one, or is somebody else's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.status: asyncio.Future[int] = loop.create_future()
        self.is_over = False
        self._said = 0
        self._length = 0

    def interim_arrived(self, head: ResponseHead) -> None:
        """It works on it."""

    def head_arrived(self, head: ResponseHead, length: int) -> None:
        """The status tells all."""
        del length
        self._said = head.status

    def chunk_arrived(self, data: bytes, size: int) -> None:
        """Count it."""
        del size
        self.body_arrived(data)

    def body_arrived(self, data: bytes) -> None:
        """Count it; nobody reads it."""
        self._length += len(data)
        if self._length > _LONGEST_ANSWER:
            self._decide()

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """The answer is whole."""
        del trailers
        self.is_over = True
        self._decide()

    def flush(self) -> None:
        """Nothing is passed on."""

    def failed(self, refusal: Refusal) -> None:
        """There is no answer, or no whole one."""
        self.is_over = True
        if not self.status.done():
            self.status.set_exception(refusal)

    def upload_blocked(self) -> None:
        """There is no body."""

    def upload_unblocked(self) -> None:
        """There is no body."""

    def _decide(self) -> None:
        if not self.status.done():
            self.status.set_result(self._said)
