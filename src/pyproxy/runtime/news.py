"""What is said of a reload, in the log and in the audit log."""

from collections.abc import Mapping, Sequence

from pyproxy.errors.fault import Fault
from pyproxy.runtime.journal import Journal
from pyproxy.telemetry.audit import AuditEvent
from pyproxy.telemetry.log import Level

_NOTHING: Mapping[str, str | int] = {}


def tell_done(
    journal: Journal, event: AuditEvent, values: Mapping[str, str | int], warning: str = ""
) -> None:
    """Something new is in force; ``warning``: a sentence on what comes of it."""
    journal.audit.put(event, journal.wall(), result="ok", details=values)
    level: Level = "warning" if warning else "info"
    journal.log.write(level, event, warning, {"result": "ok", **values})


def tell_failed(
    journal: Journal,
    event: AuditEvent,
    stays: str,
    faults: Sequence[Fault],
    values: Mapping[str, str | int] = _NOTHING,
) -> None:
    """Nothing has changed, and why; ``stays``: what does, without ``in force``."""
    reason = "; ".join(map(str, faults))
    details = {**values, "reason": reason}
    journal.audit.put(event, journal.wall(), result="failed", details=details)
    journal.log.error(event, f"{stays} in force: {reason}", result="failed", **values)


def tell_remarks(journal: Journal, remarks: Sequence[Fault]) -> None:
    """What is allowed and unwise."""
    for fault in remarks:
        journal.log.write("warning", "configuration.remark", str(fault), {})
