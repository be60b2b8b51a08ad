"""Which endpoint of an upstream takes the next request."""

from collections.abc import Sequence
from itertools import count

from pyproxy.upstream.endpoint import Endpoint


class Upstream:
    """A named destination: one or more endpoints and the rule among them.

    Args:
        endpoints: At least one.
        is_round_robin: In turn; otherwise the one with the fewest requests under
            way, in turn among equals.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, is_round_robin: bool = False) -> None:
        self.endpoints = tuple(endpoints)
        self._only = self.endpoints[0] if len(self.endpoints) == 1 else None
        self._is_round_robin = is_round_robin
        self._turn = count()

    def pick(self, tried: Sequence[Endpoint] = ()) -> Endpoint:
        """The next endpoint, one that is not among ``tried`` if there is one."""
        if self._only is not None:
            return self._only
        turn = next(self._turn) % len(self.endpoints)
        order = self.endpoints[turn:] + self.endpoints[:turn]
        fresh = [endpoint for endpoint in order if endpoint not in tried] or list(order)
        return fresh[0] if self._is_round_robin else min(fresh, key=lambda endpoint: endpoint.busy)
