"""What is ready to come into force in a worker."""

from dataclasses import dataclass
from typing import Protocol

from pyproxy.assembly.build import Draft
from pyproxy.assembly.shared import Shared
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jwt_verifier import KeyRefresher
from pyproxy.runtime.orders import Orders
from pyproxy.runtime.startup import Prepared


class RemoteKeys(KeyRefresher, Protocol):
    """A key set that is elsewhere.

    Attributes:
        source: Its URL, without a query.
        is_failing: It could not be fetched when that was last tried.
    """

    source: str

    @property
    def is_failing(self) -> bool:
        """See above."""
        ...

    def current(self, now: float) -> KeySet | None:
        """The keys in force, if any are trusted."""
        ...

    def age_s(self, now: float) -> float:
        """Seconds since it was last known to be what its source says."""
        ...

    async def run(self) -> None:
        """Refresh it until cancelled."""


@dataclass(frozen=True, slots=True)
class Following:
    """What is ready to come into force.

    Attributes:
        orders: The configuration, and the sockets.
        prepared: What its files say.
        draft: The gateway.
        remote: The remote key set, perhaps the one in force.
        shared: What is shared with other machines, perhaps what is in force.
    """

    orders: Orders
    prepared: Prepared
    draft: Draft
    remote: RemoteKeys | None
    shared: Shared | None
