"""Finished requests as OpenTelemetry spans, and their way to a collector (OTLP over HTTP)."""

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from pyproxy.telemetry.request_trace import Attempt, RequestTrace
from pyproxy.telemetry.tracer import Finished, TraceRules

Attributes = Mapping[str, str | int]

# A collector that is slower than this is one that is down; what is tried again counts too.
_TIMEOUT_S: Final = 5.0
_NS: Final = 1_000_000_000
_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400
_MAX_TEXT: Final = 256
_KNOWN_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)


class OtlpExporter:
    """Sends spans to a collector.

    Args:
        rules: Where to, and who we are.
        version: Ours.
    """

    def __init__(self, rules: TraceRules, version: str) -> None:
        # It says each failed attempt; the tracer says once that none works.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._names_users = rules.names_users
        self._resource = Resource.create(
            {
                "service.name": rules.service_name,
                "service.version": version,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            }
        )
        self._scope = InstrumentationScope("pyproxy", version)
        self._exporter = OTLPSpanExporter(
            endpoint=rules.endpoint, headers=dict(rules.headers), timeout=_TIMEOUT_S
        )

    def export(self, batch: Sequence[Finished]) -> str:
        """See ``Exporter.export``."""
        spans = [span for each in batch for span in self._spans(each)]
        is_sent = self._exporter.export(spans) is SpanExportResult.SUCCESS
        return "" if is_sent else "the collector did not take them"

    def close(self) -> None:
        """See ``Exporter.close``."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # theirs

    def _spans(self, finished: Finished) -> Iterator[ReadableSpan]:
        trace, record = finished.trace, finished.record
        method = record.method if record.method in _KNOWN_METHODS else "HTTP"
        context = _context(trace, trace.span_id)
        is_error = record.status >= _SERVER_ERROR or record.is_aborted
        yield ReadableSpan(
            name=f"{method} {record.route}" if record.route else method,
            context=context,
            parent=_context(trace, trace.parent_id, is_remote=True) if trace.parent_id else None,
            resource=self._resource,
            attributes=_of_request(finished, names_users=self._names_users),
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR if is_error else StatusCode.UNSET),
            start_time=_ns(finished, finished.started),
            end_time=_ns(finished, finished.ended),
            instrumentation_scope=self._scope,
        )
        for number, attempt in enumerate(trace.attempts):
            has_failed = bool(attempt.code) or not 0 < attempt.status < _CLIENT_ERROR
            yield ReadableSpan(
                name=method,
                context=_context(trace, attempt.span_id),
                parent=context,
                resource=self._resource,
                attributes=_of_attempt(attempt, record.method, number),
                kind=SpanKind.CLIENT,
                status=Status(StatusCode.ERROR if has_failed else StatusCode.UNSET),
                start_time=_ns(finished, attempt.started),
                end_time=_ns(finished, attempt.ended or finished.ended),
                instrumentation_scope=self._scope,
            )


def _context(trace: RequestTrace, span_id: str, *, is_remote: bool = False) -> SpanContext:
    state = TraceState.from_header([trace.state.decode("latin-1")]) if trace.state else None
    return SpanContext(
        int(trace.trace_id, 16), int(span_id, 16), is_remote, TraceFlags(trace.flags), state
    )


def _of_request(finished: Finished, *, names_users: bool) -> Attributes:
    """HTTP server spans of the semantic conventions, without what could hold a credential.

    No query, no fields, no body; ``url.path`` as in the access line.
    """
    trace, record = finished.trace, finished.record
    host, port = _place(trace.host.decode("latin-1"))
    texts = {
        "http.request.method": record.method if record.method in _KNOWN_METHODS else "_OTHER",
        "http.route": record.route,
        "url.scheme": trace.scheme,
        "url.path": record.path,
        "server.address": host,
        "client.address": record.ip,
        "error.type": record.code or _error_type(record.status, _SERVER_ERROR),
        "pyproxy.request_id": record.request_id,
        "enduser.id": record.user if names_users else "",
    }
    numbers = {
        "server.port": port,
        "http.response.status_code": record.status,
        "http.request.body.size": record.bytes_in,
        "http.response.body.size": record.bytes_out,
    }
    return _said(texts, numbers)


def _of_attempt(attempt: Attempt, method: str, number: int) -> Attributes:
    """HTTP client spans; without ``url.full``, whose query may hold a credential."""
    host, port = _place(attempt.upstream)
    texts = {
        "http.request.method": method if method in _KNOWN_METHODS else "_OTHER",
        "server.address": host,
        "error.type": attempt.code or _error_type(attempt.status, _CLIENT_ERROR),
    }
    numbers = {
        "server.port": port,
        "http.response.status_code": attempt.status,
        "http.request.resend_count": number,
    }
    return _said(texts, numbers)


def _said(texts: Mapping[str, str], numbers: Mapping[str, int]) -> Attributes:
    """What there is to say; a number that is 0 says nothing."""
    return {name: value[:_MAX_TEXT] for name, value in texts.items() if value} | {
        name: value for name, value in numbers.items() if value
    }


def _error_type(status: int, least: int) -> str:
    return str(status) if status >= least else ""


def _place(authority: str) -> tuple[str, int]:
    """Host and port of an authority; nothing of what is none."""
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port
    except ValueError:
        return "", 0
    return parts.hostname or "", port or 0


def _ns(finished: Finished, moment: float) -> int:
    """A monotonic moment as nanoseconds since the epoch, by the request's end."""
    return int(finished.wall * _NS) - int((finished.ended - moment) * _NS)
