"""What a configuration asks for that is installed only where it is wanted."""

from collections.abc import Iterator
from importlib.util import find_spec

from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault


def missing_extras(settings: Settings) -> tuple[Fault, ...]:
    """Settings whose libraries are not installed; nothing is imported."""
    return tuple(_missing(settings))


def _missing(settings: Settings) -> Iterator[Fault]:
    if settings.server.log.audit.startswith("journald:") and find_spec("logging_journald") is None:
        yield _fault("server.log.audit", "journald")


def _fault(path: str, extra: str) -> Fault:
    return Fault(path, f"needs the extra \"{extra}\": pip install 'pyproxy[{extra}]'")
