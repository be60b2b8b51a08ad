"""Addresses that are shut out for a while: the contract that every list of bans keeps."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

CLIENT_BYTES: Final = 48  # of a client's text; the longest of an IPv6 address has 45


@dataclass(frozen=True, slots=True)
class BanRules:
    """When an address is banned.

    Attributes:
        after: Failed authentications; 0: nobody ever is.
        within_s: Seconds in which they are counted.
        lasting_s: Seconds that a ban lasts.
    """

    after: int
    within_s: float
    lasting_s: float


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban in force.

    Attributes:
        client: The address, or the /64 of an IPv6 one, as `limit.network` writes it.
        left_s: Seconds until it ends.
    """

    client: str
    left_s: float


class Bans(Protocol):
    """Who is banned, for all who share the list, from the next request on.

    Never blocks. Clients are written as `limit.network` does; ``now`` is monotonic
    seconds, the same clock in all processes of a machine. At the bound of what it can
    hold, the ban that ends first makes room.
    """

    def left_s(self, client: str, now: float) -> float:
        """Seconds that a client is still banned for; ``0.0`` if it is not.

        Asked for every request: as cheap as a look-up.
        """
        ...

    def failed(self, client: str, rules: BanRules, now: float) -> bool:
        """Count a failed authentication; whether it was the one that began a ban.

        As many as the rules say within their time always begin one, and never fewer in
        8/7 of that time; see `limits.failures`. Nobody (``""``) is counted, and nobody
        who is banned: after a ban it begins anew, and so it does when the time is changed.
        """
        ...

    def ban(self, client: str, lasting_s: float, now: float) -> None:
        """Ban a client for so long from now on, or for what is left if that is more.

        Raises:
            ValueError: It can be no address: longer than `CLIENT_BYTES`, or not ASCII.
        """
        ...

    def lift(self, client: str, now: float) -> bool:
        """Let a client in again, and forget its failures; whether it was banned."""
        ...

    def in_force(self, now: float) -> tuple[Ban, ...]:
        """All bans, the one that ends last first."""
        ...

    def count(self, now: float) -> int:
        """How many there are; a fiftieth of what `in_force` takes."""
        ...


def stored(client: str) -> bytes:
    """A client's text as it is kept.

    Raises:
        ValueError: It can be no address.
    """
    text = client.encode("ascii", "strict")
    if not 0 < len(text) <= CLIENT_BYTES or b"\0" in text:
        raise ValueError("not the text of an address")
    return text


def in_order(ends: Iterable[tuple[str, float]], now: float) -> tuple[Ban, ...]:
    """The bans in force, the one that ends last first.

    Args:
        ends: Clients, and until when each is banned.
        now: Monotonic seconds.
    """
    left = [Ban(client, until - now) for client, until in ends if until > now]
    return tuple(sorted(left, key=lambda ban: (-ban.left_s, ban.client)))
