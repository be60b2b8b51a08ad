"""A moment that moves with every byte, and is only looked at when it may be past."""

from collections.abc import Callable
from typing import Final, Protocol

NEVER: Final = float("inf")

# A timer that wakes later than this woke late because the loop was busy, or the process had
# no CPU: asyncio and uvloop are exact to a millisecond or two.
LATE_S: Final = 0.1
# As long as that at most: for what lies in the sockets to be read, a TLS handshake among it.
MOST_GRACE_S: Final = 1.0


class Timer(Protocol):
    """A call that is due."""

    def cancel(self) -> None:
        """Forget it."""


class Clock(Protocol):
    """What an event loop knows of time."""

    def time(self) -> float:
        """Monotonic seconds."""

    def call_at(self, when: float, callback: Callable[[], None], /) -> Timer:
        """Call back at a moment."""


class Deadline:
    """Rings once it is past.

    To postpone it, assign ``at``: that costs nothing, since the timer that runs
    looks at it when it wakes and sleeps on. So a connection may move its deadline
    with every read, and touches the loop's timers once in a while only.

    Timers come before what is in the sockets. So when the loop stood still, what came in
    time was not read yet, and nobody is to blame but us: the deadline is put off once, by
    as long as we were late, at most ``MOST_GRACE_S``.

    Args:
        clock: The loop.
        ring: Called when it is past; the deadline is ``NEVER`` by then.

    Attributes:
        at: Monotonic seconds of the loop, or ``NEVER``. Assign a later moment;
            for an earlier one call ``set``.
    """

    __slots__ = ("_clock", "_due", "_forgiven", "_ring", "_timer", "at")

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: Timer | None = None
        # When the timer wakes; it cannot be asked: of a call that is due at once, uvloop
        # gives a handle without a time.
        self._due = NEVER
        self._forgiven = NEVER  # the moment that was put off already
        self.at = NEVER

    def set(self, at: float) -> None:
        """Move it to any moment but ``NEVER``."""
        self.at = at
        if self._timer is None:
            self._sleep(at)
        elif self._due > at:
            self._timer.cancel()
            self._sleep(at)

    def cancel(self) -> None:
        """Never ring again, and hold on to nothing."""
        self.at = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """Never ring again, whatever is set later, and let go of who would hear it.

        Who owns a deadline and hears it is in a circle with it, and would stay in memory until
        the collector of garbage comes.
        """
        self.cancel()
        self._ring = _nobody

    def _sleep(self, until: float) -> None:
        # What is due already cannot be late.
        self._due = max(until, self._clock.time())
        self._timer = self._clock.call_at(until, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self.at == NEVER:
            return
        now = self._clock.time()
        if now < self.at:
            self._sleep(self.at)
            return
        if now - self._due > LATE_S and self.at != self._forgiven:
            self._forgiven = self.at
            self._sleep(now + min(now - self._due, MOST_GRACE_S))
            return
        self.at = NEVER
        self._ring()


def _nobody() -> None:
    """Hear nothing."""
