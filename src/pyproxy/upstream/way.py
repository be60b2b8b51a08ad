"""Which way connections to an upstream take, and where they must not lead."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyproxy.config.proxy import Proxy
from pyproxy.egress.hosts import HostPattern
from pyproxy.egress.private import is_private
from pyproxy.upstream.names import LookUp, Place, TurnedInwards


@dataclass(frozen=True, slots=True)
class Way:
    """The rules of one endpoint's connections.

    Attributes:
        allowed: Hosts that may be connected to; empty: any.
        proxy: Connections are tunnelled by it, which looks the name up too.
        is_public_only: Of what the name resolves to, private addresses are left out.
    """

    allowed: tuple[HostPattern, ...] = ()
    proxy: Proxy | None = None
    is_public_only: bool = False


DIRECT = Way()
"""Anywhere, by itself."""


def public_only(look_up: LookUp) -> LookUp:
    """A look-up that leaves out private addresses, each time it is made.

    It raises ``TurnedInwards`` where nothing is left, which counts as an answer: what was
    known of the name before is not used any more.
    """

    async def look_up_(host: str, port: int) -> Sequence[Place]:
        found = await look_up(host, port)
        public = [place for place in found if not is_private(place.ip)]
        if found and not public:
            raise TurnedInwards(
                f"{host} resolves to {found[0].ip}, a private address; "
                "set egress.allow_private = true if that is meant"
            )
        return public

    return look_up_
