"""Which hosts may be connected to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from pyproxy.egress.literal import literal, plain_name

LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?P<below>\*\.)?(?P<name>{LABEL}(?:\.{LABEL})*)", re.ASCII)
_A_HOST: Final = (
    'must be a host such as "api.example.com", "*.example.com" or "192.0.2.7", '
    "without scheme, port or path"
)


@dataclass(frozen=True, slots=True)
class HostPattern:
    """A host, or every name below one.

    Attributes:
        name: In lower case without a final dot, or an address as ``ipaddress`` writes it.
        is_below: The names below it are meant, and not itself.
    """

    name: str
    is_below: bool = False

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read ``api.example.com``, ``*.example.com``, ``192.0.2.7`` or ``[2001:db8::7]``.

        Raises:
            ValueError: Anything else.
        """
        if isinstance(value, cls):
            return value
        text = plain_name(value) if isinstance(value, str) else ""
        if address := literal(text):
            return cls(str(address))
        found = _NAME.fullmatch(text)
        if found is None:
            raise ValueError(_A_HOST)
        return cls(found["name"], found["below"] is not None)

    def matches(self, host: str) -> bool:
        """Whether this host is meant; an address is never below anything."""
        if address := literal(host):
            return not self.is_below and self.name == str(address)
        name = plain_name(host)
        return name.endswith(f".{self.name}") if self.is_below else name == self.name

    def __str__(self) -> str:
        """Write it so that `parse` reads the same."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"*.{name}" if self.is_below else name


def are_allowed(patterns: Iterable[HostPattern], host: str) -> bool:
    """Whether a host is among these; where there are none, every host is."""
    known = tuple(patterns)
    return not known or any(pattern.matches(host) for pattern in known)
