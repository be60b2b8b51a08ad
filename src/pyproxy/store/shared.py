"""Everything that machines share, over one line to Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.config.store import StoreSettings
from pyproxy.identity.revocations import RevokedTokens
from pyproxy.limits.bans import BanRules, Bans
from pyproxy.limits.store import Store
from pyproxy.store.banned import SpreadBans
from pyproxy.store.buckets import Failing, RedisStore, probe_of
from pyproxy.store.far import RedisFar
from pyproxy.store.line import Line, Question, StoreFault, Tell
from pyproxy.store.replica import Replica
from pyproxy.store.revoked import SpreadRevocations
from pyproxy.store.scripts import BucketScripts

_NOTICE_S: Final = 0.5  # between two looks for bans that were lifted by others of this machine


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine has of its own.

    Attributes:
        store: Limits while Redis is down, if that is the policy.
        revocations: The list that is looked up.
        monotonic: Seconds, the clock of all limits.
        wall: Epoch seconds.
        bans: Likewise.
        tell: Hears of the store's ups and downs.
        on_begun: Hears of bans that began by what all machines counted together.
    """

    store: Store
    revocations: RevokedTokens
    bans: Bans
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    tell: Tell
    on_begun: Callable[[str, BanRules], None]


class RedisShared:
    """The store and the lists of one configuration.

    Args:
        settings: Not `memory:`.
        here: The machine's own.

    Attributes:
        settings: As given.
        store: Buckets.
        revocations: Tokens that are no longer good.
        bans: Addresses that are shut out.
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
        self.bans = SpreadBans(here.bans, line, prefix, here.monotonic, here.wall, here.on_begun)
        self.bans.adopt()
        probe += [
            *probe_of(scripts, prefix), *self.revocations.roll.probe(), *self.bans.probe()
        ]  # fmt: skip
        rolls = [self.revocations.roll, self.bans.roll]
        self._replica = Replica(line, far, rolls, here.wall)

    def succeed(self, before: "RedisShared") -> None:
        """Share the revoked tokens that another store did; a machine's own may be digests."""
        entries = before.revocations.roll.entries()
        self.revocations.share((kept_id, entry.until) for kept_id, entry in entries)

    async def run(self) -> None:
        """Keep all of it going, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            _ = tasks.create_task(self._line.run(), name="store line")
            _ = tasks.create_task(self.store.run(), name="store leases")
            _ = tasks.create_task(self._replica.run(), name="store lists")
            _ = tasks.create_task(self._notice(), name="store lifted bans")

    async def _notice(self) -> None:
        while True:
            await asyncio.sleep(_NOTICE_S)
            self.bans.notice()


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
