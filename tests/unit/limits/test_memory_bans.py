import sys

from pyproxy.limits.bans import BanRules
from pyproxy.limits.memory_bans import MemoryBans

RULES = BanRules(after=3, within_s=56.0, lasting_s=900.0)
NOW = 1024.0


def test_clients_that_fail_once_cost_no_memory():
    bans = MemoryBans(most_counted=1000)
    most = 0
    for number in range(100_000):
        bans.failed(f"{number}", RULES, NOW)
        most = max(most, len(bans))

    assert most == 1000
    assert sys.getsizeof(bans._failures) < 100_000


def test_what_is_over_is_forgotten_before_what_counts():
    bans = MemoryBans(most_counted=8)
    for number in range(4):
        bans.failed(f"over {number}", RULES, NOW)
        bans.failed(f"over {number}", RULES, NOW)
    for number in range(5):
        bans.failed(f"new {number}", RULES, NOW + 100.0)

    assert [client for client, _ in bans.counted()] == [f"new {number}" for number in range(5)]


def test_of_what_counts_the_fewest_and_oldest_are_forgotten():
    bans = MemoryBans(most_counted=4)
    for client in ("often", "often", "old", "older again", "new", "older again"):
        bans.failed(client, RULES, NOW)
    bans.failed("last", RULES, NOW)

    assert [client for client, _ in bans.counted()] == ["often", "new", "older again", "last"]


def test_at_the_bound_shorter_bans_make_room_and_longer_ones_stay():
    bans = MemoryBans(most_bans=2)
    for client, lasting_s in (("a", 10.0), ("b", 30.0), ("c", 20.0), ("d", 5.0), ("b", 15.0)):
        bans.ban(client, lasting_s, NOW)

    assert [ban.client for ban in bans.in_force(NOW)] == ["b", "c"]
    assert dict(bans.banned()) == {"b": NOW + 30.0, "c": NOW + 20.0}
