"""A collector of spans: takes OTLP over HTTP and reads it, or fails as it is told."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PATIENCE_S = 10.0


@dataclass
class Seen:
    """A span as it arrived; attributes are plain values."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    state: str
    attributes: dict
    resource: dict
    is_error: bool
    seconds: float
    started: float


class Collector(ThreadingHTTPServer):
    """Keeps the spans that arrive.

    Attributes:
        status: Answered to every request.
        released: Cleared: nothing is answered until it is set.
        received: Every byte of bodies, and every field.
        asked: How many requests came.
    """

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Take)
        self.status = 200
        self.released = threading.Event()
        self.released.set()
        self.received = bytearray()
        self.asked = 0
        self.spans = []
        self.news = threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        super().__exit__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def wait_for(self, count, **values):
        """The first so many spans that have these values, in the order of their start."""

        def found():
            return [s for s in self.spans if all(getattr(s, n) == v for n, v in values.items())]

        with self.news:
            assert self.news.wait_for(lambda: len(found()) >= count, PATIENCE_S), self.spans
        return sorted(found(), key=lambda span: span.started)

    def wait_asked(self, count=1):
        with self.news:
            assert self.news.wait_for(lambda: self.asked >= count, PATIENCE_S)


class _Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.news:
            server.asked += 1
            server.received += body + bytes(self.headers)
            if server.status == 200 and server.released.is_set():
                server.spans += _read(body)
            server.news.notify_all()
        server.released.wait(PATIENCE_S)
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


def _read(body):
    message = ExportTraceServiceRequest.FromString(body)
    return [
        _seen(span, of_resource.resource)
        for of_resource in message.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _seen(span, resource):
    assert abs(time.time() - span.end_time_unix_nano / 1e9) < 60.0
    return Seen(
        span.name,
        Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.trace_state,
        _plain(span.attributes),
        _plain(resource.attributes),
        span.status.code == Status.STATUS_CODE_ERROR,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        span.start_time_unix_nano / 1e9,
    )


def _plain(attributes):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
