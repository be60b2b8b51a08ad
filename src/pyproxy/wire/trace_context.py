"""Which trace a request belongs to: ``traceparent`` and ``tracestate`` (W3C Trace Context)."""

import re
from dataclasses import dataclass
from typing import Final

from pyproxy.wire.head import RequestHead

TRACEPARENT: Final = b"traceparent"
TRACESTATE: Final = b"tracestate"

SAMPLED: Final = 0x01
# Level 2: the trace id is random. What else stands in the flags has no meaning yet.
RANDOM: Final = 0x02

# Version, trace id, parent id, flags; a later version may say more behind a dash (section 4.3).
_TRACEPARENT: Final = re.compile(
    rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x20-\x7e]*)?"
)
_VERSION: Final = b"00"
_INVALID_VERSION: Final = b"ff"
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16


@dataclass(slots=True)
class TraceContext:
    """A trace that was begun elsewhere.

    Attributes:
        trace_id: 32 lower-case hex digits, not all zero.
        parent_id: 16 of the span that sent the request, not all zero.
        flags: ``SAMPLED`` and ``RANDOM``.
        state: What others keep in the request, as it was sent; ``b""``: nothing.
    """

    trace_id: str
    parent_id: str
    flags: int
    state: bytes


def read_trace_context(head: RequestHead) -> TraceContext | None:
    """The trace that a request says it belongs to; ``None``: to none, or malformed.

    Without a good ``traceparent`` the ``tracestate`` has no meaning either (section 4.3).
    """
    value = head.index.get(TRACEPARENT)
    if value is None or TRACEPARENT in head.repeated:
        return None
    found = _TRACEPARENT.fullmatch(value)
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    is_good = version != _INVALID_VERSION and not (version == _VERSION and more)
    if not is_good or trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return None
    return TraceContext(
        trace_id.decode("ascii"),
        parent_id.decode("ascii"),
        int(flags, 16) & (SAMPLED | RANDOM),
        _state(head),
    )


def _state(head: RequestHead) -> bytes:
    """Several fields are one list, in their order (section 3.3)."""
    if TRACESTATE not in head.repeated:
        return head.index.get(TRACESTATE, b"")
    values = (line.partition(b":")[2].strip() for name, line in head.lines if name == TRACESTATE)
    return b",".join(value for value in values if value)
