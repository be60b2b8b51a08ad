"""Security events: one JSON line each, and never so many that they fill the disk."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from pyproxy.telemetry.style import Timestamp

AuditEvent = Literal[
    "auth.ok",
    "auth.failed",
    "auth.banned",
    "ban.lifted",
    "token.minted",
    "token.revoked",
    "key.reloaded",
    "jwks.reloaded",
    "config.reloaded",
    "limit.exceeded",
    "access.denied",
]
Detail = str | int | float | bool | None

# A line is under a kilobyte, so one event that is provoked without end costs
# some 200 MB a day at most. A burst is what an honest incident looks like.
MAX_BURST: Final = 200
MAX_PER_SECOND: Final = 5.0

MAX_TEXT: Final = 256
MAX_DETAILS: Final = 16


@dataclass(slots=True)
class _Allowance:
    """Lines that an event may still write.

    Attributes:
        lines: At most ``MAX_BURST``.
        updated_at: Epoch seconds of the last look.
        suppressed: Events that were not written since the last that was.
    """

    lines: float
    updated_at: float
    suppressed: int = 0


class AuditLog:
    """Writes audit events as lines.

    Of each event ``MAX_BURST`` lines go out at once and ``MAX_PER_SECOND``
    after that. The next line says in ``suppressed`` how many of its kind were
    left out before it.

    Args:
        put: Takes a line without its line feed; see ``LineSink.put``.
    """

    def __init__(self, put: Callable[[str], None]) -> None:
        self._put = put
        self._stamp = Timestamp()
        self._allowances = {event: _Allowance(MAX_BURST, 0.0) for event in get_args(AuditEvent)}

    def put(
        self,
        event: AuditEvent,
        wall: float,
        *,
        user: str = "",
        ip: str = "",
        result: str = "",
        details: Mapping[str, Detail] | None = None,
        request_id: str = "",
    ) -> None:
        """Write one event, or count it; never waits and never fails.

        Texts are cut at ``MAX_TEXT`` and escaped. No argument may be a
        credential; a key is named by its name or its id.

        Args:
            event: What happened. ``auth.ok`` is for a credential that was
                verified, not for each request on which it is remembered.
            wall: Epoch seconds.
            user: The principal's name, as far as it is known.
            ip: The client's address.
            result: In a word: ``ok``, ``denied``, a refusal's code.
            details: For the operator, who may know why; the first ``MAX_DETAILS``.
            request_id: Of the request, if there is one.
        """
        allowance = self._allowances[event]
        if not _spend(allowance, wall):
            allowance.suppressed += 1
            return
        line: dict[str, object] = {
            "time": self._stamp(wall),
            "event": event,
            "user": user[:MAX_TEXT],
            "ip": ip[:MAX_TEXT],
            "result": result[:MAX_TEXT],
            "details": _cut(details or {}),
            "request_id": request_id[:MAX_TEXT],
        }
        if allowance.suppressed:
            line["suppressed"] = allowance.suppressed
            allowance.suppressed = 0
        self._put(json.dumps(line, separators=(",", ":")))

    def close(self, wall: float) -> None:
        """Write what was suppressed and not yet said, a line for each event."""
        for event, allowance in self._allowances.items():
            if allowance.suppressed:
                allowance.lines = 1.0
                self.put(event, wall, result="suppressed")


def _spend(allowance: _Allowance, wall: float) -> bool:
    elapsed = max(0.0, wall - allowance.updated_at)
    allowance.updated_at = wall
    allowance.lines = min(MAX_BURST, allowance.lines + elapsed * MAX_PER_SECOND)
    if allowance.lines < 1.0:
        return False
    allowance.lines -= 1.0
    return True


def _cut(details: Mapping[str, Detail]) -> dict[str, Detail]:
    return {
        name[:MAX_TEXT]: value[:MAX_TEXT] if isinstance(value, str) else value
        for name, value in list(details.items())[:MAX_DETAILS]
    }
