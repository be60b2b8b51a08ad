"""What a worker is told: at its start and at each reload the same."""

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pyproxy.config.load import Loaded
from pyproxy.runtime.sockets import Listening


@dataclass(frozen=True, slots=True)
class Orders:
    """A configuration to serve, and where.

    Attributes:
        loaded: The configuration.
        sockets: Those of each listener, by its address; the worker's own, to close.
    """

    loaded: Loaded
    sockets: Mapping[str, tuple[socket.socket, ...]]

    @classmethod
    def of(cls, loaded: Loaded, listenings: Iterable[Listening]) -> Self:
        """Orders with sockets of their own; closing them stops nobody else."""
        return cls(
            loaded, {each.spec: tuple(sock.dup() for sock in each.sockets) for each in listenings}
        )

    def close(self) -> None:
        """Close the sockets."""
        for sockets in self.sockets.values():
            for each in sockets:
                each.close()


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make everything ready, and change nothing yet; orders as they travel.

    Attributes:
        loaded: The configuration.
        counts: How many of the descriptors belong to each listener, in order.
    """

    loaded: Loaded
    counts: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, loaded: Loaded, listenings: Sequence[Listening]) -> tuple[Self, list[int]]:
        """The message, and the descriptors that go with it."""
        counts = tuple((each.spec, len(each.sockets)) for each in listenings)
        return cls(loaded, counts), [sock.fileno() for each in listenings for sock in each.sockets]

    def orders(self, descriptors: Iterable[int]) -> Orders:
        """The orders, at the worker's end."""
        received = iter(descriptors)
        return Orders(
            self.loaded,
            {bind: tuple(_adopt(next(received)) for _ in range(n)) for bind, n in self.counts},
        )


@dataclass(frozen=True, slots=True)
class Commit:
    """Put in force what was prepared."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Give up what was prepared."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Accept no more, let each connection ask once more, and end.

    Attributes:
        seconds: How long that may take.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class ListBans:
    """Say who is banned; answered with the bans."""


@dataclass(frozen=True, slots=True)
class LiftBan:
    """Let somebody in again; answered with whether he was banned.

    Attributes:
        client: As bans are written.
    """

    client: str


def _adopt(descriptor: int) -> socket.socket:
    adopted = socket.socket(fileno=descriptor)
    adopted.setblocking(False)
    return adopted
