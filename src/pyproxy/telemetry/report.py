"""What a worker knows of itself at a moment: its counts, and the state of what it works with."""

from dataclasses import dataclass, field

Labels = tuple[str, ...]
Series = tuple[str, Labels]
"""A family's name and the values of its labels, in the family's order."""


@dataclass(slots=True)
class Histogram:
    """Durations that were observed.

    Attributes:
        total: Their sum, seconds.
        counts: How many were in each bucket, the last one for all beyond the highest
            bound; not cumulative.
    """

    total: float
    counts: list[int]


@dataclass(frozen=True, slots=True)
class EndpointState:
    """One address that a route's requests go to.

    Attributes:
        route: The route's name.
        name: The endpoint's, as in access lines.
        state: ``up``; ``out`` after failures; ``unhealthy`` by a health check.
        under_way: Requests of all routes that it is answering.
        idle: Connections kept for the next request.
        is_due: It was out for its term: only a request can tell whether it still is.
    """

    route: str
    name: str
    state: str
    under_way: int
    idle: int
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class CertificateState:
    """A certificate that a listener shows.

    Attributes:
        bind: The listener's.
        file: The path, as configured.
        names: Its subject's alternative names.
        not_after: Epoch seconds.
    """

    bind: str
    file: str
    names: tuple[str, ...]
    not_after: float


@dataclass(frozen=True, slots=True)
class KeySetState:
    """A set of keys that verifies tokens.

    Attributes:
        source: File or URL, without a query.
        keys: How many are usable.
        age_s: Seconds since it was last fetched or read.
        state: ``fresh``; ``stale`` while it cannot be fetched anew; ``lost`` past its age.
    """

    source: str
    keys: int
    age_s: float
    state: str


@dataclass(frozen=True, slots=True)
class StoreState:
    """Where limits live.

    Attributes:
        kind: ``memory`` or ``redis``.
        is_up: It answers.
        failures: Commands that failed since the worker's start.
    """

    kind: str
    is_up: bool
    failures: int


@dataclass(slots=True)
class Report:
    """Everything that one worker tells the supervisor; travels by pickle.

    Attributes:
        counters: Only ever grow while the worker lives.
        histograms: Likewise.
        gauges: What is now; those of several workers add up.
        endpoints: Of all routes.
        certificates: Of all listeners.
        key_sets: In use.
        store: Where limits are counted.
    """

    counters: dict[Series, float] = field(default_factory=dict)
    histograms: dict[Series, Histogram] = field(default_factory=dict)
    gauges: dict[Series, float] = field(default_factory=dict)
    endpoints: tuple[EndpointState, ...] = ()
    certificates: tuple[CertificateState, ...] = ()
    key_sets: tuple[KeySetState, ...] = ()
    store: StoreState = StoreState("memory", is_up=True, failures=0)
