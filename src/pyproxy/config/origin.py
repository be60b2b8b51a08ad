"""Where an upstream is."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, Final, Self

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from pyproxy.wire.percent import percent_decoded

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URL: Final = re.compile(
    rf"(?P<scheme>https?)://"
    rf"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>{_LABEL}(?:\.{_LABEL})*\.?))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)
_DOT_SEGMENT: Final = re.compile(r"/\.{1,2}(?:/|$)")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HIGHEST_PORT: Final = 65535
_AN_ORIGIN: Final = 'a URL such as "https://api.example.com" or "http://127.0.0.1:4141/v1"'


@dataclass(frozen=True, slots=True)
class Origin:
    """One address of an upstream.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name in lower case, or address; IPv6 without brackets.
        port: 1 to 65535.
        path: What goes before every request's path: ``""`` or ``/v1``, never a slash at the end.
    """

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read an http or https URL.

        Raises:
            ValueError: Anything else. User names, queries and fragments are refused, so that
                no credential hides in a URL that is shown; the sentence does not repeat it.
        """
        match = _URL.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"must be {_AN_ORIGIN}, without user, query or fragment")
        scheme = match["scheme"].lower()
        port = int(match["port"] or DEFAULT_PORTS[scheme])
        if not 0 < port <= _HIGHEST_PORT:
            raise ValueError(f"has a port outside 1 to {_HIGHEST_PORT}")
        path = (match["path"] or "").rstrip("/")
        decoded = percent_decoded(path.encode()).decode("latin-1")
        if "//" in decoded or _DOT_SEGMENT.search(decoded):
            raise ValueError('has a path with "//" or a "." or ".." segment')
        return cls(scheme, _host(match["v6"], match["name"]), port, path)

    @property
    def is_tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` field has them (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Write it as a URL."""
        return f"{self.scheme}://{self.authority}{self.path}"


def _host(v6: str | None, name: str) -> str:
    if v6 is None:
        return name.lower()
    try:
        return str(IPv6Address(v6))
    except AddressValueError as reason:
        raise ValueError("has brackets around what is no IPv6 address") from reason


def _parse_origins(value: object) -> tuple[Origin, ...]:
    if isinstance(value, tuple | list):
        return tuple(item if isinstance(item, Origin) else Origin.parse(item) for item in value)
    return () if value == "" else (Origin.parse(value),)


_URL_SCHEMA: Final = {"type": "string", "pattern": r"^https?://|\$\{"}

Origins = Annotated[
    tuple[Origin, ...],
    PlainValidator(_parse_origins),
    PlainSerializer(lambda origins: [str(origin) for origin in origins], when_used="json"),
    WithJsonSchema({"anyOf": [_URL_SCHEMA, {"type": "array", "items": _URL_SCHEMA}]}),
]
"""One URL or several; none where the provider has its own."""
