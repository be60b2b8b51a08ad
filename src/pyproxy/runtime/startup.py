"""The last look before the gateway starts: whatever keeps it from that is said at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyproxy.assembly.faults import Faults
from pyproxy.assembly.keys import read_file_entries
from pyproxy.assembly.listeners import Group, group_listeners
from pyproxy.assembly.private_files import private_files
from pyproxy.assembly.sources import Sources, read_sources
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault
from pyproxy.identity.keys_file import weak_keys
from pyproxy.runtime.preflight import Ground, exposed, weak_ground
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules

_NO_GROUPS: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be served.

    Attributes:
        groups: The listeners.
        tls: Of each group; ``None`` for plain HTTP.
        remarks: What is allowed and unwise.
    """

    groups: tuple[Group, ...]
    tls: tuple[ServerTls | None, ...]
    remarks: tuple[Fault, ...]


def prepare(loaded: Loaded, wall: float) -> Prepared:
    """Read every file once, and open nothing yet. Blocks.

    Args:
        loaded: The configuration.
        wall: Epoch seconds.

    Raises:
        ConfigurationError: The gateway must not start; with every reason.
    """
    settings = loaded.settings
    faults = Faults()
    faults.add(weak_ground(Ground.current()))
    faults.add(exposed(private_files(settings).secret))
    groups = faults.attempt(partial(group_listeners, settings.listeners), _NO_GROUPS)
    tls = tuple(faults.attempt(partial(_server_tls, group), None) for group in groups)
    sources = faults.attempt(partial(_sources, settings), None)
    faults.raise_if_any()
    return Prepared(groups, tls, tuple(dict.fromkeys(_remarks(loaded, tls, sources, wall))))


def exposed_while_running(settings: Settings) -> tuple[Fault, ...]:
    """Files that should be private and are not any more, secret or hashed. Reads the file system.

    It is too late to refuse a secret that is in force, but not to say what comes of it.
    """
    private = private_files(settings)
    secret = exposed(private.secret)
    return (
        *(Fault(each.path, f"{each.problem}; the next start will refuse it") for each in secret),
        *exposed(private.hashed),
    )


def _remarks(
    loaded: Loaded, tls: Iterable[ServerTls | None], sources: Sources | None, wall: float
) -> Iterator[Fault]:
    yield from loaded.remarks
    yield from exposed(private_files(loaded.settings).hashed)
    if loaded.settings.auth.keys_file:
        yield from weak_keys(read_file_entries(loaded.settings.auth.keys_file))
    for each in tls:
        if each is not None:
            yield from each.remarks(wall)
    if sources is not None:
        yield from sources.local.remarks


def _sources(settings: Settings) -> Sources | None:
    return read_sources(settings)


def _server_tls(group: Group) -> ServerTls | None:
    if not group.is_tls:
        return None
    first = group.listeners[0]
    files = [
        CertificateFiles(Path(each.certificate), Path(each.private_key)) for each in group.listeners
    ]
    client_ca = Path(first.client_ca) if first.client_ca else None
    return ServerTls.load(files, TlsRules(first.min_version, client_ca))
