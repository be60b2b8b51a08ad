"""Names that should be public, and a resolver that says otherwise."""

import socket

import pytest

from pyproxy.config.proxy import Proxy
from pyproxy.upstream.names import Place, TurnedInwards
from pyproxy.upstream.reason import in_words
from pyproxy.upstream.way import DIRECT, Way, public_only

PUBLIC, PRIVATE, METADATA = (
    Place(socket.AF_INET, (ip, 443)) for ip in ("8.8.8.8", "10.0.0.5", "169.254.169.254")
)
MAPPED = Place(socket.AF_INET6, ("::ffff:10.0.0.5", 443, 0, 0))


def resolved(*places):
    async def look_up(_host, _port):
        return places

    return public_only(look_up)("api.example", 443)


async def test_private_answers_are_left_out():
    assert await resolved(PRIVATE, PUBLIC, METADATA, MAPPED) == [PUBLIC]


@pytest.mark.parametrize(
    ("places", "ip"),
    [
        pytest.param([PRIVATE, METADATA], "10.0.0.5", id="two"),
        pytest.param([MAPPED], "::ffff:10.0.0.5", id="hidden in IPv6"),
    ],
)
async def test_where_all_are_private_it_is_said_what_to_do(places, ip):
    with pytest.raises(TurnedInwards) as caught:
        await resolved(*places)

    assert in_words(caught.value) == (
        f"api.example resolves to {ip}, a private address; "
        "set egress.allow_private = true if that is meant"
    )


async def test_no_answer_stays_none():
    assert await resolved() == []


def test_ways_are_the_same_where_their_rules_are():
    assert Way(proxy=Proxy("p", 1)) == Way(proxy=Proxy("p", 1))
    assert len({DIRECT, Way(), Way(is_public_only=True), Way(proxy=Proxy("p", 1))}) == 3
