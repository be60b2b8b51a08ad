"""The proxy that connections to upstreams go through."""

import base64
import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, Final, Self

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from pyproxy.config.secret import HIDDEN, LITERAL, Secret, references
from pyproxy.config.surroundings import Surroundings, surroundings
from pyproxy.egress.hosts import LABEL
from pyproxy.wire.percent import percent_decoded

# Of what RFC 3986 section 3.2.1 allows in front of the "@", and whatever else is visible and
# ends nothing: passwords are seldom encoded as they should be.
_CREDENTIALS: Final = re.compile(
    r"(?P<user>(?:[^%:@/?#\[\]\x00-\x20\x7f-\U0010ffff]|%[0-9A-Fa-f]{2})+)"
    r"(?::(?P<password>(?:[^%@/?#\[\]\x00-\x20\x7f-\U0010ffff]|%[0-9A-Fa-f]{2})*))?"
)
_PLACE: Final = re.compile(
    rf"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>{LABEL}(?:\.{LABEL})*\.?))(?::(?P<port>[0-9]{{1,5}}))?/?",
    re.ASCII | re.IGNORECASE,
)
_HTTP: Final = "http://"
_HTTPS: Final = "https://"
_HIGHEST_PORT: Final = 65535
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_A_PROXY: Final = 'must be a URL such as "http://proxy.example:3128" or "http://USER:PASSWORD@..."'


@dataclass(frozen=True, slots=True)
class Proxy:
    """A server that tunnels for us (RFC 9110 section 9.3.6).

    It shows neither user nor password, wherever it goes.

    Attributes:
        host: Name in lower case, or address; IPv6 without brackets.
        port: 1 to 65535.
        authorization: The value of ``Proxy-Authorization`` (RFC 7617), if it wants one.
        origin: Where the setting is from, as ``Secret`` has it; safe to show.
    """

    host: str
    port: int
    authorization: Secret | None = None
    origin: str = field(default=LITERAL, compare=False)

    @classmethod
    def parse(cls, value: object, around: Surroundings) -> Self:
        """Read the setting: a URL, in one of the forms that a secret has.

        Raises:
            ValueError: Anything else; the sentence repeats nothing of the URL.
        """
        if isinstance(value, cls):
            return value
        secret = Secret.parse(value, around)
        url = secret.reveal()
        if url[: len(_HTTPS)].lower() == _HTTPS:
            raise ValueError(
                "is an https:// URL, and TLS to the proxy itself is not supported; write http://, "
                "for what goes through it is encrypted up to the upstream anyway"
            )
        if url[: len(_HTTP)].lower() != _HTTP:
            raise ValueError(_A_PROXY if "://" in url else f"{_A_PROXY}; add http://")
        credentials, at, place = url[len(_HTTP) :].rpartition("@")
        host, port = _place(place)
        return cls(host, port, _authorization(credentials, secret) if at else None, secret.origin)

    @property
    def name(self) -> str:
        """Host and port, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Write it as a URL, stars for its credentials."""
        return f"{_HTTP}{f'{HIDDEN}@' if self.authorization else ''}{self.name}"


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(_A_PROXY)
    if not found["port"]:
        # 80 to some programs, 1080 to others, and 3128 in most minds.
        raise ValueError('needs the proxy\'s port, as in "http://proxy.example:3128"')
    port = int(found["port"])
    if not 0 < port <= _HIGHEST_PORT:
        raise ValueError(f"has a port outside 1 to {_HIGHEST_PORT}")
    if found["v6"] is None:
        return found["name"].lower(), port
    try:
        return str(IPv6Address(found["v6"])), port
    except AddressValueError as reason:
        raise ValueError("has brackets around what is no IPv6 address") from reason


def _authorization(text: str, secret: Secret) -> Secret:
    found = _CREDENTIALS.fullmatch(text)
    if found is None:
        raise ValueError(
            "has a user or password with a character that must be percent-encoded there, "
            'as in "%40" for "@"'
        )
    user = percent_decoded(found["user"].encode())
    password = percent_decoded((found["password"] or "").encode())
    # RFC 7617 section 2: the first colon ends the user, and nothing may be a control character.
    if b":" in user or _CONTROL.search(user + password):
        raise ValueError("has a user with a colon, or a control character in user or password")
    encoded = base64.b64encode(user + b":" + password).decode("ascii")
    return Secret(f"Basic {encoded}", secret.origin)


def _setting(value: object, info: ValidationInfo) -> Proxy | None:
    return None if value is None or value == "" else Proxy.parse(value, surroundings(info))


def _text(proxy: Proxy | None) -> str:
    return str(proxy or "")


ProxySetting = Annotated[
    Proxy | None,
    PlainValidator(_setting),
    PlainSerializer(_text, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^$|^http://|\$\{"}, *references()]}),
]
"""A `Proxy`; ``""`` is ``None``."""
