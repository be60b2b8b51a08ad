import pytest

from pyproxy.cli.admin_access import AdminAccess, NoAnswer
from pyproxy.cli.status import bans_from, status_from
from tests.desk import route, status


@pytest.fixture
def access(desk):
    return AdminAccess.at(desk.url)


def test_status_is_read_whole(desk, access):
    desk.status = status(routes=[route("openai", ("https://api.openai.com", "up"))])

    found = status_from(access)

    assert found.version == "0.1.0"
    assert found.requests.latency_ms.p50 is None
    assert found.routes[0].upstreams[0].state == "up"


def test_newer_gateway_may_say_more(desk, access):
    desk.status = status(planets=[{"name": "mars"}])

    assert status_from(access).ready


@pytest.mark.parametrize(
    "said", [None, [], {}, {"status": "ok"}, status(workers="many"), status(requests=None)]
)
def test_what_is_no_status_is_another_servers(desk, access, said):
    desk.status = said

    with pytest.raises(NoAnswer, match="another server answers there"):
        status_from(access)


def test_bans_are_read(desk, access):
    desk.bans = {"203.0.113.7": 811.0}

    assert [each.address for each in bans_from(access).bans] == ["203.0.113.7"]


def test_what_is_no_list_of_bans_is_another_servers(answering):
    access = AdminAccess.at(f"http://127.0.0.1:{answering(body=b'[]')}")

    with pytest.raises(NoAnswer, match="another server answers there"):
        bans_from(access)
