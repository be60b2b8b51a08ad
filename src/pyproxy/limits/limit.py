"""A limit as configured, and whose bucket a request takes from."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from pyproxy.config.quantities import Rate
from pyproxy.limits.bucket import slack

# A subscriber has a /64 at least (RFC 6177 section 2): single addresses are free to it.
IPV6_PREFIX_BITS: Final = 64
_MEMO = 4096  # IPv6 addresses whose network, and rates whose limit is remembered

# Between the parts of a bucket's key. No address, user or route can hold it, so two
# different callers never share a bucket by having clever names.
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so much time, for each of something.

    Attributes:
        name: As routes refer to it.
        rate: How many, and in how much time.
        burst: Admitted at once beyond the rate, at least 0.
        per: What has a bucket of its own: ``ip``, ``user``, ``route``, or
            several of them together.
        interval_s: Between two tokens.
        capacity_s: A whole bucket, in seconds of refilling.
        slack_s: Rounding errors that are forgiven.
    """

    name: str
    rate: Rate
    burst: int
    per: tuple[str, ...] = ("ip",)
    interval_s: float = field(init=False)
    capacity_s: float = field(init=False)
    slack_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out, once, what every request needs."""
        interval_s = self.rate.period_s / self.rate.count
        object.__setattr__(self, "interval_s", interval_s)
        object.__setattr__(self, "capacity_s", (self.burst + 1) * interval_s)
        object.__setattr__(self, "slack_s", slack(interval_s))

    @property
    def quota(self) -> int:
        """Requests that an idle bucket admits at once."""
        return self.burst + 1


@lru_cache(maxsize=_MEMO)
def own_limit(rate: Rate) -> Limit:
    """The limit of a key that has a rate of its own (``limit=20r/s`` in the keys file).

    A whole second's, minute's or hour's worth may come at once: people write
    ``100r/h`` to bound the hour, not to space requests by 36 seconds.
    """
    return Limit("key", rate, max(math.ceil(rate.count) - 1, 0), ("user",))


def bucket_key(limit: Limit, address: str, user: str, route: str) -> str:
    """Which bucket of ``limit`` a request takes from.

    Args:
        limit: Its name is part of the key.
        address: The client's; an IPv6 address stands for its /64.
        user: The principal's name. Without one, a bucket per user is one per address.
        route: The route's name.
    """
    if limit.per == ("ip",):
        return f"{limit.name}{_SEPARATOR}ip{_SEPARATOR}{network(address)}"
    parts = [limit.name]
    for dimension in limit.per:
        if dimension == "route":
            parts += ("route", route)
        elif dimension == "user" and user:
            parts += ("user", user)
        else:
            parts += ("ip", network(address))
    return _SEPARATOR.join(parts)


def network(address: str) -> str:
    """The address, or the /64 of an IPv6 one; IPv4 written in IPv6 is IPv4."""
    return _ipv6_network(address) if ":" in address else address


@lru_cache(maxsize=_MEMO)
def _ipv6_network(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:  # a unix socket's name may hold a colon
        return text
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    host_bits = address.max_prefixlen - IPV6_PREFIX_BITS
    return f"{IPv6Address(int(address) >> host_bits << host_bits)}/{IPV6_PREFIX_BITS}"
