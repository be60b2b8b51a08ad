import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import AttemptsSpent
from pyproxy.limits.budget import FailureBudget
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore

LIMIT = Limit("auth", Rate(5.0, 60.0), 1)


class FarStore(MemoryStore):
    """Decides nothing at once."""

    def take_nowait(self, *_):
        return None

    async def take(self, bucket_key, limit, cost, now):
        return MemoryStore.take_nowait(self, bucket_key, limit, cost, now)


@pytest.fixture(params=[MemoryStore, FarStore])
def store(request):
    return request.param()


async def test_failures_use_it_up(store):
    budget = FailureBudget(store, LIMIT, "192.0.2.7", 0.0)
    await budget.spend()
    await budget.reserve()

    with pytest.raises(AttemptsSpent) as caught:
        await budget.spend()

    assert (caught.value.detail, caught.value.limit) == ("limit auth", "auth")
    assert caught.value.fields[0] == (b"Retry-After", b"12")


async def test_what_is_refunded_can_be_reserved_again(store):
    budget = FailureBudget(store, LIMIT, "192.0.2.7", 0.0)
    for _ in range(10):
        await budget.reserve()
        await budget.refund()

    await budget.reserve()


async def test_addresses_have_budgets_of_their_own(store):
    mine = FailureBudget(store, LIMIT, "192.0.2.7", 0.0)
    for _ in range(2):
        await mine.spend()

    await FailureBudget(store, LIMIT, "192.0.2.8", 0.0).spend()


async def test_budget_fills_again(store):
    for _ in range(2):
        await FailureBudget(store, LIMIT, "192.0.2.7", 0.0).spend()

    await FailureBudget(store, LIMIT, "192.0.2.7", 12.0).spend()


@pytest.mark.parametrize(
    ("address", "client"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="v4"),
        pytest.param("2001:db8::7", "2001:db8::/64", id="v6: its /64"),
    ],
)
def test_says_who_is_taken_for_one_client(address, client):
    assert FailureBudget(MemoryStore(), LIMIT, address, 0.0).client == client
