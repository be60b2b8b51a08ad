"""Who keeps failing is shut out for a while, and nobody else."""

import asyncio
import time
from collections import Counter

import bcrypt
import jwt
import pytest

from tests.functional.scripted import HOST, KEY, OK, OTHER_KEY, hashed, request

BAN = '[auth.ban]\nafter = 3\nwithin = "10m"\nlasting = "15m"\n'
TRUSTED = 'trusted_proxies = ["127.0.0.1"]'
SECRET = "the-shared-secret-0123456789"
ELSEWHERE = "127.0.0.2"


async def statuses(client, count, *lines, **named):
    """What so many requests of a client are answered."""
    return [(await client.ask("GET", "/", *lines, **named)).status for _ in range(count)]


async def banned(gateway, *lines):
    """Have this very address banned."""
    client = await gateway.connect()
    await statuses(client, 3, *lines, key="wrong")
    await gateway.lines.next("auth.banned")
    client.close()


# --- What a ban does


async def test_three_wrong_keys_shut_the_address_out_and_no_other(start, willing):
    gateway = await start(willing, more=BAN)
    client = await gateway.connect()
    wrong = await statuses(client, 3, key="wrong")
    answer = await client.ask("GET", "/")

    assert wrong == [401] * 3
    assert (answer.status, answer.json) == (403, {"error": "banned"})
    assert 890 <= int(answer.value("retry-after")) <= 900
    assert answer.value("x-should-retry") == "false"
    assert answer.value("www-authenticate") is None
    assert (await gateway.ask("GET", "/")).status == 403
    assert (await gateway.ask("GET", "/", source=ELSEWHERE)).status == 200
    assert willing.received.count(b"GET /") == 1


async def test_it_is_told_once_and_refused_requests_stand_in_the_access_log(start, willing):
    gateway = await start(willing, more=BAN)
    await banned(gateway)
    for _ in range(5):
        await gateway.ask("GET", "/")
    await gateway.lines.next("request", 8)
    (line,) = gateway.lines.of("auth.banned")

    assert (line["ip"], line["result"]) == (HOST, "banned")
    assert line["details"] == {
        "client": HOST, "failures": 3, "within_s": 600.0, "lasting_s": 900.0,
    }  # fmt: skip
    assert len(gateway.lines.of("auth.failed")) == 3
    assert gateway.lines.of("access.denied") == []
    assert [line["code"] for line in gateway.lines.of("request")[3:]] == ["banned"] * 5


async def test_whose_connection_was_good_is_shut_out_from_the_next_request_on(start, willing):
    gateway = await start(willing, more=BAN)
    client = await gateway.connect()
    before = await statuses(client, 3)
    await banned(gateway)

    assert before == [200] * 3
    assert await statuses(client, 2) == [403] * 2


async def test_stream_under_way_goes_on_and_the_request_after_it_is_refused(start, upstream):
    gateway = await start(upstream, more=BAN)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
    await client.head()
    assert await client.chunk() == b"one"
    await banned(gateway)
    connection.send(b"3\r\ntwo\r\n0\r\n\r\n")

    assert await client.chunked() == (b"two", b"")
    assert (await client.ask("GET", "/")).status == 403


async def test_ban_ends(start, willing):
    gateway = await start(willing, more=BAN.replace("15m", "1s"))
    await banned(gateway)
    client = await gateway.connect()
    began = time.monotonic()
    answer = first = await client.ask("GET", "/")
    while answer.status == 403 and time.monotonic() - began < 5:
        answer = await client.ask("GET", "/")

    assert (first.status, first.value("retry-after")) == (403, "1")
    assert answer.status == 200
    assert await statuses(client, 2, key="wrong") == [401] * 2
    assert await statuses(client, 1) == [200]


async def test_nobody_is_banned_where_bans_are_off(start, willing):
    gateway = await start(willing, more=BAN.replace("after = 3", "after = 0"))
    client = await gateway.connect()
    await statuses(client, 40, key="wrong")

    assert await statuses(client, 1) == [200]


# --- Where it stands among the checks


@pytest.mark.parametrize(
    ("method", "path", "lines", "status"),
    [
        pytest.param("GET", "/x/../y", [], 400, id="malformed target"),
        pytest.param("GET", "/", ["Host: twice"], 400, id="malformed Host"),
        pytest.param("TRACE", "/", [], 405, id="method that never is allowed"),
        pytest.param("GET", "/inside", [], 403, id="before allow_from"),
        pytest.param("GET", "/only/nothing", [], 403, id="before the route"),
        pytest.param("PUT", "/get", [], 403, id="before the method"),
        pytest.param("POST", "/", ["Content-Length: 999999999"], 403, id="before sizes"),
        pytest.param(
            "OPTIONS", "/", ["Origin: https://a.b", "Access-Control-Request-Method: GET"], 403,
            id="before CORS",
        ),
        pytest.param("POST", "/token", [], 403, id="token"),
        pytest.param("POST", "/token/revoke", [], 403, id="revoke"),
        pytest.param("GET", "/verify", [], 403, id="verify"),
        pytest.param("GET", "/health", [], 200, id="health"),
        pytest.param("GET", "/.well-known/jwks.json", [], 200, id="public keys"),
    ],
)  # fmt: skip
async def test_ban_comes_after_what_is_malformed_and_before_all_else(
    start, willing, signing, method, path, lines, status
):
    more = (
        f'{BAN}[cors]\norigins = ["https://a.b"]\n'
        f'[[routes]]\nname = "inside"\npath = "/inside"\nallow_from = ["10.0.0.0/8"]\n'
        f'upstream = "{willing.url}"\n'
        f'[[routes]]\nname = "get"\npath = "/get"\nmethods = ["GET"]\nupstream = "{willing.url}"\n'
    )
    gateway = await start(willing, route='hosts = ["gateway.example"]', auth=signing, more=more)
    await banned(gateway)
    answer = await gateway.ask(method, path, *lines)

    assert answer.status == status
    assert status != 403 or answer.json == {"error": "banned"}
    assert willing.received == b""


async def test_nothing_is_hashed_for_a_banned_address(start, willing):
    key_hash = bcrypt.hashpw(OTHER_KEY.encode(), bcrypt.gensalt(4)).decode()
    gateway = await start(willing, keys_text=f"bob:{key_hash}\n", more=BAN)
    await banned(gateway)
    gate, tried = gateway.worker._resources.gate, []
    matches = gate.matches

    async def counting(secret, hashes, client):
        tried.append(secret)
        return await matches(secret, hashes, client)

    gate.matches = counting
    client = await gateway.connect()
    got = [await statuses(client, 1, key=f"wrong-{number}") for number in range(20)]
    there = await gateway.ask("GET", "/", key=OTHER_KEY, source=ELSEWHERE)

    assert got == [[403]] * 20
    assert tried == [OTHER_KEY.encode()]
    assert there.status == 200


# --- What counts


def forged(**changes):
    """A token that is not good."""
    claims = {"sub": "eve", "aud": "them", "iss": "us", "iat": time.time(), **changes}
    return jwt.encode(
        {"exp": time.time() + 60, **claims}, "s" * 32, "HS256", headers={"kid": "unknown"}
    )


@pytest.mark.parametrize(
    ("method", "path", "lines", "key", "status"),
    [
        pytest.param("GET", "/", [], "wrong", 401, id="wrong key"),
        pytest.param("GET", "/", [f"x-api-key: {KEY}x"], None, 401, id="elsewhere"),
        pytest.param("GET", "/?key=wrong", [], None, 401, id="query"),
        pytest.param("GET", "/", ["Authorization: Basic eDp5"], None, 401, id="Basic"),
        pytest.param("GET", "/", [], forged(), 401, id="forged token"),
        pytest.param("GET", "/", [], "a.b.c", 401, id="no token"),
        pytest.param("GET", "/secret", ["X-Proxy-Token: wrong"], None, 403, id="shared secret"),
        pytest.param("POST", "/token", [], "wrong", 401, id="at /token"),
        pytest.param("POST", "/token/revoke", [], "a.b.c", 401, id="at /token/revoke"),
        pytest.param("GET", "/verify", [], "wrong", 401, id="at /verify"),
        pytest.param("GET", "/", ["Upgrade: websocket"], "wrong", 401, id="WebSocket"),
    ],
)
async def test_what_counts(start, willing, signing, secrets, method, path, lines, key, status):
    secrets.append(SECRET)
    gateway = await start(willing, auth=signing, more=BAN + _secret_route(willing))
    client = await gateway.connect()
    named = {"key": key}
    got = [(await client.ask(method, path, *lines, **named)).status for _ in range(3)]

    assert got == [status] * 3
    assert (await client.ask("GET", "/")).json == {"error": "banned"}


def _secret_route(upstream):
    return (
        f'[[routes]]\nname = "secret"\npath = "/secret"\nauth = ["token"]\n'
        f'token = {{ secret = "{SECRET}" }}\nupstream = "{upstream.url}"\n'
    )


async def test_token_with_a_broken_signature_counts(start, willing, signing):
    gateway = await start(willing, auth=signing, more=BAN)
    token = (await gateway.ask("POST", "/token")).json["token"]
    cut = token[:-8] + ("A" * 8)
    client = await gateway.connect()

    assert await statuses(client, 1, key=token) == [200]
    assert await statuses(client, 4, key=cut) == [401, 401, 401, 403]


async def test_expired_token_and_missing_secret_are_no_attempts_beyond_the_limit_either(
    start, willing, signing, secrets
):
    secrets.append(SECRET)
    limit = '[rate_limits.auth]\nrate = "1r/h"\nburst = 2\n'
    more = BAN + limit + _secret_route(willing)
    auth = signing.replace("[auth.jwt]", '[auth.jwt]\nleeway = "0s"\nttl = "1s"')
    gateway = await start(willing, auth=auth, more=more)
    token = (await gateway.ask("POST", "/token")).json["token"]
    client = await gateway.connect()
    await asyncio.sleep(1.1)
    got = await statuses(client, 6, key=token)
    got += [(await client.ask("GET", "/secret", key=None)).status for _ in range(6)]

    assert got == [401] * 2 + [429] * 10
    assert await statuses(client, 1) == [200]


@pytest.mark.parametrize(
    ("method", "path", "lines", "key", "status"),
    [
        pytest.param("GET", "/", [], None, 401, id="missing credential"),
        pytest.param("GET", "/", [f"x-api-key: {OTHER_KEY}"], KEY, 400, id="ambiguous"),
        pytest.param("GET", "/", [], OTHER_KEY, 401, id="expired key"),
        pytest.param("GET", "/secret", [], None, 403, id="missing shared secret"),
        pytest.param(
            "GET", "/secret", ["X-Proxy-Token: a", "X-Proxy-Token: b"], None, 403,
            id="two shared secrets",
        ),
        pytest.param("GET", "/nobody", [], KEY, 403, id="user who may not"),
        pytest.param("GET", "/nothing\x7f", [], KEY, 400, id="malformed"),
        pytest.param("GET", "/few", [], KEY, 429, id="limit of a route"),
    ],
)  # fmt: skip
async def test_what_does_not_count(start, willing, secrets, method, path, lines, key, status):
    secrets.append(SECRET)
    keys = hashed("alice", KEY) + hashed("bob", OTHER_KEY, "expires=2020-01-31")
    more = (
        f'{BAN}[rate_limits.few]\nrate = "1r/h"\n'
        f'[rate_limits.auth]\nrate = "1r/h"\nburst = 1000\n{_secret_route(willing)}'
        f'[[routes]]\nname = "nobody"\npath = "/nobody"\nusers = ["carol"]\n'
        f'upstream = "{willing.url}"\n'
        f'[[routes]]\nname = "few"\npath = "/few"\nrate_limits = ["few"]\n'
        f'upstream = "{willing.url}"\n'
    )
    gateway = await start(willing, keys_text=keys, more=more)
    if path == "/few":
        await gateway.ask("GET", path)
    got = {(await gateway.ask(method, path, *lines, key=key)).status for _ in range(9)}

    assert got == {status}
    assert (await gateway.ask("GET", "/")).status == 200


async def test_attempts_that_the_spent_limit_refuses_count_too(start, willing):
    more = BAN.replace("after = 3", "after = 5") + '[rate_limits.auth]\nrate = "1r/h"\nburst = 1\n'
    gateway = await start(willing, more=more)
    client = await gateway.connect()

    assert await statuses(client, 7, key="wrong") == [401, 401, 429, 429, 429, 403, 403]


async def test_good_key_that_asks_for_too_many_tokens_is_not_banned(start, willing, signing):
    more = BAN + '[rate_limits.auth]\nrate = "1r/h"\nburst = 1\n'
    gateway = await start(willing, auth=signing, more=more)
    client = await gateway.connect()
    got = [(await client.ask("POST", "/token")).status for _ in range(9)]
    got += [(await client.ask("POST", "/token", key=None)).status for _ in range(9)]

    assert got == [200] * 2 + [429] * 16
    assert await statuses(client, 1) == [200]


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/token")])
async def test_good_key_that_is_not_known_yet_and_comes_in_crowds_is_not_banned(
    start, willing, signing, method, path
):
    key_hash = bcrypt.hashpw(OTHER_KEY.encode(), bcrypt.gensalt(10)).decode()
    gateway = await start(willing, keys_text=f"bob:{key_hash}\n", auth=signing, more=BAN)
    clients = [await gateway.connect() for _ in range(40)]
    answers = await asyncio.gather(*(each.ask(method, path, key=OTHER_KEY) for each in clients))
    got = {answer.status for answer in answers}

    assert got == ({200} if method == "GET" else {200, 429})
    assert gateway.lines.of("auth.banned") == []
    assert await statuses(clients[0], 1, key=OTHER_KEY) == [200]


async def test_keys_guessed_at_token_are_failures_although_its_limit_is_spent(
    start, willing, signing
):
    more = BAN + '[rate_limits.auth]\nrate = "1r/h"\nburst = 0\n'
    gateway = await start(willing, auth=signing, more=more)
    client = await gateway.connect()
    got = [(await client.ask("POST", "/token", key=f"wrong-{n}")).status for n in range(4)]

    assert got == [401, 429, 429, 403]


async def test_good_token_where_only_a_key_will_do_is_no_failure(start, willing, signing):
    gateway = await start(willing, auth=signing, more=BAN)
    token = (await gateway.ask("POST", "/token")).json["token"]
    got = [(await gateway.ask("POST", "/token", key=token)).status for _ in range(6)]

    assert got == [401] * 6
    assert (await gateway.ask("GET", "/", key=token)).status == 200


async def test_foreign_keys_on_an_open_route_are_no_failures(start, upstream):
    upstream.plays(OK)
    key_hash = bcrypt.hashpw(OTHER_KEY.encode(), bcrypt.gensalt(4)).decode()
    more = BAN + '[rate_limits.auth]\nrate = "1r/h"\nburst = 2\n'
    gateway = await start(upstream, keys_text=f"bob:{key_hash}\n", route="auth = []", more=more)
    client = await gateway.connect()
    got = [await statuses(client, 1, key=f"sk-{number}") for number in range(12)]

    assert got == [[200]] * 3 + [[429]] * 9
    assert await statuses(client, 1, key=None) == [200]


async def test_client_with_its_line_for_bcrypt_full_is_banned_before_its_keys_are_hashed(
    start, willing
):
    key_hash = bcrypt.hashpw(OTHER_KEY.encode(), bcrypt.gensalt(12)).decode()
    keys = "".join(
        f"user{number}:{key_hash[:40]}{number}{key_hash[42:]}\n" for number in range(10, 30)
    )
    gateway = await start(willing, keys_text=keys, more=BAN)
    clients = [await gateway.connect() for _ in range(15)]
    for number, client in enumerate(clients):
        client.send(request("GET", "/", key=f"wrong-{number}"))
    await gateway.lines.next("auth.banned")
    await gateway.lines.next("request", 15)
    refused = [line["code"] for line in gateway.lines.of("request")]

    assert Counter(refused) == {"rate_limited": 12, "banned": 3}  # no hash for any
    assert (await gateway.ask("GET", "/health", key=None)).status == 200
    assert (await gateway.ask("GET", "/")).status == 403
    for client in clients:
        client.reset()


# --- Who


async def test_behind_a_trusted_proxy_the_client_is_banned_alone(start, willing):
    gateway = await start(willing, server=TRUSTED, more=BAN)
    await banned(gateway, "X-Forwarded-For: 203.0.113.1")
    client = await gateway.connect()

    assert await statuses(client, 1, "X-Forwarded-For: 203.0.113.1") == [403]
    assert await statuses(client, 1, "X-Forwarded-For: 203.0.113.2") == [200]
    assert await statuses(client, 1, "X-Forwarded-For: 203.0.113.1, 203.0.113.2") == [200]
    assert await statuses(client, 1) == [200]
    assert [line["ip"] for line in gateway.lines.of("request") if line["code"] == "banned"] == [
        "203.0.113.1"
    ]


async def test_trusted_proxy_itself_is_never_banned(start, willing):
    gateway = await start(willing, server=TRUSTED, more=BAN)
    client = await gateway.connect()
    wrong = await statuses(client, 9, key="wrong")
    wrong += await statuses(client, 2, "X-Forwarded-For: unknown", key="wrong")

    assert set(wrong) <= {401, 429}
    assert await statuses(client, 1) == [200]
    assert gateway.lines.of("auth.banned") == []


async def test_forwarded_addresses_of_strangers_neither_ban_others_nor_save_them(start, willing):
    gateway = await start(willing, more=BAN)
    client = await gateway.connect()
    for number in range(3):
        await client.ask("GET", "/", f"X-Forwarded-For: 203.0.113.{number}", key="wrong")

    assert await statuses(client, 1, "X-Forwarded-For: 203.0.113.9") == [403]


async def test_ipv6_network_and_ipv4_in_ipv6_are_one_client(start, willing):
    gateway = await start(willing, server=TRUSTED, more=BAN)
    client = await gateway.connect()
    for address in ("2001:db8::1", "2001:db8::2", "2001:DB8:0:0:ffff::1"):
        await statuses(client, 1, f"X-Forwarded-For: {address}", key="wrong")
    for address in ("203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"):
        await statuses(client, 1, f"X-Forwarded-For: {address}", key="wrong")

    assert await statuses(client, 1, "X-Forwarded-For: 2001:db8::abcd") == [403]
    assert await statuses(client, 1, "X-Forwarded-For: 2001:db8:0:1::1") == [200]
    assert await statuses(client, 1, "X-Forwarded-For: ::ffff:203.0.113.7") == [403]
    assert await statuses(client, 1, "X-Forwarded-For: 203.0.113.8") == [200]
    assert [line["details"]["client"] for line in gateway.lines.of("auth.banned")] == [
        "2001:db8::/64",
        "203.0.113.7",
    ]


async def test_verify_refuses_the_banned_client_of_the_proxy_that_asks(start, willing):
    gateway = await start(willing, server=TRUSTED, more=BAN)
    asked = ["X-Forwarded-Uri: /", "X-Forwarded-Method: GET"]
    bad, good = "X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2"
    wrong = [
        (await gateway.ask("GET", "/verify", *asked, bad, key="wrong")).status for _ in range(3)
    ]
    answer = await gateway.ask("GET", "/verify", *asked, bad)

    assert wrong == [401] * 3
    assert (answer.status, answer.json) == (403, {"error": "banned"})
    assert (await gateway.ask("GET", "/verify", *asked, good)).status == 200


async def test_lifted_it_is_let_in(start, willing):
    gateway = await start(willing, more=BAN)
    client = await gateway.connect()
    await banned(gateway)
    refused = await statuses(client, 1)
    bans = gateway.worker._resources.bans
    (ban,) = bans.in_force(time.monotonic())

    assert refused == [403]
    assert bans.lift(ban.client, time.monotonic())
    assert await statuses(client, 1) == [200]


async def test_a_thousand_addresses_that_fail_once_are_all_heard_and_none_is_banned(start, willing):

    gateway = await start(willing, server=TRUSTED, more=BAN)
    client = await gateway.connect()
    got = set()
    for number in range(1000):
        address = f"X-Forwarded-For: 198.{18 + number // 65536}.{number // 256}.{number % 256}"
        got |= set(await statuses(client, 1, address, key="wrong"))

    assert got == {401}
    assert gateway.worker._resources.bans.in_force(time.monotonic()) == ()


async def test_of_many_attempts_at_once_no_more_are_tried_than_the_limit_says(start, willing):
    gateway = await start(willing, more=BAN)
    clients = [await gateway.connect() for _ in range(40)]
    answers = await asyncio.gather(*(client.ask("GET", "/", key="wrong") for client in clients))
    got = [answer.status for answer in answers]

    assert set(got) <= {401, 403, 429}
    assert 3 <= got.count(401) <= 11  # the limit auth: whoever came before the ban began
    assert (await gateway.ask("GET", "/")).status == 403
    assert len(gateway.lines.of("auth.banned")) == 1
