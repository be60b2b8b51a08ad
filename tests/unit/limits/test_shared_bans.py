import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pyproxy.limits.bans import BanRules
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.limits.shared_bans import _NEWS, SharedBans, bans_bytes
from tests.unit.counting_lock import CountingLock
from tests.unit.killed import kill_points

KEY = b"k" * 16
NOW = 1024.0
RULES = BanRules(after=3, within_s=56.0, lasting_s=900.0)
COUNTED = 1024


def memory(rows=4):
    return memoryview(bytearray(bans_bytes(rows, COUNTED)))


def reader(shared):
    return SharedBans(shared, CountingLock(), KEY, counted=COUNTED)


def banned(bans, now=NOW):
    return [ban.client for ban in bans.in_force(now)]


def test_banned_by_one_is_banned_for_all():
    shared = memory()
    one, other = reader(shared), reader(shared)
    assert other.left_s("a", NOW) == 0.0
    one.ban("a", 60.0, NOW)

    assert other.left_s("a", NOW) == 60.0
    assert other.lift("a", NOW)
    assert one.left_s("a", NOW) == 0.0


def test_failures_before_each_of_two_are_counted_together():
    shared = memory()
    one, other = reader(shared), reader(shared)

    assert [each.failed("a", RULES, NOW) for each in (one, other, one)] == [False, False, True]
    assert not other.failed("a", RULES, NOW)
    assert other.left_s("a", NOW) == 900.0


def test_longer_ban_is_seen_by_all():
    shared = memory()
    one, other = reader(shared), reader(shared)
    one.ban("a", 60.0, NOW)
    assert other.left_s("a", NOW) == 60.0
    one.ban("a", 90.0, NOW)

    assert other.left_s("a", NOW) == 90.0


def test_looking_takes_the_lock_only_after_a_change():
    shared = memory()
    one, other = reader(shared), reader(shared)
    for _ in range(5):
        other.left_s("a", NOW)
    before = other._lock.times
    one.ban("b", 60.0, NOW)
    for _ in range(5):
        other.left_s("a", NOW)
        other.in_force(NOW)

    assert (before, other._lock.times) == (0, 1)


@pytest.mark.parametrize("spare", [-1, 0, 1], ids=["just known", "all of it", "one too many"])
def test_who_missed_many_changes_knows_them_all(spare):
    shared = memory(rows=8)
    one, other = reader(shared), reader(shared)
    one.ban("a", 60.0, NOW)
    other.left_s("a", NOW)
    changes = _NEWS + spare
    for number in range(changes - 1):
        one.ban("b", 1.0 + number, NOW)
    one.lift("a", NOW)

    assert one._words[0] - other._seen == changes
    assert banned(other) == ["b"]
    assert other.left_s("a", NOW) == 0.0
    assert other.left_s("b", NOW) == changes - 1


def test_who_missed_many_changes_knows_whom_another_row_holds_now():
    shared = memory(rows=2)
    one, other = reader(shared), reader(shared)
    one.ban("a", 10.0, NOW)
    one.ban("b", 20.0, NOW)
    other.left_s("b", NOW)
    one.ban("c", 30.0, NOW)  # in place of a
    one.ban("d", 40.0, NOW)  # in place of b
    one.ban("b", 50.0, NOW)  # where a was
    for number in range(_NEWS):
        one.ban("d", 60.0 + number, NOW)

    assert banned(other) == banned(one) == ["d", "b"]
    one.ban("e", 2000.0, NOW)
    assert banned(other) == banned(one) == ["e", "d"]


def test_new_process_reads_what_was_banned_before_it():
    shared = memory(rows=2 * _NEWS)
    one = reader(shared)
    for number in range(_NEWS + 10):
        one.ban(f"{number}", 60.0, NOW)

    assert reader(shared).left_s("0", NOW) == 60.0
    assert len(reader(shared).in_force(NOW)) == _NEWS + 10


def test_full_list_makes_room_for_longer_bans_alone():
    shared = memory(rows=2)
    one, other = reader(shared), reader(shared)
    for client, lasting_s in (("a", 10.0), ("b", 30.0), ("c", 20.0), ("d", 5.0)):
        one.ban(client, lasting_s, NOW)
        other.left_s("a", NOW)

    assert banned(one) == banned(other) == ["b", "c"]


def test_place_of_one_that_was_lifted_is_used_again():
    shared = memory(rows=2)
    one = reader(shared)
    for client in ("a", "b"):
        one.ban(client, 60.0, NOW)
    one.lift("b", NOW)
    one.ban("c", 10.0, NOW)

    assert banned(one) == banned(reader(shared)) == ["a", "c"]


def test_lock_is_let_go_whatever_happens():
    bans = reader(memory())
    for wrong in (lambda: bans.ban("x" * 99, 1.0, NOW), lambda: bans.failed("a", RULES, None)):
        with pytest.raises((ValueError, TypeError)):
            wrong()

    assert not bans._lock.is_held


def test_adopts_what_one_process_counted_and_banned():
    before, bans = MemoryBans(), reader(memory())
    before.ban("a", 60.0, NOW)
    for _ in range(2):
        before.failed("b", RULES, NOW)
    bans.failed("c", RULES, NOW)
    bans.adopt(before)

    assert bans.left_s("a", NOW) == 60.0
    assert bans.failed("b", RULES, NOW)
    assert [bans.failed("c", RULES, NOW) for _ in range(2)] == [False, True]


def test_adopting_shortens_no_ban():
    before, bans = MemoryBans(), reader(memory())
    before.ban("a", 60.0, NOW)
    bans.ban("a", 90.0, NOW)
    bans.adopt(before)

    assert bans.left_s("a", NOW) == 90.0


def _three():
    shared = memory(rows=3)
    for client, lasting_s in (("a", 10.0), ("b", 60.0), ("c", 30.0)):
        reader(shared).ban(client, lasting_s, NOW)
    old = reader(shared)
    old.left_s("a", NOW)
    return shared, old


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        pytest.param(
            lambda bans: bans.ban("d", 90.0, NOW), {"a", "b", "c"}, {"b", "c", "d"}, id="replace"
        ),
        pytest.param(lambda bans: bans.lift("b", NOW), {"a", "b", "c"}, {"a", "c"}, id="lift"),
        pytest.param(
            lambda bans: bans.ban("a", 90.0, NOW), {"a", "b", "c"}, {"a", "b", "c"}, id="prolong"
        ),
    ],
)
def test_killed_at_any_moment_it_bans_nobody_else_and_unbans_nobody_else(act, before, after):
    for shared, old in kill_points(_three, lambda subject: act(reader(subject[0]))):
        fresh = reader(shared)
        held = set(banned(fresh))

        assert before & after <= held <= before | after
        assert set(banned(old)) == held
        assert {client: fresh.left_s(client, NOW) for client in held & {"b", "c"}} == {
            client: {"b": 60.0, "c": 30.0}[client] for client in held & {"b", "c"}
        }
        act(fresh)  # whoever comes next finds it in order
        assert set(banned(fresh)) == set(banned(old)) == set(banned(reader(shared))) == after


def test_killed_at_any_moment_while_there_is_room_it_bans_nobody_else():
    def empty():
        shared = memory(rows=3)
        reader(shared).ban("a", 60.0, NOW)
        return shared, reader(shared)

    for shared, other in kill_points(empty, lambda pair: reader(pair[0]).ban("b", 90.0, NOW)):
        assert set(banned(other)) <= {"a", "b"}
        assert other.left_s("a", NOW) == 60.0
        other.ban("c", 70.0, NOW)
        reader(shared).ban("b", 90.0, NOW)
        assert banned(other) == banned(reader(shared)) == ["b", "c", "a"]


def test_closed_lets_go_of_the_memory():
    shared = memory()
    reader(shared).close()
    shared.release()


CLIENTS = st.sampled_from(["a", "b", "c", "192.0.2.1", "2001:db8::/64"])


class SharedAgainstMemory(RuleBasedStateMachine):
    """Three processes on one memory against one process by itself, on a clock that may go back."""

    def __init__(self):
        super().__init__()
        self.memory = memory(rows=16)
        self.shared = [reader(self.memory) for _ in range(3)]
        self.alone = MemoryBans()
        self.now = NOW
        self.rules = RULES

    @rule(step=st.sampled_from([0.0, 0.5, 8.0, 50.0, 900.0, -1.0, -30.0]))
    def wait(self, step):
        self.now = max(0.0, self.now + step)

    @rule(after=st.integers(0, 5), within_s=st.sampled_from([7.0, 56.0]))
    def reload(self, after, within_s):
        self.rules = BanRules(after, within_s, 60.0)

    @rule(which=st.integers(0, 2), client=CLIENTS)
    def fail(self, which, client):
        expected = self.alone.failed(client, self.rules, self.now)
        assert self.shared[which].failed(client, self.rules, self.now) is expected

    @rule(which=st.integers(0, 2), client=CLIENTS, lasting_s=st.sampled_from([1.0, 60.0, 900.0]))
    def ban(self, which, client, lasting_s):
        self.alone.ban(client, lasting_s, self.now)
        self.shared[which].ban(client, lasting_s, self.now)

    @rule(which=st.integers(0, 2), client=CLIENTS)
    def lift(self, which, client):
        expected = self.alone.lift(client, self.now)
        assert self.shared[which].lift(client, self.now) is expected

    @precondition(lambda self: len(self.shared) == 3)
    @rule(which=st.integers(0, 2))
    def die(self, which):
        self.shared[which] = reader(self.memory)

    @rule(which=st.integers(0, 2), client=CLIENTS)
    def look(self, which, client):
        expected = self.alone.left_s(client, self.now)
        assert self.shared[which].left_s(client, self.now) == expected

    @invariant()
    def all_agree(self):
        expected = self.alone.in_force(self.now)
        assert self.shared[0].in_force(self.now) == expected


SharedAgainstMemory.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_three_processes_count_and_ban_as_one_does = SharedAgainstMemory.TestCase
