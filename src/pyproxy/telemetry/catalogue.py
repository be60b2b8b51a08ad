"""Every metric that there is: its name, its labels, and how those of several workers become one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Joining = Literal["sum", "max", "min"]

# Seconds. From what the gateway answers by itself to what a model may think about: between 1 ms
# and 10 s three to a decade, so that a percentile read from them is off by a factor of 2 at most.
BOUNDS_S: Final = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
    1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0,
)  # fmt: skip
BUCKETS: Final = len(BOUNDS_S) + 1


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name.

    Attributes:
        name: As Prometheus knows it.
        kind: Counters and histograms only ever grow, and add up.
        text: What it says, a sentence.
        labels: Names of the labels, in the order of a series' values.
        joining: How gauges of several workers become one.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    joining: Joining = "sum"


REQUESTS: Final = "pyproxy_requests_total"
DURATION: Final = "pyproxy_request_duration_seconds"
UPSTREAM_DURATION: Final = "pyproxy_upstream_duration_seconds"
FIRST_BYTE: Final = "pyproxy_time_to_first_byte_seconds"
REQUEST_BYTES: Final = "pyproxy_request_bytes_total"
RESPONSE_BYTES: Final = "pyproxy_response_bytes_total"
ABORTED: Final = "pyproxy_aborted_total"
USER_REQUESTS: Final = "pyproxy_user_requests_total"
REFUSALS: Final = "pyproxy_refusals_total"
LIMIT_EXCEEDED: Final = "pyproxy_limit_exceeded_total"
AUTH_FAILURES: Final = "pyproxy_auth_failures_total"
BANS: Final = "pyproxy_bans_total"
BANS_IN_FORCE: Final = "pyproxy_bans_in_force"
CONNECTIONS: Final = "pyproxy_connections"
IN_FLIGHT: Final = "pyproxy_requests_in_flight"
STREAMS: Final = "pyproxy_streams"
BCRYPT_WAITING: Final = "pyproxy_bcrypt_waiting"
STORE_UP: Final = "pyproxy_store_up"
STORE_FAILURES: Final = "pyproxy_store_failures_total"
JWKS_AGE: Final = "pyproxy_jwks_age_seconds"
JWKS_KEYS: Final = "pyproxy_jwks_keys"
CERTIFICATE_EXPIRY: Final = "pyproxy_certificate_expiry_timestamp_seconds"
UPSTREAM_UP: Final = "pyproxy_upstream_up"
LINES_LOST: Final = "pyproxy_log_lines_lost_total"
WORKERS: Final = "pyproxy_workers"
WORKER_DEATHS: Final = "pyproxy_worker_deaths_total"
RELOADS: Final = "pyproxy_reloads_total"
FILES_REFUSED: Final = "pyproxy_files_refused"
RELOADED_AT: Final = "pyproxy_config_reload_timestamp_seconds"
BUILD_INFO: Final = "pyproxy_build_info"

_ROUTE: Final = ("route",)

FAMILIES: Final = (
    Family(
        REQUESTS, "counter", "Requests that ended, by the class of their status.",
        ("route", "method", "status"),
    ),
    Family(
        USER_REQUESTS, "counter", "Requests that ended, of users who proved who they are.",
        ("user", "route", "status"),
    ),
    Family(
        DURATION, "histogram", "From a request's head to the end of its answer.", _ROUTE
    ),
    Family(
        FIRST_BYTE, "histogram", "From a request's head to the first byte of its answer.", _ROUTE
    ),
    Family(
        UPSTREAM_DURATION, "histogram",
        "From the moment when the upstream was asked to the end of its answer.", _ROUTE,
    ),
    Family(REQUEST_BYTES, "counter", "Bytes of requests' bodies.", _ROUTE),
    Family(RESPONSE_BYTES, "counter", "Bytes of answers' bodies.", _ROUTE),
    Family(ABORTED, "counter", "Answers that were broken off after their head.", _ROUTE),
    Family(REFUSALS, "counter", "Requests that the gateway refused itself.", ("route", "code")),
    Family(LIMIT_EXCEEDED, "counter", "Requests that a rate limit refused.", ("limit",)),
    Family(AUTH_FAILURES, "counter", "Requests with a credential that is not good."),
    Family(BANS, "counter", "Bans that began."),
    Family(BANS_IN_FORCE, "gauge", "Addresses that are banned now.", joining="max"),
    Family(CONNECTIONS, "gauge", "Open connections of clients."),
    Family(IN_FLIGHT, "gauge", "Requests that are being answered."),
    Family(STREAMS, "gauge", "Event streams and tunnels among the answers under way."),
    Family(BCRYPT_WAITING, "gauge", "Keys that are being hashed, or wait to be."),
    Family(STORE_UP, "gauge", "Whether the store of limits answers.", joining="min"),
    Family(STORE_FAILURES, "counter", "Commands that the store of limits did not answer."),
    Family(
        JWKS_AGE, "gauge", "Since a key set was last known to be its source's.",
        ("source",), "max",
    ),
    Family(JWKS_KEYS, "gauge", "Usable keys of a key set.", ("source",), "min"),
    Family(
        CERTIFICATE_EXPIRY, "gauge", "When a listener's certificate ends.",
        ("bind", "file"), "min",
    ),
    Family(
        UPSTREAM_UP, "gauge", "Whether every worker takes an upstream to be well.",
        ("route", "upstream"), "min",
    ),
    Family(LINES_LOST, "counter", "Lines of logs that could not be written."),
    Family(WORKERS, "gauge", "Processes that serve."),
    Family(WORKER_DEATHS, "counter", "Workers that ended though nobody asked them to."),
    Family(RELOADS, "counter", "Readings of the configuration while serving.", ("result",)),
    Family(
        FILES_REFUSED, "gauge",
        "Whether files of a kind hold what cannot be used, so that what they held before stays.",
        ("kind",), "max",
    ),
    Family(RELOADED_AT, "gauge", "When a configuration last came into force.", joining="max"),
    Family(
        BUILD_INFO, "gauge", "Always 1; the labels say what runs.", ("version", "python"), "max"
    ),
)  # fmt: skip

# Values of the label of ``FILES_REFUSED``: what is read again by itself when it changes.
KINDS_OF_FILES: Final = ("certificates", "key_sets", "keys", "upstream_certificates")

BY_NAME: Final = {family.name: family for family in FAMILIES}


def joined(joining: Joining, values: Iterable[float]) -> float:
    """One value out of several, of which there is at least one."""
    match joining:
        case "sum":
            return sum(values)
        case "max":
            return max(values)
        case "min":
            return min(values)
