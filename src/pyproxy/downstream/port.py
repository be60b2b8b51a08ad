"""What all connections of a listener share."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import Refusal


class Open(Protocol):
    """An open connection, as far as its listener cares."""

    @property
    def is_done(self) -> bool:
        """Nothing is served and nothing unsent."""
        ...

    def abort(self) -> None:
        """End it at once."""

    def close_if_idle(self) -> None:
        """End it unless a request is being served or has begun to arrive."""

    def leave(self) -> None:
        """End it if it is no matter of requests any more."""


@dataclass(slots=True)
class Port:
    """What all connections of a listener share.

    Attributes:
        serve: Answers one exchange; returns when its answer is written.
        reject: Makes the answer to something that is no request.
        spawn: Starts the task of a request that has to wait, named for logs, and keeps it.
        header_timeout: Seconds from accept, or from a request's first byte, to
            the end of its head; also the longest silence inside a body.
        idle_timeout: Seconds without a request; also the longest a client may
            leave an answer unread.
        max_header_size: Bytes of all fields of a request.
        is_draining: Connections close after what they are doing.
        is_leaving: Connections take one request more, whose answer says that they close.
        connections: Open connections.
    """

    serve: Callable[[Exchange], Coroutine[object, object, None]]
    reject: Callable[[Refusal, Peer], bytes]
    spawn: Callable[[Coroutine[object, object, None], str], "asyncio.Task[None]"]
    header_timeout: float
    idle_timeout: float
    max_header_size: int
    is_draining: bool = False
    is_leaving: bool = False
    connections: set[Open] = field(default_factory=set)

    def abort(self) -> None:
        """End every connection at once."""
        for connection in tuple(self.connections):
            connection.abort()

    def leave(self) -> None:
        """Let each connection take one request more; one that takes none ends now."""
        self.is_leaving = True
        for connection in tuple(self.connections):
            connection.leave()

    def drain(self) -> None:
        """Close idle connections now and busy ones after their exchange."""
        self.is_draining = True
        for connection in tuple(self.connections):
            connection.close_if_idle()
