"""Nobody's credential gets where it should not; ours and the provider's alike.

That no log line holds one is looked at after every test, by ``start``; that no
key of a client reaches an upstream, by ``upstream``.
"""

import base64

import bcrypt
import pytest

from tests.functional.scripted import (
    KEY,
    OK,
    OTHER_KEY,
    Message,
    hashed,
    request,
)

PROVIDERS = "sk-the-providers-own-0123456789"
IN_HEADER = f'credential = {{ header = "Authorization", value = "Bearer {PROVIDERS}" }}'
IN_QUERY = f'credential = {{ query = "key", value = "{PROVIDERS}" }}'
OPEN = "auth = []"
SHARED = 'auth = ["token"]\ntoken = { header = "X-Proxy-Token", secret = "0123456789abcdef" }'


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(autouse=True)
def _providers_secret(secrets):
    secrets += [PROVIDERS, "0123456789abcdef-of-a-client"]


async def sent_up(gateway, upstream, *lines, path="/", key=KEY):
    """The head that the upstream gets."""
    client = await gateway.connect()
    client.send(request("GET", path, *lines, key=key))
    connection, head = await upstream.asked()
    connection.send(OK)
    answer = await client.answer()
    assert answer.status == 200
    assert PROVIDERS.encode() not in answer.head + answer.body
    return Message(head)


async def both_sent_up(gateway, upstream, *requests):
    """The heads that the upstream gets of requests that come over one connection."""
    client = await gateway.connect()
    client.send(*requests)
    connection = await upstream.accepted()
    heads = []
    for _ in requests:
        heads.append(Message(await connection.head()))
        connection.send(OK)
        assert (await client.answer()).status == 200
    return heads


# --- What is injected


@pytest.mark.parametrize(
    ("lines", "path", "key"),
    [
        pytest.param([], "/", KEY, id="as usual"),
        pytest.param([f"x-api-key: {KEY}"], "/", None, id="key elsewhere"),
        pytest.param(
            [f"Authorization: Bearer {KEY}", f"api-key: {KEY}"], "/", None, id="key twice"
        ),
        pytest.param([], f"/?key={KEY}", None, id="key in the query"),
        pytest.param(["Connection: Authorization"], "/", KEY, id="nominated"),
    ],
)
async def test_providers_credential_takes_the_place_of_the_clients(
    start, upstream, lines, path, key
):
    gateway = await start(upstream, route=IN_HEADER)

    head = await sent_up(gateway, upstream, *lines, path=path, key=key)

    assert head.values("authorization") == [f"Bearer {PROVIDERS}"]
    assert not [name for name in ("x-api-key", "api-key", "x-goog-api-key") if head.values(name)]


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("/", f"/?key={PROVIDERS}"),
        ("/?a=1&b=%20", f"/?a=1&b=%20&key={PROVIDERS}"),
        ("/?key=&KEY=x&%6bey=&api_key=z&a=1", f"/?a=1&key={PROVIDERS}"),
    ],
)
async def test_providers_credential_in_the_query(start, upstream, asked, got):
    gateway = await start(upstream, route=IN_QUERY)

    head = await sent_up(gateway, upstream, path=asked)

    assert head.start == f"GET {got} HTTP/1.1".encode()
    assert head.value("authorization") is None


async def test_credential_may_come_from_a_file_or_the_environment(start, upstream, tmp_path):
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text(f"{PROVIDERS}\n")
    route = 'credential = { header = "x-api-key", value = { file = "secret" } }'
    more = (
        '[[routes]]\nname = "other"\npath = "/other"\n'
        f'upstream = "{upstream.url}"\n'
        'credential = { header = "x-api-key", value = "${PROVIDERS_KEY}" }'
    )
    gateway = await start(upstream, route=route, more=more, environ={"PROVIDERS_KEY": PROVIDERS})
    client = await gateway.connect()
    client.send(request("GET", "/"), request("GET", "/other"))
    connection = await upstream.accepted()
    for _ in range(2):
        head = Message(await connection.head())
        connection.send(OK)

        assert head.value("x-api-key") == PROVIDERS


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"rubbish\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", id="bad framing"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_no_error_shows_the_providers_credential(start, upstream, answer):
    gateway = await start(upstream, route=IN_QUERY)
    client = await gateway.connect()
    client.send(request("POST", "/"))
    connection, _ = await upstream.asked()
    connection.send(answer)
    connection.close()
    got = await client.answer()

    assert got.status == 502
    assert PROVIDERS.encode() not in got.head + got.body


# --- What must not travel on, even where nothing was asked for


@pytest.mark.parametrize("route", [OPEN, SHARED], ids=["open", "shared secret"])
@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param([f"Authorization: Bearer {KEY}"], "/", id="Bearer"),
        pytest.param([f"x-api-key: {KEY}"], "/", id="x-api-key"),
        pytest.param([], f"/?key={KEY}", id="query"),
        pytest.param(
            [f"Authorization: Bearer {KEY}", f"x-api-key: {OTHER_KEY}"], "/", id="two of ours"
        ),
        pytest.param(
            ["Authorization: Bearer sk-of-the-caller", f"x-api-key: {KEY}"],
            "/",
            id="beside another",
        ),
        pytest.param([f"Authorization: Token {KEY}"], "/", id="another scheme"),
        pytest.param([f"Authorization: Bearer {KEY} x"], "/", id="more behind it"),
        pytest.param([f"Authorization: {basic('user', KEY)}"], "/", id="Basic, password"),
        pytest.param([f"Authorization: {basic(KEY, '')}"], "/", id="Basic, user"),
        pytest.param([f"x-api-key: Bearer {KEY}"], "/", id="scheme in x-api-key"),
        pytest.param([f"xi-api-key: {KEY}"], "/", id="xi-api-key"),
        pytest.param([f"X-Auth-Token: {KEY}"], "/", id="x-auth-token"),
        pytest.param([], f"/?api_key={KEY}", id="?api_key"),
        pytest.param([], f"/?Access_Token={KEY}&a=b", id="?access_token"),
        pytest.param([], f"/?token={KEY}", id="?token"),
        pytest.param(
            [f"x-api-key: {KEY}", f"Cookie: x={KEY}", f"X-Other: {KEY}"], f"/?a={KEY}",
            id="copies of it",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["sha256", "bcrypt", "expired"])
async def test_key_of_ours_sent_without_need_goes_no_further(
    start, upstream, route, lines, path, kind
):
    if kind == "bcrypt":
        hashes = [
            bcrypt.hashpw(key.encode(), bcrypt.gensalt(4)).decode() for key in (KEY, OTHER_KEY)
        ]
        keys = f"alice:{hashes[0]}\nbob:{hashes[1]}\n"
    else:
        options = "expires=2020-01-31" if kind == "expired" else ""
        keys = hashed("alice", KEY, options) + hashed("bob", OTHER_KEY, options)
    gateway = await start(upstream, route=route, keys_text=keys)
    proof = ["X-Proxy-Token: 0123456789abcdef"] if route == SHARED else []

    head = await sent_up(gateway, upstream, *proof, *lines, path=path, key=None)

    assert KEY.encode() not in head.head
    assert OTHER_KEY.encode() not in head.head
    assert ("sk-of-the-caller" in str(lines)) == (b"sk-of-the-caller" in head.head)


@pytest.mark.parametrize("route", [OPEN, SHARED], ids=["open", "shared secret"])
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"Cookie: a=b; x={KEY}", id="cookie"),
        pytest.param(f"X-Other: {KEY}", id="any field"),
        pytest.param(f"Referer: https://example.com/?k={KEY}", id="Referer"),
    ],
)
async def test_generated_key_is_found_in_any_field(start, upstream, route, line):
    gateway = await start(upstream, route=route)
    proof = ["X-Proxy-Token: 0123456789abcdef"] if route == SHARED else []

    head = await sent_up(gateway, upstream, *proof, line, key=None)

    assert KEY.encode() not in head.head


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param([f"xi-api-key: {KEY}"], "/", id="xi-api-key"),
        pytest.param([f"X-Auth-Token: {KEY}", f"Cookie: a={KEY}"], "/", id="two fields"),
        pytest.param([f"x-api-key: {KEY}", f"X-Other: {basic('a', KEY)}"], "/", id="Basic"),
        pytest.param([], f"/?a=b&access_token={KEY}", id="query"),
        pytest.param([], f"/?a=b&Token=%{ord(KEY[0]):x}{KEY[1:]}", id="query, escaped"),
        pytest.param([], f"/?key={KEY}&a=b&api_key={KEY}", id="query, twice"),
    ],
)
async def test_second_copy_of_the_callers_key_goes_no_further(start, upstream, lines, path):
    gateway = await start(upstream)
    asked = request("GET", path, *lines, "X-Kept: yes")

    for head in await both_sent_up(gateway, upstream, asked, asked):  # then the key is remembered
        assert KEY.encode() not in head.head
        assert basic("a", KEY).encode() not in head.head
        assert (b"a=b" in head.start) == ("a=b" in path)
        assert head.value("x-kept") == "yes"


@pytest.mark.parametrize("route", ["", OPEN], ids=["key", "open"])
@pytest.mark.parametrize("path", [f"/a/{KEY}/b", f"/%{ord(KEY[0]):x}{KEY[1:]}", f"/?{KEY}=1"])
async def test_key_in_the_path_is_refused_and_not_written_down(start, willing, route, path):
    gateway = await start(willing, route=route)

    answer = await gateway.ask("GET", path)

    assert (answer.status, answer.json["error"]) == (400, "bad_request")
    assert (await gateway.lines.next("request"))["path"] == ""
    assert willing.received == b""


@pytest.mark.parametrize("route", ["", OPEN], ids=["key", "open"])
async def test_another_routes_shared_secret_goes_no_further(start, upstream, route):
    more = f'[[routes]]\nname = "gated"\npath = "/gated"\nupstream = "{upstream.url}"\n{SHARED}'
    gateway = await start(upstream, route=route, more=more)
    secret = "0123456789abcdef"
    ours = request("GET", "/", f"X-Proxy-Token: {secret}", f"X-Copy: {secret}")
    foreign = request("GET", "/", "X-Proxy-Token: of-the-upstream")

    first, second = await both_sent_up(gateway, upstream, ours, foreign)

    assert secret.encode() not in first.head
    assert second.value("x-proxy-token") == "of-the-upstream"


async def test_key_of_ours_beside_the_field_it_belongs_in_goes_no_further(start, upstream):
    gateway = await start(upstream, route='credential_from = ["X-Gateway-Key"]')
    lines = [
        f"X-Gateway-Key: {KEY}", f"x-api-key: {KEY}", "api-key: sk-of-the-caller",
        f"Cookie: a={OTHER_KEY}", f"X-Other: {KEY}",
    ]  # fmt: skip
    authorization = basic("user", OTHER_KEY)

    head = await sent_up(
        gateway, upstream, *lines, f"Authorization: {authorization}",
        path=f"/?key={OTHER_KEY}&a=1&token={KEY}", key=None,
    )  # fmt: skip

    assert head.value("authorization") is None

    assert KEY.encode() not in head.head
    assert OTHER_KEY.encode() not in head.head
    assert head.value("api-key") == "sk-of-the-caller"


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param([f"x-api-key: {KEY}", "x-api-key: sk-other"], "/", id="field"),
        pytest.param([], f"/?key=sk-other&key={KEY}", id="query"),
    ],
)
async def test_place_with_two_credentials_is_emptied(start, upstream, lines, path):
    gateway = await start(upstream, route=OPEN)

    head = await sent_up(gateway, upstream, *lines, path=path, key=None)

    assert KEY.encode() not in head.head


async def test_basic_credentials_of_the_caller_pass_an_open_route(start, upstream):
    gateway = await start(upstream, route=OPEN)

    head = await sent_up(gateway, upstream, "Authorization: Basic eDp5", key=None)

    assert head.value("authorization") == "Basic eDp5"


async def test_token_of_ours_sent_without_need_goes_no_further(start, upstream, signing):
    gateway = await start(upstream, route=OPEN, auth=signing)
    token = (await gateway.ask("POST", "/token")).json["token"]

    head = await sent_up(gateway, upstream, key=token)

    assert token.encode() not in head.head


async def test_callers_own_provider_key_passes_an_open_route(start, upstream):
    gateway = await start(upstream, route=OPEN, more='[rate_limits.auth]\nrate = "1r/h"\nburst = 0')
    client = await gateway.connect()
    client.send(*(request("GET", "/", key="sk-of-the-caller") for _ in range(5)))
    connection = await upstream.accepted()
    for _ in range(5):
        head = Message(await connection.head())
        connection.send(OK)

        assert head.value("authorization") == "Bearer sk-of-the-caller"
        assert (await client.answer()).status == 200


# --- What must not be written down


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_no_line_holds_a_credential(start, willing, secrets, level):
    wrong = "0123456789abcdef-of-a-client"
    secrets += ["cookie-of-a-client", "value-in-the-query", "words-in-a-body"]
    gateway = await start(willing, server=f'[server.log]\nlevel = "{level}"', route=IN_HEADER)
    client = await gateway.connect()
    path = "/?key=value-in-the-query&token=value-in-the-query"
    await client.ask("GET", path, "Cookie: a=cookie-of-a-client", key=None)
    await client.ask("GET", "/", key=wrong)
    await client.ask("GET", "/", key=f"{wrong}.{wrong}.{wrong}")
    await client.ask("GET", "/", f"Authorization: Basic {wrong}", key=None)
    await client.ask("GET", "/", f"x-api-key: {wrong}", key=KEY)
    await client.ask("POST", "/", body=b"words-in-a-body")
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : " + wrong.encode() + b"\r\n\r\n")
    await client.answer()
    await gateway.lines.next("request", 7)


async def test_console_lines_hold_none_either(start, willing):
    gateway = await start(willing)
    await gateway.ask("GET", "/?key=0123456789abcdef-of-a-client", key=None)

    assert (await gateway.lines.next("request"))["path"] == "/"


async def test_key_is_named_in_the_audit_log_and_not_shown(start, willing):
    gateway = await start(willing)
    await gateway.ask("GET", "/")
    line = await gateway.lines.next("auth.ok")

    assert (line["user"], line["details"]["key"]) == ("alice", "alice")


@pytest.mark.parametrize("route", [OPEN, IN_HEADER, ""], ids=["open", "injecting", "plain"])
async def test_a_request_id_that_is_a_key_goes_nowhere(start, upstream, route):
    gateway = await start(upstream, route=route)
    key = None if route == OPEN else KEY

    answer = await gateway.ask("GET", "/", f"X-Request-Id: {KEY}", key=key)

    assert answer.status == 400
    assert KEY.encode() not in answer.head
    assert upstream.received == b""


@pytest.mark.parametrize("route", [IN_HEADER, ""], ids=["injecting", "plain"])
async def test_a_key_in_a_trailer_goes_no_further(start, upstream, route):
    gateway = await start(upstream, route=route)
    client = await gateway.connect()
    client.send(request("POST", "/", "Transfer-Encoding: chunked", key=KEY))
    client.send(f"1\r\na\r\n0\r\nX-Note: a {KEY}\r\nX-Sum: 1\r\n\r\n".encode())
    connection, _ = await upstream.asked()
    _, trailers = await connection.chunked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert trailers == b"X-Sum: 1\r\n"


async def test_a_key_as_the_protocol_to_change_to_goes_no_further(start, upstream):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, "Connection: Upgrade", f"Upgrade: {KEY}")

    assert head.value("upgrade") is None


@pytest.mark.parametrize("route", [IN_HEADER, IN_QUERY], ids=["header", "query"])
async def test_an_upstream_that_repeats_its_credential_is_not_passed_on(start, upstream, route):
    gateway = await start(upstream, route=route)
    client = await gateway.connect()
    client.send(request("GET", "/a", "TE: trailers", "Connection: TE", key=KEY))
    connection, head = await upstream.asked()
    connection.send(
        b"HTTP/1.1 308 Moved\r\nLocation: https://elsewhere.example/a/?x=1&key=%b\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Echo: %b\r\n\r\n" % (2 * (PROVIDERS.encode(),))
    )
    answer = await client.answer()

    assert PROVIDERS.encode() in head
    assert answer.status == 308
    assert answer.value("location") == "https://elsewhere.example/a/?x=1&key=***"
    assert answer.trailers == b"X-Echo: ***\r\n"
    assert len(upstream.connections) == 1
