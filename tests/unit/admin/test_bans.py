import json

import pytest

from pyproxy.admin.bans import client_of, lift_ban, list_bans
from pyproxy.errors.refusal import BadRequest
from tests.admin_scene import Bans


async def test_bans_are_listed():
    answer = await list_bans(Bans(**{"192.0.2.7": 800.123, "2001:db8::/64": 1.0}))

    assert json.loads(answer.body) == {
        "bans": [
            {"address": "192.0.2.7", "seconds_left": 800.1},
            {"address": "2001:db8::/64", "seconds_left": 1.0},
        ]
    }


async def test_a_ban_is_lifted_once():
    bans = Bans(**{"192.0.2.7": 800.0})

    first, second = await lift_ban(bans, "192.0.2.7"), await lift_ban(bans, "192.0.2.7")
    assert (first.status, json.loads(first.body)) == (200, {"lifted": True})
    assert (second.status, json.loads(second.body)["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "client"),
    [
        (b"address=192.0.2.7", "192.0.2.7"),
        (b"address=2001:db8::5", "2001:db8::/64"),
        (b"address=2001%3Adb8%3A%3A5", "2001:db8::/64"),
        (b"address=2001:db8::/64", "2001:db8::/64"),
        (b"address=2001:db8::%2F64", "2001:db8::/64"),
        (b"address=::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_client_is_named_as_bans_are_written(query, client):
    assert client_of(query) == client


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(None, id="nobody"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"address=", id="an empty one"),
        pytest.param(b"address", id="no value"),
        pytest.param(b"ip=192.0.2.7", id="another name"),
        pytest.param(b"address=192.0.2.7&address=192.0.2.8", id="two"),
        pytest.param(b"address=192.0.2.7&" + b"x=1&" * 5000, id="a bomb of parameters"),
        pytest.param(b"address=192.0.2.0/24", id="a network"),
        pytest.param(b"address=2001:db8::/48", id="a wider network"),
        pytest.param(b"address=example.test", id="a name"),
        pytest.param(b"address=fe80::1%25eth0", id="a zone"),
        pytest.param(b"address=%ff%fe", id="no text"),
        pytest.param(b"address=192.0.2.7%00", id="NUL"),
        pytest.param(b"address=3232235777", id="a number"),
        pytest.param(b"address=0300.0.2.7", id="octal"),
    ],
)
def test_whoever_names_no_address_is_told_the_form(query):
    with pytest.raises(BadRequest) as refused:
        client_of(query)

    assert "/bans?address=192.0.2.7" in refused.value.message
