"""How often, how many at once, and how many connections."""

import asyncio
import time

import pytest

from tests.functional.scripted import HOST, KEY, OK, OTHER_KEY, Client, Cut, request

TIGHT = '[rate_limits.tight]\nrate = "1r/h"\nburst = 2'
BY_TIGHT = 'rate_limits = ["tight"]'
TRUSTED = 'trusted_proxies = ["127.0.0.1"]'


async def statuses(gateway, count, *lines, **named):
    """What so many requests over one connection are answered."""
    client = await gateway.connect()
    return [(await client.ask("GET", "/", *lines, **named)).status for _ in range(count)]


# --- Rates


async def test_burst_is_exact_and_the_refusal_says_when(start, willing):
    gateway = await start(willing, route=BY_TIGHT, more=TIGHT)
    before = await statuses(gateway, 3)
    answer = await gateway.ask("GET", "/")

    assert before == [200, 200, 200]
    assert (answer.status, answer.json["error"]) == (429, "rate_limited")
    assert answer.value("retry-after") == "60"
    assert answer.value("ratelimit-limit") == "3"
    assert answer.value("ratelimit-remaining") == "0"
    assert int(answer.value("ratelimit-reset")) > 3600
    assert answer.value("x-should-retry") is None
    assert willing.received.count(b"GET /") == 3


async def test_limit_refills(start, willing):
    more = '[rate_limits.tight]\nrate = "5r/s"\nburst = 0'
    gateway = await start(willing, route=BY_TIGHT, more=more)
    client = await gateway.connect()
    first = await client.ask("GET", "/")
    began = time.monotonic()
    second = third = await client.ask("GET", "/")
    while third.status == 429 and time.monotonic() - began < 5:
        third = await client.ask("GET", "/")
    waited = time.monotonic() - began

    assert [first.status, second.status, third.status] == [200, 429, 200]
    assert second.value("retry-after") == "1"
    assert waited > 0.1  # a fifth of a second, less what the first answer took to come


async def test_forwarded_addresses_of_strangers_buy_nothing(start, willing):
    gateway = await start(willing, route=BY_TIGHT, more=TIGHT)
    client = await gateway.connect()
    got = [
        (
            await client.ask("GET", "/", f"X-Forwarded-For: 10.0.0.{i}", f"X-Real-IP: 10.0.0.{i}")
        ).status
        for i in range(5)
    ]

    assert got == [200, 200, 200, 429, 429]


async def test_behind_a_trusted_proxy_each_client_has_its_own(start, willing):
    gateway = await start(willing, server=TRUSTED, route=BY_TIGHT, more=TIGHT)

    assert await statuses(gateway, 4, "X-Forwarded-For: 203.0.113.1") == [200, 200, 200, 429]
    assert await statuses(gateway, 1, "X-Forwarded-For: 203.0.113.2") == [200]
    assert await statuses(gateway, 4, "X-Forwarded-For: 2001:db8::1") == [200, 200, 200, 429]
    assert await statuses(gateway, 1, "X-Forwarded-For: 2001:db8::ffff:2") == [429]
    assert await statuses(gateway, 1, "X-Forwarded-For: 2001:db8:0:1::1") == [200]


async def test_ipv4_written_in_ipv6_is_the_same_client(start, willing):
    gateway = await start(willing, server=TRUSTED, route=BY_TIGHT, more=TIGHT)
    client = await gateway.connect()
    spellings = ["203.0.113.1", "::ffff:203.0.113.1", "::FFFF:cb00:7101", "0::ffff:203.0.113.1"]
    got = [(await client.ask("GET", "/", f"X-Forwarded-For: {each}")).status for each in spellings]

    assert got == [200, 200, 200, 429]


async def test_limit_per_user(start, willing):
    gateway = await start(willing, route=BY_TIGHT, more=f'{TIGHT}\nper = "user"')

    assert await statuses(gateway, 4) == [200, 200, 200, 429]
    assert await statuses(gateway, 1, key=OTHER_KEY) == [200]


async def test_limit_per_route(start, willing):
    more = (
        f'{TIGHT}\nper = ["user", "route"]\n'
        f'[[routes]]\nname = "other"\npath = "/other"\nupstream = "{willing.url}"\n{BY_TIGHT}'
    )
    gateway = await start(willing, route=BY_TIGHT, more=more)

    assert await statuses(gateway, 4) == [200, 200, 200, 429]
    assert (await gateway.ask("GET", "/other")).status == 200


async def test_every_limit_must_have_room_and_a_refusal_costs_nothing(start, willing):
    more = f'{TIGHT}\n[rate_limits.wide]\nrate = "1r/h"\nburst = 5\nper = "user"'
    route = 'rate_limits = ["wide", "tight"]'
    gateway = await start(willing, server=TRUSTED, route=route, more=more)
    first = await statuses(gateway, 6, "X-Forwarded-For: 203.0.113.1")
    second = await statuses(gateway, 4, "X-Forwarded-For: 203.0.113.2")

    assert first == [200, 200, 200, 429, 429, 429]
    assert second == [200, 200, 200, 429]


async def test_refused_credentials_cost_the_limit_auth_and_good_ones_never(start, willing):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 2'
    gateway = await start(willing, more=more)
    good = await statuses(gateway, 10)
    wrong = await statuses(gateway, 5, key="wrong")
    after = await statuses(gateway, 3)

    assert (set(good), wrong, set(after)) == ({200}, [401, 401, 401, 429, 429], {200})
    assert (await gateway.lines.next("limit.exceeded"))["ip"] == HOST


@pytest.mark.parametrize("credential", ["Basic eDp5", "Bearer a b", "Bearer \xe9"])
async def test_what_can_be_no_credential_costs_as_much(start, willing, credential):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 2'
    gateway = await start(willing, more=more)

    got = await statuses(gateway, 4, f"Authorization: {credential}", key=None)

    assert got == [401, 401, 401, 429]


async def test_missing_credential_costs_nothing(start, willing):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 0'
    gateway = await start(willing, more=more)

    assert await statuses(gateway, 4, key=None) == [401] * 4


# --- Requests at a time


async def test_requests_of_one_user_at_a_time(start, upstream):
    gateway = await start(upstream, route="max_concurrent = 2")
    clients = [await gateway.connect() for _ in range(2)]
    for client in clients:
        client.send(request("GET", "/"))
    connections = [await upstream.accepted() for _ in clients]
    refused = await gateway.ask("GET", "/")
    other = await gateway.connect()
    other.send(request("GET", "/", key=OTHER_KEY))
    await upstream.accepted()
    for connection in connections:
        await connection.head()
        connection.send(OK)
    for client in clients:
        await client.answer()
    clients[0].send(request("GET", "/again"))

    assert (refused.status, refused.json["error"]) == (429, "too_many_concurrent")
    assert any([await _is_asked(connection) for connection in connections[-1:]])


async def _is_asked(connection):
    return (await connection.head()).startswith(b"GET /again ")


async def test_requests_of_one_address_at_a_time_where_nobody_is_known(start, upstream):
    gateway = await start(upstream, route="auth = []\nmax_concurrent = 1", server=TRUSTED)
    clients = [await gateway.connect() for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(request("GET", "/", f"X-Forwarded-For: 203.0.113.{number}", key=None))
    connections = [await upstream.accepted() for _ in clients]

    refused = await gateway.ask("GET", "/", "X-Forwarded-For: 203.0.113.0", key=None)

    assert (refused.status, refused.json["error"]) == (429, "too_many_concurrent")
    for connection in connections:
        await connection.head()
        connection.send(OK)
    assert [(await client.answer()).status for client in clients] == [200, 200]


@pytest.mark.parametrize("end", ["client leaves", "upstream breaks off", "upstream refuses"])
async def test_place_is_free_again_however_a_request_ended(start, upstream, end):
    gateway = await start(upstream, route="max_concurrent = 1")
    client = await gateway.connect()
    client.send(request("POST", "/", body=b"x"))
    connection, _ = await upstream.asked()
    if end == "client leaves":
        client.reset()
    elif end == "upstream breaks off":
        connection.reset()
    else:
        connection.send(b"rubbish\r\n\r\n")
    await gateway.lines.next("request")
    upstream.plays(OK)

    assert (await gateway.ask("POST", "/", body=b"x")).status == 200


# --- Connections


async def test_connections_over_the_limit_wait_their_turn(start, willing):
    gateway = await start(willing, server="max_connections = 2")
    first, second = await gateway.connect(), await gateway.connect()
    assert (await first.ask("GET", "/")).status == 200
    assert (await second.ask("GET", "/")).status == 200
    waiting = asyncio.ensure_future(gateway.ask("GET", "/"))
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    first.close()

    assert not done
    assert (await waiting).status == 200


async def test_connections_of_one_address(start, willing):
    gateway = await start(willing, is_tls=False, server="max_connections_per_ip = 2")
    first, second, third = [await gateway.connect() for _ in range(3)]

    assert (await first.ask("GET", "/")).status == 200
    assert (await second.ask("GET", "/")).status == 200
    with pytest.raises(Cut):
        await third.ask("GET", "/")
    first.close()
    assert await first.rest() == b""
    assert (await gateway.ask("GET", "/")).status == 200


async def test_broken_handshakes_hold_no_place(start, willing):
    gateway = await start(willing, server="max_connections = 3")
    for _ in range(20):
        client = Client(*await asyncio.open_connection(HOST, gateway.port))
        client.send(b"GET / HTTP/1.1\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n")
        assert KEY.encode() not in await client.rest()
        client.close()

    assert (await gateway.ask("GET", "/")).status == 200
    assert willing.received.count(b"GET /") == 1
