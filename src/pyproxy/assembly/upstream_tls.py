"""TLS towards upstreams, kept over a reload where nothing of it changed."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.config.route import UpstreamTlsSettings
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.upstream.tls import ClientTls, TlsFiles


@dataclass(frozen=True, slots=True)
class TlsKey:
    """What a context is made of: two equal ones would make the same.

    Another context would mean other connections, so equal ones share theirs.

    Attributes:
        files: Where they are.
        server_name: As configured.
        pins: Likewise.
        digests: SHA-256 of each file, empty where there is none.
    """

    files: TlsFiles
    server_name: str
    pins: tuple[str, ...]
    digests: tuple[bytes, ...]

    @classmethod
    def of(cls, tls: UpstreamTlsSettings) -> "TlsKey":
        """The key of a route's section. Reads its files."""
        paths = (_path(tls.ca), _path(tls.certificate), _path(tls.private_key))
        return cls(TlsFiles(*paths), tls.server_name, tls.pin_sha256, tuple(map(_digest, paths)))


@dataclass(slots=True)
class UpstreamTls:
    """Contexts by what they are made of.

    Attributes:
        known: Those in force, which are used again.
        used: Those that were asked for.
    """

    known: Mapping[TlsKey, ClientTls]
    used: dict[TlsKey, ClientTls] = field(default_factory=dict)

    def load(self, where: str, tls: UpstreamTlsSettings) -> ClientTls:
        """The context of a route's section. Blocks.

        Args:
            where: The section's place in the configuration, for faults.
            tls: The section.

        Raises:
            ConfigurationError: A file is missing or broken, or the name is none.
        """
        key = TlsKey.of(tls)
        found = self.used.get(key) or self.known.get(key)
        if found is None:
            found = ClientTls.load(key.files, key.server_name, key.pins, where)
        self.used[key] = found
        return found


def upstream_files(settings: Settings) -> tuple[Path, ...]:
    """The files of the routes' ``tls`` sections, each once."""
    return tuple(dict.fromkeys(_named(settings)))


def _named(settings: Settings) -> Iterator[Path]:
    for route in settings.routes:
        for text in (route.tls.ca, route.tls.certificate, route.tls.private_key):
            if text:
                yield Path(text)


def _digest(path: Path | None) -> bytes:
    try:
        return hashlib.sha256(read_file(path, MOST_OF_PEM)).digest() if path else b""
    except ConfigurationError:  # reported by who loads it
        return b""


def _path(text: str) -> Path | None:
    return Path(text) if text else None
