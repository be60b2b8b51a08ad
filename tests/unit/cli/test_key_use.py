import pytest

from pyproxy.cli.key_use import lost_routes, unknown_users
from pyproxy.config.route import RouteSettings
from pyproxy.identity.keys_file import parse_keys_file

ALICE = f"alice:sha256:{'0' * 64}"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuNc9ChvpNSZSIXSXoTRQCvS6JUF/9EIa"


def route(**given):
    return RouteSettings.model_validate({"name": "openai", "upstream": "http://a", **given})


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        pytest.param(ALICE, [], id="every route"),
        pytest.param(f"{ALICE} routes=openai", [], id="a route"),
        pytest.param(f"{ALICE} routes=openai,nope,zzz", ["nope", "zzz"], id="two that are not"),
    ],
)
def test_route_that_is_not_there(line, lost):
    found = list(lost_routes(parse_keys_file(line, "keys"), [route()]))

    assert [fault.path for fault in found] == ["keys:1"] * len(lost)
    assert [fault.problem.partition(":")[0] for fault in found] == [f"routes={n}" for n in lost]


@pytest.mark.parametrize(
    ("lines", "given", "count"),
    [
        pytest.param(ALICE, {"users": ["alice"]}, 0, id="has a key"),
        pytest.param(ALICE, {"users": ["bob"]}, 1, id="has none"),
        pytest.param(ALICE, {"users": ["bob"], "auth": ["key", "jwt"]}, 0, id="may have a token"),
        pytest.param(ALICE, {"users": ["bob"], "auth": ["mtls"]}, 0, id="has a certificate"),
        pytest.param(f"{ALICE}\n{BCRYPT}", {"users": ["bob"]}, 0, id="bcrypt without a name"),
    ],
)
def test_user_without_a_key(lines, given, count):
    entries = parse_keys_file(lines, "keys")

    found = list(unknown_users(entries, [route(), route(**{"auth": ["key"], **given})]))

    assert len(found) == count
    assert all(fault.path == "routes[1].users[0]" for fault in found)
