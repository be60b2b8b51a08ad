"""Where a listener listens."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final, Self

from pydantic import AfterValidator

_HOST_PORT: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", re.ASCII
)
_UNIX: Final = "unix:"
_HIGHEST_PORT: Final = 65535
_A_BIND: Final = 'an address with a port, such as "0.0.0.0:5000" or "[::]:5000", or "unix:PATH"'


@dataclass(frozen=True, slots=True)
class Bind:
    """A listening address, taken apart.

    Attributes:
        host: Address or name; empty for a unix socket.
        port: 0 to 65535; 0 lets the system choose.
        path: Of a unix socket, else empty.
    """

    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``ADDRESS:PORT``, ``[IPV6]:PORT`` or ``unix:PATH``.

        Raises:
            ValueError: Anything else.
        """
        if text.startswith(_UNIX) and "\0" not in text and len(text) > len(_UNIX):
            return cls("", 0, text.removeprefix(_UNIX))
        match = _HOST_PORT.fullmatch(text)
        if match is None or int(match["port"]) > _HIGHEST_PORT:
            raise ValueError(f"must be {_A_BIND}")
        if match["v6"] and not _is_address(match["v6"]):
            raise ValueError(f"must be {_A_BIND}")
        return cls(match["v6"] or match["host"].lower(), int(match["port"]))

    def meets(self, other: "Bind") -> bool:
        """Whether one cannot be listened on while the other is; names count by their text."""
        if self.path or other.path:
            return self.path == other.path
        if self.port != other.port or not self.port:
            return False
        return self.host == other.host or _holds(self, other) or _holds(other, self)

    @property
    def is_public(self) -> bool:
        """Whether others than this machine and its private networks may reach it.

        A name counts as public, except ``localhost``: it may be any address. So does the
        address of every interface.
        """
        if self.path or self.host == "localhost":
            return False
        if not _is_address(self.host):
            return True
        address = ip_address(self.host)
        return address.is_unspecified or not address.is_private


def _holds(one: Bind, other: Bind) -> bool:
    """Whether one is every address of the other's family; ``[::]`` is IPv6 alone."""
    everywhere = "::" if ":" in other.host else "0.0.0.0"  # noqa: S104 - compared, not bound
    return one.host == everywhere


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _bind(text: str) -> str:
    Bind.parse(text)
    return text


def _optional_bind(text: str) -> str:
    return _bind(text) if text else text


BindText = Annotated[str, AfterValidator(_bind)]
"""A listening address as it was written; `Bind.parse` takes it apart."""

OptionalBindText = Annotated[str, AfterValidator(_optional_bind)]
"""A listening address, or ``""`` for none."""
