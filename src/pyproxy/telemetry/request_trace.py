"""A request in a trace: what is known of it while it is under way, in plain numbers."""

import os
from dataclasses import dataclass, field
from typing import Final

from pyproxy.wire.head import RequestHead
from pyproxy.wire.trace_context import RANDOM, SAMPLED, read_trace_context

_ALL: Final = 1 << 64


@dataclass(slots=True)
class Attempt:
    """One request to an upstream: a span of its own.

    Attributes:
        span_id: 16 hex digits.
        upstream: The endpoint, as in access lines.
        started: Monotonic seconds.
        ended: Likewise; 0: with the request itself.
        status: Of the answer; 0: there was none.
        code: Of the refusal, if it ended in one.
    """

    span_id: str
    upstream: str
    started: float
    ended: float = 0.0
    status: int = 0
    code: str = ""


@dataclass(slots=True)
class RequestTrace:
    """A request's place in a trace.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16, of the request here.
        parent_id: 16, of the client's span; empty if the trace begins here.
        flags: As in ``traceparent``.
        state: Sent on as it came.
        scheme: ``http`` or ``https``, of the client's connection.
        host: ``Host`` as sent.
        attempts: What was asked of upstreams, in order.
    """

    trace_id: str
    span_id: str
    parent_id: str
    flags: int
    state: bytes
    scheme: str
    host: bytes
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def is_sampled(self) -> bool:
        """Whether spans are made of it."""
        return bool(self.flags & SAMPLED)

    def attempt(self, upstream: str, now: float) -> Attempt:
        """Begin to ask an upstream."""
        begun = Attempt(os.urandom(8).hex(), upstream, now)
        self.attempts.append(begun)
        return begun

    def lines(self) -> bytes:
        """The field lines that the present attempt sends."""
        span_id = self.attempts[-1].span_id
        text = f"traceparent: 00-{self.trace_id}-{span_id}-{self.flags:02x}\r\n".encode("ascii")
        return b"%btracestate: %b\r\n" % (text, self.state) if self.state else text


class Sampler:
    """Decides which traces are recorded: as whoever began them did, else by chance.

    Args:
        ratio: Of the traces that begin here, 0 to 1.
    """

    def __init__(self, ratio: float) -> None:
        self._bound = round(ratio * _ALL)

    def begin(self, head: RequestHead, *, is_tls: bool) -> RequestTrace:
        """The place of a request in its trace, or in a new one."""
        scheme = "https" if is_tls else "http"
        host = head.index.get(b"host", b"")
        context = read_trace_context(head)
        if context is not None:
            return RequestTrace(
                context.trace_id, os.urandom(8).hex(), context.parent_id, context.flags,
                context.state, scheme, host,
            )  # fmt: skip
        ids = os.urandom(24)
        # The last eight bytes decide, as in every SDK, so that all who ask decide alike.
        is_sampled = int.from_bytes(ids[8:16], "big") < self._bound
        flags = RANDOM | SAMPLED if is_sampled else RANDOM
        return RequestTrace(ids[:16].hex(), ids[16:].hex(), "", flags, b"", scheme, host)
