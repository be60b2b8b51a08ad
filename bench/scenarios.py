"""What is measured, and which figure decides."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.contenders.contender import Contender
from bench.load import Figures, Load

CONNECTIONS = 32
STREAMS = 200
EVENTS_PER_S = 50
IDLE_STREAMS = 1000
MEGABYTES = 200
# 32 hashes of a quarter of a second at a time end after eight seconds, all together.
LEAST_BCRYPT_S = 10.0

PER_REQUEST = "cpu_us_per_request"

Run = Callable[[Load, Contender, str, float], Figures]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of work.

    Attributes:
        what: For the report.
        figure: The one that decides.
        cost: The CPU time that it took; steadier than a rate on a busy machine.
        is_more_better: Of that figure.
        credential: The kind of credential that clients send.
        run: Measures a contender once, for about so many seconds.
        wants_any_path: Asks for paths that only a transparent contender passes on.
    """

    what: str
    figure: str
    cost: str
    is_more_better: bool
    credential: str
    run: Run
    wants_any_path: bool = False

    def token(self, contender: Contender) -> str | None:
        """What clients of a contender send; None where it cannot do this kind of work."""
        if self.wants_any_path and not contender.is_transparent:
            return None
        return contender.accepts.get(self.credential)


def _requests(load: Load, contender: Contender, token: str, seconds: float) -> Figures:
    return load.requests(contender, token, CONNECTIONS, seconds)


def _hashes(load: Load, contender: Contender, token: str, seconds: float) -> Figures:
    return load.requests(contender, token, CONNECTIONS, max(seconds, LEAST_BCRYPT_S))


def _latency(load: Load, contender: Contender, token: str, seconds: float) -> Figures:
    return load.requests(contender, token, 1, seconds)


def _events(load: Load, contender: Contender, token: str, seconds: float) -> Figures:
    events = int(seconds * EVENTS_PER_S)
    return load.streams(contender, token, STREAMS, events, 1000 // EVENTS_PER_S)


def _idle(load: Load, contender: Contender, token: str, _: float) -> Figures:
    return load.streams(contender, token, IDLE_STREAMS, 2, 2500)


def _download(load: Load, contender: Contender, token: str, _: float) -> Figures:
    return load.download(contender, token, MEGABYTES)


def _throughput(credential: str, words: str, run: Run) -> Scenario:
    what = f"{words}, {CONNECTIONS} connections"
    return Scenario(what, "requests_per_s", PER_REQUEST, True, credential, run)


SCENARIOS = {
    "key": _throughput("key", "an API key", _requests),
    "jwt": _throughput("jwt", "a token, RS256", _requests),
    "bcrypt": _throughput("bcrypt", "an API key kept as a bcrypt hash", _hashes),
    "latency": Scenario(
        "an API key, 1 connection", "p50_us", PER_REQUEST, False, "key", _latency
    ),
    "sse": Scenario(
        f"{STREAMS} streams of {EVENTS_PER_S} events/s",
        "cpu_us_per_event", "cpu_us_per_event", False, "key", _events, wants_any_path=True,
    ),
    "download": Scenario(
        f"{MEGABYTES} MB at once",
        "mb_per_s", "cpu_ms_per_mb", True, "key", _download, wants_any_path=True,
    ),
    "idle": Scenario(
        f"{IDLE_STREAMS:,} open, silent streams",
        "resident_mib", "cpu_us_per_stream_opened", False, "key", _idle, wants_any_path=True,
    ),
}  # fmt: skip
