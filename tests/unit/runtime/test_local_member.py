import time
from types import SimpleNamespace

from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.local_member import LocalMember
from pyproxy.telemetry.log import Log

CLIENT = "192.0.2.1"


async def test_bans_are_listed_and_lifted_where_other_machines_hear_of_it():
    journal = SimpleNamespace(log=Log(lambda _: None, lambda: 0.0), report=lambda *_: None)
    member = LocalMember(0, journal, Blocking(), 1024, None)
    spread = MemoryBans()
    spread.ban(CLIENT, 60.0, time.monotonic())
    member._worker._sharing.shared = SimpleNamespace(bans=spread)
    (ban,) = await member.bans()

    assert ban.client == CLIENT
    assert await member.lift(CLIENT)
    assert await member.bans() == ()
    await member.resources.close()
