"""Who keeps failing is counted, shut out, and told of once."""

import json
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from pyproxy.downstream.peer import Peer
from pyproxy.errors import refusal as refusals
from pyproxy.errors.refusal import Banned, InvalidToken
from pyproxy.gateway.ban import OPEN_TO_ALL, count_attempt, shut_out, tried
from pyproxy.gateway.own import HEALTH, JWKS
from pyproxy.gateway.visit import admit
from pyproxy.identity.networks import Networks
from pyproxy.limits.bans import BanRules
from pyproxy.telemetry.record import Record

PEER = Peer("192.0.2.1", is_tls=True)
THRICE = BanRules(after=3, within_s=600.0, lasting_s=900.0)
OFF = BanRules(after=0, within_s=600.0, lasting_s=900.0)
OWN = {
    b"/health": "health", b"/jwks": "jwks", b"/token": "token", b"/token/revoke": "revoke",
    b"/verify": "verify",
}  # fmt: skip


class Authenticator:
    """Knows for whom nothing is hashed any more."""

    def __init__(self):
        self.forsaken = []

    def forsake(self, client):
        self.forsaken.append(client)


@dataclass
class Gateway:
    """As much of one as decides about bans."""

    ban: BanRules = THRICE
    trusted: Networks = field(default_factory=Networks)
    own_paths: dict = field(default_factory=lambda: OWN)
    authenticator: Authenticator = field(default_factory=Authenticator)


def record(ip="192.0.2.1", user=""):
    return Record(request_id="id-1", ip=ip, user=user, method="GET", path="/v1")


def left_s(desk, client="192.0.2.1"):
    return desk.bans.left_s(client, desk.now())


@pytest.mark.parametrize(
    ("path", "is_shut"),
    [
        ("/", True), ("/v1/models", True), ("/token", True), ("/token/revoke", True),
        ("/verify", True), ("/health", False), ("/jwks", False), ("/health/x", True),
        ("/health?x", False),
    ],
)  # fmt: skip
def test_a_ban_shuts_out_of_all_but_health_and_public_keys(asked, path, is_shut):
    visit = admit(asked(f"GET {path} HTTP/1.1"), Networks(), "id")
    try:
        shut_out(Gateway(), visit, 899.25)
        refusal = None
    except Banned as caught:
        refusal = caught

    assert (refusal is not None) is is_shut
    assert refusal is None or refusal.fields == ((b"Retry-After", b"900"),)


def test_what_is_open_to_all_are_endpoints():
    assert {HEALTH, JWKS} == OPEN_TO_ALL


async def test_who_was_banned_while_waiting_for_a_turn_is_shut_out(asked, desk):
    visit = admit(asked(), Networks(), "id")
    visit.exchange = Turn(lambda: desk.bans.ban("192.0.2.1", 900.0, 0.0))
    with pytest.raises(Banned):
        await tried(desk, Gateway(), visit)
    visit.exchange = Turn(lambda: desk.bans.lift("192.0.2.1", 0.0))

    await tried(desk, Gateway(), visit)


class Turn:
    """Lets something happen before the request goes on."""

    def __init__(self, meanwhile):
        self.meanwhile = meanwhile

    async def to_task(self):
        self.meanwhile()


def test_without_rules_a_ban_from_before_shuts_nobody_out(asked):
    shut_out(Gateway(OFF), admit(asked(), Networks(), "id"), 899.0)


async def test_so_many_wrong_credentials_begin_a_ban_which_is_told_once(desk, lines):
    for _ in range(5):
        count_attempt(desk, Gateway(), PEER, InvalidToken(), record())
    (line,) = map(json.loads, lines)

    assert left_s(desk) > 890.0
    assert (line["event"], line["ip"], line["result"]) == ("auth.banned", "192.0.2.1", "banned")
    assert line["details"] == {
        "client": "192.0.2.1", "failures": 3, "within_s": 600.0, "lasting_s": 900.0,
    }  # fmt: skip
    assert line["request_id"] == "id-1"
    assert desk.counts.bans_begun == 1


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("InvalidToken", True),
        ("InvalidSharedSecret", True),
        ("AttemptsSpent", True),
        ("NoSharedSecret", False),
        ("MissingToken", False),
        ("ExpiredToken", False),
        ("AmbiguousCredentials", False),
        ("RateLimited", False),
        ("TooManyConcurrent", False),
        ("UserNotAllowed", False),
        ("BadRequest", False),
        ("Banned", False),
        ("StoreUnavailable", False),
        ("Refusal", False),
    ],
)
async def test_what_counts(desk, name, counts):
    for _ in range(3):
        count_attempt(desk, Gateway(), PEER, getattr(refusals, name)(), record())

    assert (left_s(desk) > 0.0) is counts
    assert desk.counts.bans_begun == counts


async def test_who_is_known_has_not_failed(desk):
    for _ in range(9):
        count_attempt(desk, Gateway(), PEER, InvalidToken(), record(user="alice"))

    assert left_s(desk) == 0.0


async def test_nothing_is_hashed_any_more_for_whom_is_banned(desk):
    gateway = Gateway()
    for ip in ("2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3", "2001:db8::4"):
        count_attempt(desk, gateway, PEER, InvalidToken(), record(ip))

    assert gateway.authenticator.forsaken == ["2001:db8::/64"]


async def test_ipv6_clients_of_one_network_fail_together(desk):
    for number in range(3):
        count_attempt(desk, Gateway(), PEER, InvalidToken(), record(f"2001:db8::{number}"))

    assert left_s(desk, "2001:db8::/64") > 0.0


@pytest.mark.parametrize(
    ("ip", "peer"),
    [
        pytest.param("10.0.0.1", PEER, id="trusted proxy"),
        pytest.param("", Peer("", is_tls=False), id="unix socket"),
        pytest.param("192.0.2.1", Peer("192.0.2.1", is_tls=False, is_unnamed=True), id="balancer"),
    ],
)
async def test_through_whom_others_come_is_never_banned(desk, lines, ip, peer):
    gateway = Gateway(trusted=Networks([ip_network("10.0.0.0/8")]))
    for _ in range(9):
        count_attempt(desk, gateway, peer, InvalidToken(), record(ip))

    assert desk.bans.in_force(desk.now()) == ()
    assert lines == []


async def test_without_rules_nobody_is_banned(desk, lines):
    for _ in range(99):
        count_attempt(desk, Gateway(OFF), PEER, InvalidToken(), record())

    assert (left_s(desk), lines, desk.counts.bans_begun) == (0.0, [], 0)
