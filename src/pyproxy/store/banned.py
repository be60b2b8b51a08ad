"""Addresses that all machines shut out, and failures that count wherever they happen."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from pyproxy.limits.bans import Ban, BanRules, Bans
from pyproxy.limits.limit import IPV6_PREFIX_BITS, network
from pyproxy.limits.memory_bans import MOST_BANS
from pyproxy.store.line import Line, Question
from pyproxy.store.roll import Roll
from pyproxy.store.roll_page import Entry
from pyproxy.store.scripts import key_of, with_clock

NAME: Final = "bans"
_US: Final = 1e6
# More failures than this are not counted one by one in Redis: the machines' own counts do.
MOST_AFTER: Final = 1000
# The clocks of the two lists differ by less.
_NEARLY_OVER_S: Final = 2.0

# The times of the last failures; as many in as little time as the rules say begin a ban.
FAILED: Final = with_clock("""
local after, within = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('LPUSH', KEYS[1], string.format('%.17g', now))
redis.call('LTRIM', KEYS[1], 0, after - 1)
redis.call('PEXPIRE', KEYS[1], math.min(math.ceil(within / 1000), 1e15))
local first = redis.call('LINDEX', KEYS[1], after - 1)
if not first or now - (tonumber(first) or 0) > within then return 0 end
redis.call('DEL', KEYS[1])
return 1
""")
FORGET: Final = with_clock("return redis.call('DEL', KEYS[1])")


def is_client(text: str) -> bool:
    """Whether a text is a client as bans are written; what Redis holds may be anything."""
    try:
        return network(str(ip_address(text.removesuffix(f"/{IPV6_PREFIX_BITS}")))) == text
    except ValueError:
        return False


class SpreadBans:
    """A list of this machine's (`limits.bans.Bans`) that is kept in step with all others'.

    Who is banned is looked up in the machine's own list alone. A failure counts here at
    once, and in Redis a moment later: there it may be the one too many of all machines'.

    Args:
        local: The machine's list.
        line: To Redis.
        prefix: Of the keys.
        monotonic: The clock of the local list, seconds.
        wall: Epoch seconds.
        on_begun: Told of a client whose ban began by what Redis counted, and by which rules.
    """

    def __init__(
        self,
        local: Bans,
        line: Line,
        prefix: str,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        on_begun: Callable[[str, BanRules], None],
    ) -> None:
        self._local = local
        self._line = line
        self._prefix = prefix
        self._monotonic = monotonic
        self._wall = wall
        self._on_begun = on_begun
        self.roll = Roll(line, prefix, NAME, self._hear, self._lifted, MOST_BANS)

    def probe(self) -> tuple[Question, ...]:
        """What a store that is well can do; counts a failure of nobody's."""
        key = (self._key("probe"),)
        return (
            *self.roll.probe(),
            Question(FAILED, key, (2, _US), None),
            Question(FORGET, key, (), None),
        )

    def adopt(self) -> None:
        """Share what the local list holds already."""
        for ban in self._local.in_force(self._monotonic()):
            self._share(ban.client, ban.left_s)

    def notice(self) -> None:
        """Take note of bans that were lifted in the local list itself, by others who have it."""
        now, shared_now = self._monotonic(), self._shared_now()
        if self.roll.count * 2 > MOST_BANS:
            return  # the local list may have made room: that is nobody's pardon
        for client, entry in self.roll.entries():
            is_over = entry.until - shared_now < _NEARLY_OVER_S
            if not is_over and not self._local.left_s(client, now):
                self.roll.lift_soon(client, shared_now)

    def left_s(self, client: str, now: float) -> float:
        """Seconds that a client is still banned for."""
        return self._local.left_s(client, now)

    def failed(self, client: str, rules: BanRules, now: float) -> bool:
        """Count a failed authentication; whether it began a ban by what happened here."""
        if self._local.failed(client, rules, now):
            self._share(client, rules.lasting_s)
            self._forget(client)  # or the first failure after a short ban began the next one
            return True
        if 0 < rules.after <= MOST_AFTER and not self._local.left_s(client, now):
            self._count(client, rules)
        return False

    def ban(self, client: str, lasting_s: float, now: float) -> None:
        """Ban a client everywhere."""
        self._local.ban(client, lasting_s, now)
        self._share(client, lasting_s)

    def lift(self, client: str, now: float) -> bool:
        """Let a client in again everywhere, and forget its failures; whether it was banned here."""
        was_banned = self._local.lift(client, now)
        self.roll.lift_soon(client, self._shared_now())
        self._forget(client)
        return was_banned

    def in_force(self, now: float) -> tuple[Ban, ...]:
        """All bans, the one that ends last first."""
        return self._local.in_force(now)

    def count(self, now: float) -> int:
        """How many there are."""
        return self._local.count(now)

    def _count(self, client: str, rules: BanRules) -> None:
        def judge(answered: "asyncio.Future[object]") -> None:
            if answered.cancelled() or answered.result() != 1:
                return
            now = self._monotonic()
            if not self._local.left_s(client, now):
                self.ban(client, rules.lasting_s, now)
                self._on_begun(client, rules)

        values = (rules.after, rules.within_s * _US)
        self._line.ask(FAILED, (self._key(client),), values).add_done_callback(judge)

    def _forget(self, client: str) -> None:
        self._line.tell(FORGET, (self._key(client),), ())

    def _share(self, client: str, lasting_s: float) -> None:
        now = self._shared_now()
        self.roll.put_soon(client, Entry(now + lasting_s, now))

    def _shared_now(self) -> float:
        return self._wall() + self.roll.offset_s

    def _key(self, client: str) -> bytes:
        return key_of(self._prefix, f"failed {client}")

    def _hear(self, client: str, until: float) -> None:
        left_s = until - self._shared_now()
        if left_s > 0.0 and is_client(client):
            self._local.ban(client, left_s, self._monotonic())

    def _lifted(self, client: str) -> None:
        _ = self._local.lift(client, self._monotonic())
