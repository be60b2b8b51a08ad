"""What a configuration asks for that is installed only where it is wanted."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from pyproxy.assembly.extras import Extra, remedy
from pyproxy.assembly.tracing import has_otel
from pyproxy.config.finding import Location
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import Fault

_ENDPOINT: Final[Location] = ("traces", "endpoint")


def missing_extras(loaded: Loaded) -> tuple[Fault, ...]:
    """Settings whose libraries are not installed; nothing is imported."""
    return tuple(_missing(loaded))


def without_traces(loaded: Loaded) -> tuple[Fault, ...]:
    """A remark where the environment asks every program for traces, and this one makes none."""
    variable = loaded.filled.get(_ENDPOINT)
    if not loaded.settings.traces.endpoint or has_otel() or variable is None:
        return ()
    return (_fault(variable, "otel", "has no effect without"),)


def _missing(loaded: Loaded) -> Iterator[Fault]:
    settings = loaded.settings
    if settings.traces.endpoint and not has_otel() and _ENDPOINT not in loaded.filled:
        yield _fault("traces.endpoint", "otel")
    if settings.server.log.audit.startswith("journald:") and find_spec("logging_journald") is None:
        yield _fault("server.log.audit", "journald")


def _fault(path: str, extra: Extra, problem: str = "needs") -> Fault:
    return Fault(path, f"{problem} {remedy(extra)}")
