"""How often somebody may come in, where the store can say it only when awaited."""

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import RateLimited
from pyproxy.gateway.entrance import charge
from pyproxy.gateway.visit import admit
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import Principal
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.meter import Meter

ALICE = Principal("alice", "key", limit=Rate(1.0, 3600.0))
HOURLY = Limit("hourly", Rate(1.0, 3600.0), 1)


class Elsewhere(MemoryStore):
    """A store that must be asked over a network."""

    def take_nowait(self, *_):
        return None

    async def take(self, bucket_key, limit, cost, now):
        return super().take_nowait(bucket_key, limit, cost, now)


@pytest.mark.parametrize("store", [MemoryStore, Elsewhere])
@pytest.mark.parametrize(
    ("principal", "times"),
    [
        pytest.param(Principal("alice", "key"), 2, id="the route's limit"),
        pytest.param(ALICE, 1, id="the key's own besides"),
    ],
)
async def test_limits_are_charged_wherever_the_store_is(
    asked, desk, plan_of, store, principal, times
):
    plan = plan_of(meter=Meter(store(), [HOURLY]))
    visit = admit(asked(), Networks(), "id")
    for _ in range(times):
        await charge(desk, plan, principal, visit)

    with pytest.raises(RateLimited):
        await charge(desk, plan, principal, visit)
