"""Which endpoint of an upstream takes the next request."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Literal

from pyproxy.upstream.endpoint import Endpoint
from pyproxy.upstream.health import HealthCheck

State = Literal["up", "out", "unhealthy"]


class Upstream:
    """A named destination: one or more endpoints and the rule among them.

    Those that failed or are not well are left out; but if that leaves none, it is
    more likely that the judgement is wrong, and all are in. The only one is always in.

    Args:
        endpoints: At least one.
        is_round_robin: In turn; otherwise the one with the fewest requests under
            way, in turn among equals.
        checks: What is known of them, one each; none: they are taken to be well.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        is_round_robin: bool = False,
        checks: Iterable[HealthCheck] = (),
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.checks = tuple(checks)
        self._only = self.endpoints[0] if len(self.endpoints) == 1 else None
        self._is_round_robin = is_round_robin
        self._turn = count()
        self._check_of = {check.endpoint: check for check in self.checks}

    def state_of(self, endpoint: Endpoint) -> State:
        """What is known of one of the endpoints; ``out`` until a request works again."""
        check = self._check_of.get(endpoint)
        if check is not None and not check.is_healthy:
            return "unhealthy"
        return "out" if endpoint.standing.is_out else "up"

    def pick(self, tried: Sequence[Endpoint], now: float) -> Endpoint:
        """The next endpoint, one that is not among ``tried`` if there is one.

        Args:
            tried: By this request, in vain.
            now: Monotonic seconds.
        """
        if self._only is not None:
            return self._only
        fresh: Sequence[Endpoint] = self.endpoints
        if tried:
            fresh = [each for each in fresh if each not in tried] or fresh
        able = [each for each in fresh if now >= each.standing.out_until] or fresh
        if self._check_of:
            able = [each for each in able if self._check_of[each].is_healthy] or able
        if not self._is_round_robin:
            least = min(each.busy for each in able)
            able = [each for each in able if each.busy == least]
        # In turn among those that are able, so that the share of one that is out goes to all.
        chosen = able[next(self._turn) % len(able)]
        chosen.standing.chosen(now)
        return chosen
