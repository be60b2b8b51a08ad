"""Traces on their way out: kept as plain records, made into spans by one thread."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Protocol

from pyproxy.telemetry.backtrace import describe
from pyproxy.telemetry.record import Record
from pyproxy.telemetry.request_trace import RequestTrace, Sampler

# Requests that wait to be made into spans; further ones are dropped and counted.
MAX_PENDING: Final = 4096
MAX_BATCH: Final = 256
# After the first request of a batch others are waited for this long.
GATHER_S: Final = 1.0
CLOSE_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class TraceRules:
    """How requests are traced.

    Attributes:
        endpoint: URL that takes spans (OTLP over HTTP).
        sample: Share of the traces begun here that are recorded.
        service_name: Who we are.
        headers: Sent with the spans; secret.
        names_users: Whether spans tell who asked.
    """

    endpoint: str
    sample: float = 1.0
    service_name: str = "pyproxy"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    names_users: bool = False


@dataclass(slots=True)
class Finished:
    """A request that is over.

    Attributes:
        trace: Its place.
        record: Complete.
        started: Monotonic seconds.
        ended: Likewise.
        wall: Epoch seconds of the end.
    """

    trace: RequestTrace
    record: Record
    started: float
    ended: float
    wall: float


class Exporter(Protocol):
    """Sends spans; may block for some seconds."""

    def export(self, batch: Sequence[Finished]) -> str:
        """Send the spans of requests; why that failed, ``""`` if it did not."""

    def close(self) -> None:
        """Give up what is being sent."""


class Tracer:
    """Takes requests without ever waiting or failing, and has their spans sent.

    With nobody to take them, spans are dropped and counted: they are worth no
    request's time, and no memory beyond ``MAX_PENDING``.

    Args:
        rules: How.
        open_exporter: Called by the sending thread; it loads what takes time to load.
        tell: Called by that thread with a reason when sending begins to fail, and with
            ``""`` when it works again.
        gather_s: Seconds that a batch waits for further requests.

    Attributes:
        rules: In force.
        dropped_total: Requests whose spans were not sent, since the start.
    """

    def __init__(
        self,
        rules: TraceRules,
        open_exporter: Callable[[TraceRules], Exporter],
        tell: Callable[[str], None],
        *,
        gather_s: float = GATHER_S,
    ) -> None:
        self.rules = rules
        self.dropped_total = 0
        self.begin = Sampler(rules.sample).begin
        self._open_exporter = open_exporter
        self._tell = tell
        self._gather_s = gather_s
        self._pending: deque[Finished] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_rung = False
        self._is_troubled = False
        self._closing = threading.Event()
        self._exporter: Exporter | None = None
        self._thread: threading.Thread | None = None

    def put(self, record: Record, started: float, ended: float, wall: float) -> None:
        """Have the spans of a request sent, if its trace is recorded.

        Args:
            record: Complete, with its trace; kept.
            started: Monotonic seconds.
            ended: Likewise.
            wall: Epoch seconds of the end.
        """
        trace = record.trace
        if trace is None or not trace.is_sampled:
            return
        if len(self._pending) >= MAX_PENDING or self._closing.is_set():
            self.dropped_total += 1
            return
        self._pending.append(Finished(trace, record, started, ended, wall))
        if not self._is_rung:
            self._is_rung = True
            self._start()
            self._bell.put(None)

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Send what is pending; give up after ``timeout_s``. Blocks."""
        self._closing.set()
        self._bell.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive() and self._exporter is not None:
                self._exporter.close()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="span-sender", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        self._exporter = self._open_exporter(self.rules)
        while not self._closing.is_set():
            self._bell.get()
            self._closing.wait(self._gather_s)
            self._is_rung = False
            self._send_all(self._exporter)
        self._send_all(self._exporter)
        self._exporter.close()

    def _send_all(self, exporter: Exporter) -> None:
        while self._pending:
            count = min(MAX_BATCH, len(self._pending))
            batch = [self._pending.popleft() for _ in range(count)]
            try:
                problem = exporter.export(batch)
            except Exception as exc:  # noqa: BLE001 - a library's fault must not end the sending
                problem = describe(exc)
            if problem:
                self.dropped_total += len(batch)
            if bool(problem) != self._is_troubled:
                self._is_troubled = bool(problem)
                self._tell(problem)
            if problem and self._closing.is_set():
                self.dropped_total += len(self._pending)
                self._pending.clear()
