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

# Lines of its own that are no event: some could not be written.
LOST: Final = "log.lost"
SUPPRESSED: Final = "suppressed"

# A line is under a kilobyte, so one event that is provoked without end costs
# some 200 MB a day at most. A burst is what an honest incident looks like.
MAX_BURST: Final = 200
MAX_PER_SECOND: Final = 5.0

MAX_TEXT: Final = 256
MAX_DETAILS: Final = 16
# As long as a client's may be; never shorter, for it is what lines are found by.
MAX_REQUEST_ID: Final = 128
# With its line feed no more than a pipe takes in one piece (4096, pipe(7)), and less
# than what a syslog cuts (rsyslog: 8 KiB).
MAX_LINE: Final = 4000
# Escaped, 256 characters may become 3 KiB; such lines are made of shorter texts.
_SHORTER: Final = (MAX_TEXT, 64, 16, 4)


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
    left out before it. The schema of a line: ``telemetry.audit_schema``.

    Args:
        put: Takes a line without its line feed; see ``LineSink.put``.

    Attributes:
        suppressed_total: Events that were not written, since the start.
    """

    def __init__(self, put: Callable[[str], None]) -> None:
        self.suppressed_total = 0
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

        Texts are cut at ``MAX_TEXT``, or shorter where the line would be longer than
        ``MAX_LINE``, and escaped. No argument may be a credential; a key is named by
        its name or its id.

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
            self.suppressed_total += 1
            return
        suppressed, allowance.suppressed = allowance.suppressed, 0
        texts = (event, user, ip, result, details or {}, request_id, suppressed)
        self._put(_line(self._stamp(wall), *texts))

    def lost_line(self, lost: int, wall: float) -> str:
        """The line with which a ``LineSink`` owns up to audit lines it dropped."""
        return _line(self._stamp(wall), LOST, "", "", "lost", {"lost": lost}, "", 0)

    def close(self, wall: float) -> None:
        """Write what was suppressed and not yet said, a line for each event."""
        for event, allowance in self._allowances.items():
            if allowance.suppressed:
                allowance.lines = 1.0
                self.put(event, wall, result=SUPPRESSED)


def _line(
    time: str,
    event: str,
    user: str,
    ip: str,
    result: str,
    details: Mapping[str, Detail],
    request_id: str,
    suppressed: int,
) -> str:
    some = tuple(details.items())[:MAX_DETAILS]
    text = ""
    for most in _SHORTER:
        line: dict[str, object] = {
            "time": time,
            "event": event,
            "user": user[:most],
            "ip": ip[:most],
            "result": result[:most],
            "details": {
                name[:most]: value[:most] if isinstance(value, str) else _number(value)
                for name, value in some
            },
            "request_id": request_id[:MAX_REQUEST_ID],
        }
        if suppressed:
            line["suppressed"] = suppressed
        text = json.dumps(line, separators=(",", ":"))
        if len(text) <= MAX_LINE:
            break
    return text


def _number(value: float | bool | None) -> float | bool | str | None:
    """A number as JSON knows it (RFC 8259 section 6): infinity and the like it does not."""
    is_special = isinstance(value, float) and value - value != 0.0
    return str(value) if is_special else value


def _spend(allowance: _Allowance, wall: float) -> bool:
    elapsed = max(0.0, wall - allowance.updated_at)
    allowance.updated_at = wall
    allowance.lines = min(MAX_BURST, allowance.lines + elapsed * MAX_PER_SECOND)
    if allowance.lines < 1.0:
        return False
    allowance.lines -= 1.0
    return True
