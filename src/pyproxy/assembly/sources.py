"""Everything that the files of a configuration say, read and judged together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from pyproxy.assembly.egress import forbidden
from pyproxy.assembly.faults import Faults
from pyproxy.assembly.keys import read_keyring
from pyproxy.assembly.origins import origins_of
from pyproxy.assembly.tokens import LocalKeys, read_local_keys
from pyproxy.assembly.upstream_tls import TlsKey, UpstreamTls
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.keyring import KeyRing
from pyproxy.upstream.tls import ClientTls

_NO_KEYS = KeyRing.build(())
_NO_LOCAL_KEYS = LocalKeys(KeySet(), None)
_NO_TLS: Mapping[TlsKey, ClientTls] = {}
_NO_UPSTREAM_TLS: tuple[Mapping[str, ClientTls], Mapping[TlsKey, ClientTls]] = ({}, _NO_TLS)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a gateway is built from, besides the settings.

    Attributes:
        keyring: The API keys.
        local: What verifies and mints tokens.
        tls: Towards the routes' upstreams, by the route's name.
        contexts: The same by what they are made of, for the next reading.
    """

    keyring: KeyRing
    local: LocalKeys
    tls: Mapping[str, ClientTls]
    contexts: Mapping[TlsKey, ClientTls]


def read_sources(settings: Settings, known: Mapping[TlsKey, ClientTls] = _NO_TLS) -> Sources:
    """Read every file that the settings name, but for listeners' and secrets'. Blocks.

    Args:
        settings: Sound.
        known: ``contexts`` of the sources in force; what did not change is kept.

    Raises:
        ConfigurationError: With every fault of every file, and of routes that
            their providers cannot serve or that lead where ``egress.allow`` does not.
    """
    faults = Faults()
    keyring = faults.attempt(partial(read_keyring, settings.auth), _NO_KEYS)
    local = faults.attempt(partial(read_local_keys, settings.auth.jwt), _NO_LOCAL_KEYS)
    tls, contexts = faults.attempt(partial(read_upstream_tls, settings, known), _NO_UPSTREAM_TLS)
    faults.add(forbidden(settings))
    faults.raise_if_any()
    return Sources(keyring, local, tls, contexts)


def read_upstream_tls(
    settings: Settings, known: Mapping[TlsKey, ClientTls] = _NO_TLS
) -> tuple[Mapping[str, ClientTls], Mapping[TlsKey, ClientTls]]:
    """TLS towards the routes' upstreams: ``tls`` and ``contexts`` of ``Sources``. Blocks.

    Raises:
        ConfigurationError: With every fault of every file, and of routes that
            their providers cannot serve.
    """
    faults = Faults()
    upstream_tls = UpstreamTls(known)
    tls: dict[str, ClientTls] = {}
    for number, route in enumerate(settings.routes):
        found = faults.attempt(partial(_tls_of, f"routes[{number}]", route, upstream_tls), None)
        if found is not None:
            tls[route.name] = found
    faults.raise_if_any()
    return tls, upstream_tls.used


def _tls_of(where: str, route: RouteSettings, upstream_tls: UpstreamTls) -> ClientTls | None:
    if any(origin.is_tls for origin in origins_of(where, route)):
        return upstream_tls.load(f"{where}.tls", route.tls)
    return None
