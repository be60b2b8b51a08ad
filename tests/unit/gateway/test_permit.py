"""Who is known may do what the route and the key allow."""

from ipaddress import ip_network

import pytest

from pyproxy.errors.refusal import AddressNotAllowed, PathDenied, TooManyConcurrent, UserNotAllowed
from pyproxy.gateway.permit import allow, occupied, permit
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import ANONYMOUS, Principal
from pyproxy.limits.occupancy import MemoryOccupancy
from pyproxy.routing.pattern import DeniedPaths

ALICE = Principal("alice", "key")
INSIDE = Networks([ip_network("10.0.0.0/8")])


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        pytest.param(Networks(), "192.0.2.1", id="none named: any"),
        pytest.param(Networks(), "", id="none named: a unix socket too"),
        pytest.param(INSIDE, "10.1.2.3", id="inside"),
        pytest.param(INSIDE, "::ffff:10.1.2.3", id="inside, written in IPv6"),
    ],
)
def test_address_is_let_in(plan_of, networks, address):
    allow(plan_of(allow_from=networks), address)


@pytest.mark.parametrize("address", ["192.0.2.1", "::1", "", "10.0.0.1, 192.0.2.1"])
def test_other_addresses_are_not(plan_of, address):
    with pytest.raises(AddressNotAllowed):
        allow(plan_of(allow_from=INSIDE), address)


@pytest.mark.parametrize(
    ("users", "principal"),
    [
        pytest.param((), ALICE, id="any user, any route"),
        pytest.param((), ANONYMOUS, id="nobody, on an open route"),
        pytest.param(("alice", "bob"), ALICE, id="on the list"),
        pytest.param((), Principal("a", "key", routes=frozenset({"main"})), id="the key's route"),
    ],
)
def test_user_is_let_in(plan_of, users, principal):
    permit(plan_of(users=frozenset(users)), principal, b"/v1")


@pytest.mark.parametrize(
    ("users", "principal"),
    [
        pytest.param(("bob",), ALICE, id="not on the list"),
        pytest.param(("bob",), ANONYMOUS, id="nobody, and there is a list"),
        pytest.param(("Alice",), ALICE, id="another case is another user"),
        pytest.param((), Principal("a", "key", routes=frozenset({"b"})), id="another route's key"),
        pytest.param((), Principal("a", "key", routes=frozenset()), id="a key for no route"),
    ],
)
def test_other_users_are_not(plan_of, users, principal):
    with pytest.raises(UserNotAllowed):
        permit(plan_of(users=frozenset(users)), principal, b"/v1")


@pytest.mark.parametrize("path", [b"/admin", b"/ADMIN/", b"/%61dmin"])
def test_denied_path_is_closed_to_everybody(plan_of, path):
    with pytest.raises(PathDenied):
        permit(plan_of(denied=DeniedPaths.of(["/admin"])), ALICE, path)


def test_other_paths_are_open(plan_of):
    permit(plan_of(denied=DeniedPaths.of(["/admin"])), ALICE, b"/administer")


def test_no_more_at_a_time_than_the_route_allows(plan_of):
    plan, under_way = plan_of(max_concurrent=2), MemoryOccupancy()
    with (
        occupied(plan, "alice", under_way),
        occupied(plan, "alice", under_way),
        pytest.raises(TooManyConcurrent) as caught,
        occupied(plan, "alice", under_way),
    ):
        pass

    assert (b"RateLimit-Limit", b"2") in caught.value.fields
    assert len(under_way) == 0


def test_users_and_routes_are_counted_apart(plan_of):
    under_way = MemoryOccupancy()
    plan, other = plan_of(max_concurrent=1), plan_of(max_concurrent=1, name="other")
    with (
        occupied(plan, "alice", under_way),
        occupied(plan, "bob", under_way),
        occupied(other, "alice", under_way),
    ):
        assert len(under_way) == 3


def test_request_that_fails_makes_room(plan_of):
    plan, under_way = plan_of(max_concurrent=1), MemoryOccupancy()
    with pytest.raises(ValueError, match="failed"), occupied(plan, "", under_way):
        raise ValueError("failed")

    assert len(under_way) == 0
