"""Trouble that repeats, written down once a second."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from pyproxy.telemetry.log import Level, Log, Value

EVERY_S: Final = 1.0
# A kind is made of our own words and names; some of them hold what an upstream showed.
MAX_KINDS: Final = 256


@dataclass(slots=True)
class _Said:
    """What became of one kind of trouble.

    Attributes:
        at: Monotonic seconds of the last line.
        suppressed: How often it came since and was not written.
    """

    at: float
    suppressed: int = 0


class SparingLog:
    """Writes the first of a kind at once, and the next a second later.

    A line says in ``suppressed`` how many of its kind were left out before it.
    At ``MAX_KINDS`` the kind that was written least recently is forgotten, and its
    count with it.

    Args:
        log: Where to.
        every_s: Seconds between two lines of a kind.
    """

    def __init__(self, log: Log, every_s: float = EVERY_S) -> None:
        self._log = log
        self._every_s = every_s
        self._kinds: dict[Hashable, _Said] = {}

    def put(self, level: Level, event: str, now: float, kind: Hashable, /, **values: Value) -> None:
        """Write one line, or count it; never waits and never fails.

        Args:
            level: As in ``Log.write``.
            event: As in ``Log.write``.
            now: Monotonic seconds.
            kind: What repeats, beside the event.
            values: As in ``Log.write``; of the line that is written.
        """
        said = self._kinds.get((event, kind))
        if said is not None and 0.0 <= now - said.at < self._every_s:
            said.suppressed += 1
            return
        if said is not None and said.suppressed:
            values["suppressed"] = said.suppressed
        self._remember((event, kind), now)
        self._log.write(level, event, "", values)

    def _remember(self, key: Hashable, now: float) -> None:
        self._kinds.pop(key, None)  # so that the order is that of the lines
        if len(self._kinds) >= MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[key] = _Said(now)
