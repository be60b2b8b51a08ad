"""Which hosts are reached without the proxy."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Self

from pyproxy.egress.hosts import LABEL
from pyproxy.egress.literal import literal, plain_name

_ANY: Final = "*"
_HIGHEST_PORT: Final = 65535
_ENTRY: Final = re.compile(
    r"(?P<host>\*|\[[0-9a-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII
)
_NAME: Final = re.compile(rf"(?:(?P<below>\*\.)|\.)?(?P<name>{LABEL}(?:\.{LABEL})*)\.?", re.ASCII)
_BETWEEN: Final = re.compile(r"[\s,]+")
_AN_ENTRY: Final = (
    'must be "*", a host or domain such as "example.com", an address, or a network such as '
    '"10.0.0.0/8", with ":PORT" behind it where one port is meant'
)


@dataclass(frozen=True, slots=True)
class Spared:
    """One entry of ``no_proxy``.

    Attributes:
        name: In lower case; ``*`` for every host; empty where there is a network.
        network: Addresses.
        port: Any where it is 0.
        is_below: The names below are meant, and not the name itself.
    """

    name: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int = 0
    is_below: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read an entry as ``NO_PROXY`` has them.

        ``example.com`` and ``.example.com`` mean the domain and all below it,
        ``*.example.com`` what is below it.

        Raises:
            ValueError: Anything else.
        """
        if isinstance(value, cls):
            return value
        text = value.strip().lower() if isinstance(value, str) else ""
        if whole := _network(text):
            return cls(network=whole)
        found = _ENTRY.fullmatch(text)
        port = int(found["port"] or 0) if found else 0
        if found is None or port > _HIGHEST_PORT or found["port"] == "0":
            raise ValueError(_AN_ENTRY)
        host = found["host"]
        if host == _ANY:
            return cls(_ANY, port=port)
        if network := _network(host.removeprefix("[").removesuffix("]")):
            return cls(network=network, port=port)
        named = _NAME.fullmatch(host)
        if named is None:
            raise ValueError(_AN_ENTRY)
        return cls(named["name"], port=port, is_below=named["below"] is not None)

    def covers(self, host: str, port: int) -> bool:
        """Whether this host and port are meant; no name is looked up for that."""
        if self.port not in {0, port}:
            return False
        if self.name == _ANY:
            return True
        address = literal(host)
        if self.network is not None or address is not None:
            return self.network is not None and address is not None and address in self.network
        name = plain_name(host)
        return name.endswith(f".{self.name}") or (name == self.name and not self.is_below)

    def __str__(self) -> str:
        """Write it so that `parse` reads the same."""
        text = f"*.{self.name}" if self.is_below else self.name
        if self.network is not None:
            is_one = self.network.prefixlen == self.network.max_prefixlen
            text = str(self.network.network_address) if is_one else str(self.network)
        if not self.port:
            return text
        return f"[{text}]:{self.port}" if ":" in text else f"{text}:{self.port}"


def are_spared(entries: Iterable[Spared], host: str, port: int) -> bool:
    """Whether a host and port are reached without the proxy."""
    return any(entry.covers(host, port) for entry in entries)


def entries_in(text: str) -> tuple[str, ...]:
    """The entries of ``NO_PROXY``: commas or white space stand between them."""
    return tuple(filter(None, _BETWEEN.split(text)))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    # Bits after the prefix are not minded: nobody else minds them in NO_PROXY.
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
