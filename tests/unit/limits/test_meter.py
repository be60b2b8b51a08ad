import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import RateLimited, StoreUnavailable
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.meter import Meter, limit_fields
from pyproxy.limits.store import Taken

WIDE = Limit("wide", Rate(4.0, 1.0), 3)
NARROW = Limit("narrow", Rate(1.0, 60.0), 0, ("user",))
CALLER = ("192.0.2.7", "alice", "copilot")


class FarStore:
    """A store on the other side of an await; `down` limits are out of reach."""

    def __init__(self, down=()):
        self.near = MemoryStore()
        self.down = down

    def take_nowait(self, *_):
        return None

    async def take(self, bucket_key, limit, cost, now):
        if limit.name in self.down:
            raise StoreUnavailable("down")
        return self.near.take_nowait(bucket_key, limit, cost, now)

    def give_back(self, bucket_key, limit, cost, now):
        self.near.give_back(bucket_key, limit, cost, now)


async def charge(meter, now=0.0, own=None):
    """As the handler does."""
    if not meter.charge_nowait(*CALLER, now, own):
        await meter.charge(*CALLER, now, own)


async def passes(meter, now=0.0, own=None):
    try:
        await charge(meter, now, own)
    except RateLimited:
        return False
    return True


@pytest.fixture(params=[MemoryStore, FarStore])
def store(request):
    return request.param()


async def test_near_store_decides_at_once():
    assert Meter(MemoryStore(), [WIDE]).charge_nowait(*CALLER, 0.0)
    assert not Meter(FarStore(), [WIDE]).charge_nowait(*CALLER, 0.0)


async def test_route_without_limits_passes_everything():
    assert Meter(FarStore(), []).charge_nowait(*CALLER, 0.0)


async def test_every_limit_counts(store):
    meter = Meter(store, [WIDE, NARROW])

    assert [await passes(meter) for _ in range(2)] == [True, False]


async def test_refused_request_costs_nothing_elsewhere(store):
    both, wide = Meter(store, [WIDE, NARROW]), Meter(store, [WIDE])
    await charge(both)
    for _ in range(20):
        assert not await passes(both)

    assert [await passes(wide) for _ in range(4)] == [True, True, True, False]


async def test_limit_of_the_key_counts_besides(store):
    meter = Meter(store, [WIDE])

    assert [await passes(meter, own=NARROW) for _ in range(2)] == [True, False]
    assert await passes(meter)


async def test_refusal_says_which_limit_and_how_long(store):
    meter = Meter(store, [WIDE])
    for _ in range(4):
        await charge(meter)

    with pytest.raises(RateLimited) as caught:
        await charge(meter)

    assert caught.value.detail == "limit wide"
    assert caught.value.fields == (
        (b"Retry-After", b"1"),
        (b"RateLimit-Limit", b"4"),
        (b"RateLimit-Remaining", b"0"),
        (b"RateLimit-Reset", b"1"),
    )


async def test_store_that_fails_halfway_has_given_back():
    store = FarStore(down={"narrow"})

    with pytest.raises(StoreUnavailable):
        await charge(Meter(store, [WIDE, NARROW]))

    assert [await passes(Meter(store, [WIDE])) for _ in range(5)] == [True] * 4 + [False]


async def test_store_that_cannot_decide_the_second_at_once_is_awaited_for_both():
    class Halfway(FarStore):
        def take_nowait(self, bucket_key, limit, cost, now):
            return self.near.take_nowait(bucket_key, limit, cost, now) if limit is WIDE else None

    store = Halfway()
    await charge(Meter(store, [WIDE, NARROW]))

    assert [await passes(Meter(store, [WIDE])) for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("wait_s", "retry_after"),
    [
        pytest.param(0.01, b"1", id="at least a second"),
        pytest.param(1.0, b"1", id="a whole second"),
        pytest.param(1.25, b"2", id="rounded up"),
        pytest.param(59.5, b"60", id="a minute"),
        pytest.param(3600.0, b"60", id="at most a minute"),
    ],
)
def test_retry_after(wait_s, retry_after):
    assert limit_fields(Taken(wait_s, 1.0, WIDE))[0] == (b"Retry-After", retry_after)


async def test_a_refusal_knows_the_limit_that_refused():
    meter = Meter(MemoryStore(), (WIDE, NARROW))
    await charge(meter)

    with pytest.raises(RateLimited) as caught:
        await charge(meter)
    assert caught.value.limit == "narrow"
