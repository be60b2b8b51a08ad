"""What the admin listener's ``/status`` says, read leniently: a newer gateway may say more."""

from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from pyproxy.cli.admin_access import AdminAccess


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Quantiles(_Part):
    """Milliseconds; ``None`` where nothing was measured in the last minute."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


_NOTHING: Final = Quantiles()


class WorkerStatus(_Part):
    """A process that serves."""

    slot: int
    pid: int
    uptime_s: float
    connections: int
    is_answering: bool


class RequestsStatus(_Part):
    """All requests together; totals since the start, rates of the last minute."""

    total: int
    per_second: float
    errors_per_second: float
    in_flight: int
    streams: int
    connections: int
    by_status: dict[str, int]
    latency_ms: Quantiles
    first_byte_ms: Quantiles = _NOTHING
    bytes_in: int = 0
    bytes_out: int = 0


class HistoryStatus(_Part):
    """The last minute, oldest first."""

    step_s: float
    per_second: tuple[float, ...]


class UpstreamStatus(_Part):
    """An address that a route leads to."""

    name: str
    state: str
    in_flight: int = 0
    idle: int = 0


class RouteStatus(_Part):
    """A route."""

    name: str
    requests: int
    per_second: float
    errors: int
    latency_ms: Quantiles
    upstreams: tuple[UpstreamStatus, ...] = ()


class LimitStatus(_Part):
    """A rate limit in force."""

    name: str
    rate: str
    burst: int
    per: tuple[str, ...]
    refused: int


class BansStatus(_Part):
    """Who is shut out."""

    in_force: int
    begun: int


class StoreStatus(_Part):
    """Where limits live."""

    kind: str
    is_up: bool
    on_failure: str
    failures: int


class CertificateStatus(_Part):
    """A certificate that a listener shows."""

    bind: str
    file: str = ""
    names: tuple[str, ...]
    days_left: float


class KeySetStatus(_Part):
    """Keys that verify tokens."""

    source: str
    keys: int
    age_s: float
    state: str


class ReloadStatus(_Part):
    """The last time that the configuration was read again."""

    at: float | None = None
    result: str
    faults: tuple[str, ...] = ()


class LogsStatus(_Part):
    """What could not be written."""

    lost: int


class Status(_Part):
    """The whole gateway."""

    version: str
    now: float
    uptime_s: float
    draining: bool
    ready: bool
    reasons: tuple[str, ...] = ()
    workers: tuple[WorkerStatus, ...]
    requests: RequestsStatus
    history: HistoryStatus
    refusals: dict[str, int]
    routes: tuple[RouteStatus, ...]
    limits: tuple[LimitStatus, ...]
    bans: BansStatus
    store: StoreStatus
    certificates: tuple[CertificateStatus, ...]
    key_sets: tuple[KeySetStatus, ...]
    reload: ReloadStatus
    files_refused: tuple[str, ...] = ()
    logs: LogsStatus


class BanInForce(_Part):
    """An address that is shut out, and for how long still."""

    address: str
    seconds_left: float


class BanList(_Part):
    """Everybody who is shut out."""

    bans: tuple[BanInForce, ...]


def status_from(access: AdminAccess) -> Status:
    """What the gateway says of itself now.

    Raises:
        NoAnswer: It does not, or it is none.
    """
    answer = access.ask("/status")
    try:
        return Status.model_validate(answer.content)
    except ValidationError as error:
        raise access.misunderstood() from error


def bans_from(access: AdminAccess) -> BanList:
    """Who is shut out.

    Raises:
        NoAnswer: Nobody says, or it is no gateway.
    """
    answer = access.ask("/bans")
    try:
        return BanList.model_validate(answer.content)
    except ValidationError as error:
        raise access.misunderstood() from error
