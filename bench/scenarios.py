"""What is measured, and which figure decides."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.contenders.contender import Contender
from bench.load import Figures, Load
from bench.sdk import FIELDS

CONNECTIONS = 32
STREAMS = 200
EVENTS_PER_S = 50
IDLE_STREAMS = 1000
MEGABYTES = 200
# Hashes of a quarter of a second on one CPU end all together: that many in a second, and longer
# on a busy machine.
HASHING_CONNECTIONS = 4
LEAST_BCRYPT_S = 5

PER_REQUEST = "cpu_us_per_request"

Run = Callable[[Load, Contender, str, int], Figures]


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
        most_rounds: Further ones are not worth their time: the figure is steady, or so far
            from the others' that its digits do not matter.
        is_quick: Part of a quick run.
        is_among_ours: Compares what pyproxy does with what else it does; not for a picture of
            it beside others.
    """

    what: str
    figure: str
    cost: str
    is_more_better: bool
    credential: str
    run: Run
    wants_any_path: bool = False
    most_rounds: int = 1000
    is_quick: bool = True
    is_among_ours: bool = False

    def token(self, contender: Contender) -> str | None:
        """What clients of a contender send; None where it cannot do this kind of work."""
        if self.wants_any_path and not contender.is_transparent:
            return None
        return contender.accepts.get(self.credential)


def _requests(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.requests(contender, token, CONNECTIONS, seconds)


def _sdk_requests(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.requests(contender, token, CONNECTIONS, seconds, *FIELDS)


def _hashes(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.requests(contender, token, HASHING_CONNECTIONS, max(seconds, LEAST_BCRYPT_S))


def _latency(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.requests(contender, token, 1, seconds)


def _openings(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.openings(contender, token, CONNECTIONS, seconds)


def _events(load: Load, contender: Contender, token: str, seconds: int) -> Figures:
    return load.streams(contender, token, STREAMS, seconds * EVENTS_PER_S, 1000 // EVENTS_PER_S)


def _idle(load: Load, contender: Contender, token: str, _: int) -> Figures:
    return load.streams(contender, token, IDLE_STREAMS, 2, 2500)


def _download(load: Load, contender: Contender, token: str, _: int) -> Figures:
    return load.download(contender, token, MEGABYTES)


def _upload(load: Load, contender: Contender, token: str, _: int) -> Figures:
    return load.upload(contender, token, MEGABYTES)


SCENARIOS = {
    "key": Scenario(
        f"an API key, {CONNECTIONS} connections",
        "requests_per_s", PER_REQUEST, True, "key", _requests,
    ),
    "jwt": Scenario(
        f"an RS256 token, {CONNECTIONS} connections",
        "requests_per_s", PER_REQUEST, True, "jwt", _requests,
    ),
    "bcrypt": Scenario(
        f"a key kept as a hash, {HASHING_CONNECTIONS} connections",
        "requests_per_s", PER_REQUEST, True, "bcrypt", _hashes, most_rounds=1, is_quick=False,
    ),
    "latency": Scenario(
        "an API key, 1 connection", "p50_us", PER_REQUEST, False, "key", _latency
    ),
    "open": Scenario(
        "a TLS connection for each request, resumed",
        "connections_per_s", "cpu_us_per_connection", True, "key", _openings,
    ),
    "sse": Scenario(
        f"{STREAMS} streams of {EVENTS_PER_S} events/s",
        "cpu_us_per_event", "cpu_us_per_event", False, "key", _events, wants_any_path=True,
    ),
    "download": Scenario(
        f"{MEGABYTES} MB to the client",
        "mb_per_s", "cpu_ms_per_mb", True, "key", _download, wants_any_path=True,
    ),
    "upload": Scenario(
        f"{MEGABYTES} MB to the upstream",
        "mb_per_s", "cpu_ms_per_mb", True, "key", _upload, wants_any_path=True,
    ),
    "provider": Scenario(
        f"an SDK's requests, {CONNECTIONS} connections",
        "requests_per_s", PER_REQUEST, True, "sdk", _sdk_requests, is_among_ours=True,
    ),
    "idle": Scenario(
        f"{IDLE_STREAMS:,} open, silent streams",
        "resident_mib", "cpu_us_per_stream_opened", False, "key", _idle, wants_any_path=True,
        most_rounds=2, is_quick=False,
    ),
}  # fmt: skip
