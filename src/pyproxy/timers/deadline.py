"""A moment that moves with every byte, and is only looked at when it may be past."""

from collections.abc import Callable
from typing import Final, Protocol

NEVER: Final = float("inf")


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

    Args:
        clock: The loop.
        ring: Called when it is past; the deadline is ``NEVER`` by then.

    Attributes:
        at: Monotonic seconds of the loop, or ``NEVER``. Assign a later moment;
            for an earlier one call ``set``.
    """

    __slots__ = ("_clock", "_due", "_ring", "_timer", "at")

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: Timer | None = None
        # When the timer wakes; it cannot be asked: of a call that is due at once, uvloop
        # gives a handle without a time.
        self._due = NEVER
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

    def _sleep(self, until: float) -> None:
        self._due = until
        self._timer = self._clock.call_at(until, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self.at == NEVER:
            return
        if self._clock.time() < self.at:
            self._sleep(self.at)
            return
        self.at = NEVER
        self._ring()
