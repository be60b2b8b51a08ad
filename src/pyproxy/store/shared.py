"""Everything that machines share, over one line to Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pyproxy.config.store import StoreSettings
from pyproxy.identity.revocations import RevokedTokens
from pyproxy.limits.store import Store
from pyproxy.store.buckets import Failing, RedisStore, probe_of
from pyproxy.store.far import RedisFar
from pyproxy.store.line import Line, Question, StoreFault, Tell
from pyproxy.store.replica import Replica
from pyproxy.store.revoked import SpreadRevocations
from pyproxy.store.scripts import BucketScripts


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine has of its own.

    Attributes:
        store: Limits while Redis is down, if that is the policy.
        revocations: The list that is looked up.
        monotonic: Seconds, the clock of all limits.
        wall: Epoch seconds.
        tell: Hears of the store's ups and downs.
    """

    store: Store
    revocations: RevokedTokens
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    tell: Tell


class RedisShared:
    """The store and the lists of one configuration.

    Args:
        settings: Not `memory:`.
        here: The machine's own.

    Attributes:
        settings: As given.
        store: Buckets.
        revocations: Tokens that are no longer good.
    """

    def __init__(self, settings: StoreSettings, here: Here) -> None:
        self.settings = settings
        prefix = settings.prefix
        far = RedisFar(settings)
        probe: list[Question] = []
        self._line = line = Line(far, settings.timeout, here.tell, probe)
        scripts = BucketScripts.timed_by()
        self.store = RedisStore(
            line, Failing(settings.on_failure, here.store), prefix, here.monotonic, scripts
        )
        self.revocations = SpreadRevocations(
            here.revocations, line, prefix, settings.on_failure, here.wall
        )
        probe += [*probe_of(scripts, prefix), *self.revocations.roll.probe()]
        self._replica = Replica(line, far, [self.revocations.roll], here.wall)

    async def run(self) -> None:
        """Keep all of it going, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            _ = tasks.create_task(self._line.run(), name="store line")
            _ = tasks.create_task(self.store.run(), name="store leases")
            _ = tasks.create_task(self._replica.run(), name="store lists")


async def reach(settings: StoreSettings, timeout_s: float) -> str:
    """Whether the store can do what it will be asked to.

    Returns:
        What is wrong; ``""``: nothing.
    """
    far = RedisFar(settings)
    scripts = BucketScripts.timed_by()
    try:
        async with asyncio.timeout(timeout_s):
            await far.connect((scripts.take, scripts.give_back))
            _ = await far.put(probe_of(scripts, settings.prefix))
    except TimeoutError:
        return f"no answer in {timeout_s:g} s"
    except StoreFault as fault:
        return str(fault)
    finally:
        await far.close()
    return ""
