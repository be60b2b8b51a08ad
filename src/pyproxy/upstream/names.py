"""Where a host is: what its name resolves to, remembered for a while."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

# The system's resolver does not tell how long its answer is good for; most records live 60 s.
FRESH_S: Final = 30.0
# A look-up that failed is not repeated at once (RFC 8767 section 5 calls this the recheck timer).
RECHECK_S: Final = 5.0
# How long a request waits for a fresh answer before it is content with the last one; RFC 8767
# section 5 suggests a little less than users wait.
PATIENCE_S: Final = 1.0
_NEVER: Final = float("inf")
# musl knows no EAI_NODATA.
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", 0)})

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """One address of a host.

    Attributes:
        family: ``AF_INET`` or ``AF_INET6``.
        address: As ``socket.connect`` takes it, numeric.
    """

    family: int
    address: Address

    @property
    def ip(self) -> str:
        """The address without its port."""
        return str(self.address[0])


LookUp = Callable[[str, int], Awaitable[Sequence[Place]]]
"""Finds the places of a host and port, best first. Raises ``OSError`` or ``UnicodeError``."""


class TurnedInwards(OSError):
    """A name that should be public resolves to private addresses alone."""


def asking_the_system(loop: asyncio.AbstractEventLoop) -> LookUp:
    """The look-up of the system's resolver, off the loop."""

    async def look_up(host: str, port: int) -> Sequence[Place]:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [Place(family, address) for family, _, _, _, address in found]

    return look_up


class Names:
    """What one name resolves to.

    An answer is good for ``FRESH_S``. While the next one fails or is late, the last
    good one is used; that there is no such name is an answer (RFC 8767 section 4), and
    so is that it was turned inwards.
    One look-up runs at a time, whoever waits for it.

    Args:
        host: Name, or an IP address, which is never looked up.
        port: TCP port.
        loop: The worker's.
        look_up: Asks.
        changed: Called with the IP addresses of the last two answers, after each.
        failed: Called with the error of the first look-up that failed in a row, and
            with ``None`` when one went well again.
    """

    def __init__(
        self, host: str, port: int, loop: asyncio.AbstractEventLoop, *,
        look_up: LookUp,
        changed: Callable[[frozenset[str]], None],
        failed: Callable[[OSError | UnicodeError | None], None],
    ) -> None:  # fmt: skip
        self._host, self._port = host, port
        self._loop = loop
        self._look_up = look_up
        self._changed = changed
        self._failed = failed
        literal = _literal(host, port)
        self._known: tuple[Place, ...] = (literal,) if literal else ()
        self._before: frozenset[str] = frozenset()
        self._due = _NEVER if literal else 0.0
        self._error: OSError | UnicodeError | None = None
        self._asked_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def places(self) -> tuple[Place, ...]:
        """The places to connect to, best first; waits for a look-up where one is due.

        Raises:
            OSError: There is no such name, or nothing is known of it.
            UnicodeError: It cannot be a name.
        """
        if self._known and self._loop.time() < self._due:
            return self._known
        looking = self._looking or self._start()
        patience = self._asked_at + PATIENCE_S - self._loop.time() if self._known else None
        if patience is None or patience > 0.0:
            # Not awaited as such: who leaves must not end it for those who stay.
            await asyncio.wait({looking}, timeout=patience)
        if not self._known:
            # Without its traceback, to which every raising would add.
            raise self._error.with_traceback(None) if self._error else OSError("nobody was asked")
        return self._known

    def keep_fresh(self) -> None:
        """Look the name up again if that is due; does not wait."""
        if self._loop.time() >= self._due and self._looking is None:
            _ = self._start()

    def demote(self, slow: Sequence[Place]) -> None:
        """Try these last until the name is looked up again: they were no good."""
        self._known = tuple(sorted(self._known, key=slow.__contains__))

    def doubt(self) -> None:
        """Look the name up again soon: nothing good was found where it leads."""
        if self._due != _NEVER:
            self._due = min(self._due, self._asked_at + RECHECK_S)

    def _start(self) -> "asyncio.Task[None]":
        self._asked_at = self._loop.time()
        self._looking = self._loop.create_task(self._look(), name="look-up of a name")
        return self._looking

    async def _look(self) -> None:
        try:
            found = tuple(dict.fromkeys(await self._look_up(self._host, self._port)))
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "no address")
        except (OSError, UnicodeError) as exc:
            self._take_failure(exc)
        else:
            self._take(found, FRESH_S)
            self._said(None)
        finally:
            self._looking = None

    def _take_failure(self, error: OSError | UnicodeError) -> None:
        is_nowhere = isinstance(error, socket.gaierror) and error.errno in _NO_SUCH_NAME
        if is_nowhere or isinstance(error, TurnedInwards):
            self._take((), RECHECK_S)
        else:
            self._due = self._loop.time() + RECHECK_S
        self._said(error)

    def _take(self, found: tuple[Place, ...], seconds: float) -> None:
        self._known = found
        self._due = self._loop.time() + seconds
        # Some servers tell a part of a name's addresses at a time, a different one each
        # time: what is not in one answer is not gone yet.
        ips = frozenset(place.ip for place in found)
        self._changed(ips | self._before)
        self._before = ips

    def _said(self, error: OSError | UnicodeError | None) -> None:
        was, self._error = self._error, error
        if (was is None) != (error is None):
            self._failed(error)


def _literal(host: str, port: int) -> Place | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return Place(family, (host, port))
    return None
