"""The last look before the gateway starts: whatever keeps it from that is said at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyproxy.assembly.faults import Faults
from pyproxy.assembly.keys import read_file_entries
from pyproxy.assembly.listeners import Group, group_listeners
from pyproxy.assembly.private_files import holds_secrets, private_files
from pyproxy.assembly.shared import store_faults
from pyproxy.assembly.sources import Sources, read_sources
from pyproxy.assembly.tokens import LocalKeys
from pyproxy.assembly.upstream_tls import TlsKey, upstream_files
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.keys_file import weak_keys
from pyproxy.runtime.extras import missing_extras, without_traces
from pyproxy.runtime.groups import restrict
from pyproxy.runtime.preflight import Ground, exposed, weak_ground
from pyproxy.runtime.sockets import unplaced
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules
from pyproxy.runtime.watch import Stamps, stamps_of
from pyproxy.upstream.tls import ClientTls

_NO_GROUPS: tuple[Group, ...] = ()
_NO_TLS: Mapping[TlsKey, ClientTls] = {}
_COSTLY_GROUPS = (
    "offers key exchanges that cost this machine 0.2 s each, since this Python hides its OpenSSL: "
    "take one whose OpenSSL is a library of its own, as distributions have it"
)
_NO_SOURCES = Sources(KeyRing.build(()), LocalKeys(KeySet(), None), {}, {})


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be served.

    Attributes:
        groups: The listeners.
        tls: Of each group; ``None`` for plain HTTP.
        sources: What the files say that a gateway is built from.
        since: State of those files before they were read.
        exposed: What should be private and is not; it is among the remarks too.
        remarks: What is allowed and unwise.
    """

    groups: tuple[Group, ...]
    tls: tuple[ServerTls | None, ...]
    sources: Sources
    since: Stamps
    exposed: frozenset[Fault]
    remarks: tuple[Fault, ...]


def prepare(
    loaded: Loaded,
    wall: float,
    known: Mapping[TlsKey, ClientTls] = _NO_TLS,
    *,
    is_running: bool = False,
) -> Prepared:
    """Read every file once, and open nothing yet. Blocks.

    Args:
        loaded: The configuration.
        wall: Epoch seconds.
        known: TLS towards upstreams that is in force; what did not change is kept.
        is_running: A gateway serves already. A secret that others may read is a
            remark then: to refuse it could keep one in force that was given up.

    Raises:
        ConfigurationError: The gateway must not start; with every reason.
    """
    settings = loaded.settings
    faults = Faults()
    since = stamps_of(files_of(settings))
    faults.add(weak_ground(Ground.current()))
    faults.add(missing_extras(loaded))
    if not is_running:
        faults.add(exposed(private_files(settings).secret))
        faults.add(_unplaced(settings))
    groups = faults.attempt(partial(group_listeners, settings.listeners), _NO_GROUPS)
    tls = tuple(faults.attempt(partial(_server_tls, group), None) for group in groups)
    sources = faults.attempt(partial(read_sources, settings, known), _NO_SOURCES)
    faults.add(store_faults(settings.store))
    faults.raise_if_any()
    exposed_now = exposed_while_running(settings)
    remarks = tuple(dict.fromkeys(_remarks(loaded, tls, sources, exposed_now, wall)))
    return Prepared(groups, tls, sources, since, frozenset(exposed_now), remarks)


def _unplaced(settings: Settings) -> Iterator[Fault]:
    """Unix sockets that cannot be made; while serving, who listens there already stays."""
    for each in settings.listeners:
        if fault := unplaced(each.bind):
            yield fault
    admin = settings.server.admin
    if admin and (fault := unplaced(admin)):
        yield Fault("server.admin", f"{fault.path} {fault.problem}")


def files_of(settings: Settings) -> tuple[Path, ...]:
    """The files that are read to build a gateway; listeners' are ``ServerTls``'s concern."""
    jwt = settings.auth.jwt
    named = (settings.auth.keys_file, jwt.jwks_file, jwt.signing_keys_file)
    return (*(Path(text) for text in named if text), *upstream_files(settings))


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
    loaded: Loaded,
    tls: Iterable[ServerTls | None],
    sources: Sources,
    exposed_now: Iterable[Fault],
    wall: float,
) -> Iterator[Fault]:
    yield from loaded.remarks
    yield from without_traces(loaded)
    yield from exposed_now
    if loaded.path is not None and holds_secrets(loaded.settings):
        yield from exposed((loaded.path,))
    if loaded.settings.auth.keys_file:
        yield from weak_keys(read_file_entries(loaded.settings.auth.keys_file))
    for each in tls:
        if each is not None:
            yield from each.remarks(wall)
            yield from _preloaded(loaded.settings.headers.hsts, each)
    if any(tls) and not restrict():
        yield Fault("TLS", _COSTLY_GROUPS)
    yield from sources.local.remarks


def _preloaded(hsts: str, tls: ServerTls) -> Iterator[Fault]:
    """A promise for good (RFC 6797 section 12.1), made with a certificate that nobody vouches for.

    A browser that was made to trust it holds the host to the promise, and lets nobody past
    a warning when the certificate is another.
    """
    if "preload" not in hsts.lower():
        return
    for certificate, path in tls.shown:
        if certificate.is_self_signed:
            problem = (
                f'says "preload" while {path} is self-signed: browsers that trust it let nobody '
                "past a warning once it changes; use a CA's certificate, such as 'pyproxy cert' "
                'makes, or set headers.hsts = ""'
            )
            yield Fault("headers.hsts", problem)


def _server_tls(group: Group) -> ServerTls | None:
    if not group.is_tls:
        return None
    first = group.listeners[0]
    files = [
        CertificateFiles(Path(each.certificate), Path(each.private_key)) for each in group.listeners
    ]
    client_ca = Path(first.client_ca) if first.client_ca else None
    return ServerTls.load(files, TlsRules(first.min_version, client_ca))
