"""Who is let in, by what, and where it may be said."""

import base64
import json
import ssl
import time

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec

from tests.functional.scripted import KEY, OK, OTHER_KEY, Cut, Message, hashed, request, trust_in

SECRET = "the-shared-secret-0123456789"
HOUR = 3600


# --- Where


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param([f"Authorization: Bearer {KEY}"], "/", id="Bearer"),
        pytest.param([f"Authorization: bearer {KEY}"], "/", id="lower case"),
        pytest.param([f"AUTHORIZATION:  BEARER   {KEY} "], "/", id="upper case, spaces"),
        pytest.param([f"Authorization: {KEY}"], "/", id="no scheme"),
        pytest.param([f"x-api-key: {KEY}"], "/", id="x-api-key"),
        pytest.param([f"Api-Key: {KEY}"], "/", id="api-key"),
        pytest.param([f"X-Goog-Api-Key: {KEY}"], "/", id="x-goog-api-key"),
        pytest.param([], f"/?key={KEY}", id="?key="),
        pytest.param([], f"/?a=1&%6bey={KEY}&b=2", id="?%6bey="),
        pytest.param(
            [f"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.{KEY}"],
            "/",
            id="sub-protocol",
        ),
        pytest.param(
            [f"x-api-key: {KEY}", f"Authorization: Bearer {KEY}"], "/", id="twice the same"
        ),
    ],
)
async def test_key_is_found_and_does_not_travel_on(start, upstream, lines, path):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", path, *lines, key=None))
    connection, head = await upstream.asked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert KEY.encode() not in head
    assert (await gateway.lines.next("request"))["user"] == "alice"


async def test_other_parameters_stay(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", f"/?a=%20&key={KEY}&b&&keys=1", key=None))
    connection, head = await upstream.asked()
    connection.send(OK)

    assert Message(head).start == b"GET /?a=%20&b&&keys=1 HTTP/1.1"


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        pytest.param(
            [f"Authorization: Bearer {KEY}", f"x-api-key: {OTHER_KEY}"], "/", id="two fields"
        ),
        pytest.param([f"Authorization: Bearer {KEY}"], f"/?key={OTHER_KEY}", id="field and query"),
        pytest.param([], f"/?key={KEY}&key={OTHER_KEY}", id="query twice"),
        pytest.param([f"Authorization: Bearer {KEY}"] * 2, "/", id="Authorization twice"),
    ],
)
async def test_two_credentials_are_ambiguous(start, willing, lines, path):
    gateway = await start(willing)
    answer = await gateway.ask("GET", path, *lines, key=None)

    assert (answer.status, answer.json["error"]) == (400, "ambiguous_credentials")
    assert willing.received == b""


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Authorization: Bearer wrong"], id="wrong"),
        pytest.param([f"Authorization: Bearer {KEY}x"], id="longer"),
        pytest.param([f"Authorization: Bearer {KEY[:-1]}"], id="shorter"),
        pytest.param([f"Authorization: Bearer {KEY.upper()}"], id="upper case"),
        pytest.param(
            [f"Authorization: Basic {base64.b64encode(KEY.encode()).decode()}"], id="Basic"
        ),
        pytest.param([f"Authorization: Bearer {KEY} x"], id="two words"),
        pytest.param([f"Authorization: Digest {KEY}"], id="Digest"),
        pytest.param(["Authorization: Bearer caf\xe9"], id="not ASCII"),
        pytest.param(["Authorization: Bearer"], id="scheme alone"),
        pytest.param(["Authorization:"], id="empty"),
        pytest.param([f"X-Key: {KEY}"], id="unknown field"),
        pytest.param([f"Cookie: key={KEY}"], id="cookie"),
        pytest.param([f"X_Api_Key: {KEY}"], id="underscore twin"),
    ],
)
async def test_whatever_is_no_key_lets_nobody_in(start, willing, lines):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/", *lines, key=None)

    assert answer.status == 401
    assert willing.received == b""


@pytest.mark.parametrize("size", [4097, 9000])
async def test_oversized_credential_is_a_400(start, willing, size):
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/", key="x" * size)).status == 400


async def test_route_may_look_elsewhere_and_pass_the_rest(start, upstream):
    gateway = await start(upstream, route='credential_from = ["X-Gateway-Key"]')
    client = await gateway.connect()
    own = ["Authorization: Bearer sk-of-the-caller", "x-api-key: sk-too"]
    client.send(request("GET", "/?key=sk-three", f"X-Gateway-Key: {KEY}", *own, key=None))
    connection, head = await upstream.asked()
    connection.send(OK)
    refused = await gateway.ask("GET", "/")

    assert (await client.answer()).status == 200
    assert Message(head).value("authorization") == "Bearer sk-of-the-caller"
    assert Message(head).value("x-api-key") == "sk-too"
    assert b"/?key=sk-three " in head
    assert Message(head).value("x-gateway-key") is None
    assert refused.status == 401


# --- Keys


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ("", 200, None),
        ("routes=main", 200, None),
        ("routes=other,main", 200, None),
        ("routes=other", 403, "user_not_allowed"),
        ("expires=2999-12-31", 200, None),
        ("expires=2020-01-31", 401, "expired_token"),
    ],
)
async def test_keys_options(start, willing, options, status, code):
    gateway = await start(willing, keys_text=hashed("alice", KEY, options))
    answer = await gateway.ask("GET", "/")

    assert answer.status == status
    assert code is None or answer.json["error"] == code


async def test_keys_own_limit(start, willing):
    keys = hashed("alice", KEY, "limit=2r/h") + hashed("bob", OTHER_KEY)
    gateway = await start(willing, keys_text=keys)
    client = await gateway.connect()

    assert [(await client.ask("GET", "/")).status for _ in range(3)] == [200, 200, 429]
    assert (await client.ask("GET", "/", key=OTHER_KEY)).status == 200


async def test_plain_and_configured_keys(start, willing, secrets):
    plain, configured = "plain-key-0123456789abcdef", "configured-0123456789abcdef"
    secrets += [plain, configured]
    gateway = await start(willing, keys_text=f"{plain}\n", auth=f'keys = ["{configured}"]')

    assert (await gateway.ask("GET", "/", key=plain)).status == 200
    assert (await gateway.ask("GET", "/", key=configured)).status == 200
    assert (await gateway.ask("GET", "/")).status == 401


async def test_only_named_users(start, willing):
    gateway = await start(willing, route='users = ["bob"]')
    refused = await gateway.ask("GET", "/")

    assert (refused.status, refused.json["error"]) == (403, "user_not_allowed")
    assert (await gateway.ask("GET", "/", key=OTHER_KEY)).status == 200
    assert (await gateway.lines.next("access.denied"))["user"] == "alice"


@pytest.mark.parametrize(
    "path",
    [
        "/secret", "/Secret", "/secret/", "/%73ecret", "/%2573ecret", "/secret;x", "/secret?x=1",
        "/x/%252e%252e/secret", "/secret%253bx", "/secret%3Fx", "/secret.", "/secret%20",
        "/%EF%BD%93ecret", "/secret%2500", "/x%255C..%255Csecret", "/secret;x/y",
    ],
)  # fmt: skip
async def test_denied_path_in_every_spelling(start, willing, path):
    gateway = await start(willing, route='deny_paths = ["/secret"]')
    answer = await gateway.ask("GET", path)

    assert (answer.status, answer.json["error"]) == (403, "path_denied")
    assert willing.received == b""
    assert (await gateway.ask("GET", "/secrets")).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/admin;x=1/u", "/admin;/u", "/Admin/u", "/admin%2fu", "/admin%252fu", "/admin./u",
        "/x/%252e%252e/admin/u", "/%2561dmin/u", "/%EF%BD%81dmin/u", "/admin%20/u",
    ],
)  # fmt: skip
async def test_protected_prefix_is_not_walked_round(start, willing, path):
    more = f'[[routes]]\nname = "admin"\npath = "/admin"\nupstream = "{willing.url}"'
    gateway = await start(willing, route="auth = []", more=more)
    answer = await gateway.ask("GET", path, key=None)

    assert answer.status == 400
    assert willing.received == b""
    assert (await gateway.ask("GET", "/admin/u", key=None)).status == 401
    assert (await gateway.ask("GET", "/other;x=1/u", key=None)).status == 200


@pytest.mark.parametrize("name", ["token", "usage"])
@pytest.mark.parametrize(
    "spelling",
    [
        "/{0}",
        "/{0}/",
        "/{1}",
        "/%{2}",
        "/{0};a=b",
        "/{0}/x",
        "/{0}?x",
        "/%25{2}",
        "/{0}%2f",
        "/{0}%2fx",
        "//{0}",
        "/x/../{0}",
        "/{0}%00",
        "/\\{0}",
        "/./{0}",
        "/{0}/.",
        "/{0}#",
        "http://gateway.example/{0}",
        "http://gateway.example/{1}/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_copilot_apis_own_token_is_out_of_reach(start, willing, name, spelling, method):
    escaped = f"{ord(name[0]):02x}{name[1:]}"
    path = spelling.format(name, name.upper(), escaped)
    gateway = await start(willing, route='provider = "copilot-api"\nauth = []')
    answer = await gateway.ask(method, path)

    assert answer.status in {400, 403, 405, 501}
    assert willing.received == b""


async def test_prefix_opens_no_way_round_the_deny_list(start, willing):
    gateway = await start(willing, route='provider = "copilot-api"\npath = "/copilot"\nauth = []')

    assert (await gateway.ask("GET", "/copilot/token")).status == 403
    assert (await gateway.ask("GET", "/copilot/Usage/")).status == 403
    assert willing.received == b""


# --- Networks


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 200), ("10.0.0.0/8", 403)])
async def test_networks(start, willing, network, status):
    gateway = await start(willing, route=f'allow_from = ["{network}"]')

    assert (await gateway.ask("GET", "/")).status == status


# --- The shared secret

SHARED = f'auth = ["token"]\ntoken = {{ header = "X-Proxy-Token", secret = "{SECRET}" }}'


async def test_shared_secret_lets_in_and_does_not_travel_on(start, upstream, secrets):
    secrets.append(SECRET)
    gateway = await start(upstream, route=SHARED)
    client = await gateway.connect()
    own = "Authorization: Bearer sk-of-the-caller"
    client.send(request("GET", "/", f"x-proxy-token: {SECRET}", own, key=None))
    connection, head = await upstream.asked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert SECRET.encode() not in head
    assert Message(head).value("authorization") == "Bearer sk-of-the-caller"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["X-Proxy-Token: wrong"],
        ["X-Proxy-Token:"],
        [f"X-Proxy-Token: {SECRET}x"],
        [f"X-Proxy-Token: {SECRET[:-1]}"],
        [f"X-Proxy-Token: {SECRET.upper()}"],
        [f"X-Proxy-Token: {SECRET}", f"X-Proxy-Token: {SECRET}"],
        [f"X_Proxy_Token: {SECRET}"],
        [f"Authorization: Bearer {SECRET}"],
    ],
)
async def test_wrong_shared_secret_is_a_403(start, willing, lines):
    gateway = await start(willing, route=SHARED)
    answer = await gateway.ask("GET", "/", *lines, key=None)

    assert (answer.status, answer.json["error"]) == (403, "invalid_token")
    assert willing.received == b""


async def test_shared_secret_or_key(start, willing):
    route = SHARED.replace('["token"]', '["token", "key"]')
    gateway = await start(willing, route=route)

    assert (await gateway.ask("GET", "/", f"X-Proxy-Token: {SECRET}", key=None)).status == 200
    assert (await gateway.ask("GET", "/")).status == 200
    assert (await gateway.ask("GET", "/", key=None)).status == 401


async def test_wrong_shared_secrets_are_counted(start, willing):
    gateway = await start(
        willing, route=SHARED, more='[rate_limits.auth]\nrate = "1r/h"\nburst = 2'
    )
    client = await gateway.connect()
    wrong = [(await client.ask("GET", "/", "X-Proxy-Token: x", key=None)).status for _ in range(4)]
    good = await client.ask("GET", "/", f"X-Proxy-Token: {SECRET}", key=None)

    assert wrong == [403, 403, 403, 429]
    assert good.status == 200


# --- Client certificates


@pytest.fixture
def client_authority(certificates):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(certificates / "clients.pem"))
    return authority


def holding(certificates, issued):
    """A client's TLS with a certificate of its own."""
    trust = trust_in(certificates)
    issued.configure_cert(trust)
    return trust


MTLS = 'auth = ["mtls"]\nidentity_header = "X-User"'


async def test_client_certificate_names_the_caller(start, upstream, certificates, client_authority):
    gateway = await start(
        upstream, listener=f'client_ca = "{certificates}/clients.pem"', route=MTLS
    )
    issued = client_authority.issue_cert("carol.example", common_name="carol")
    client = await gateway.connect(holding(certificates, issued))
    client.send(request("GET", "/", key=None))
    connection, head = await upstream.asked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert Message(head).value("x-user") == "carol"
    assert (await gateway.lines.next("request"))["user"] == "carol"


async def _asked_with(gateway, trust):
    # TLS 1.3: the server's verdict comes after the client's handshake is done.
    client = await gateway.connect(trust)
    return await client.ask("GET", "/", key=None)


@pytest.mark.parametrize("is_stranger", [True, False], ids=["of another authority", "none"])
async def test_without_a_good_certificate_nothing_is_served(
    start, willing, certificates, client_authority, is_stranger
):
    del client_authority
    gateway = await start(willing, listener=f'client_ca = "{certificates}/clients.pem"', route=MTLS)
    trust = trust_in(certificates)
    if is_stranger:
        trust = holding(certificates, trustme.CA().issue_cert("carol", common_name="carol"))
    with pytest.raises((Cut, ssl.SSLError, OSError)):
        await _asked_with(gateway, trust)

    assert willing.received == b""


# --- Tokens


@pytest.fixture
def signer(signing_keys):
    """Signs claims as the gateway itself does."""
    key = signing_keys["keys"][0]
    private = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(key))

    def sign(headers=None, key_=private, algorithm="ES256", **claims):
        now = int(time.time())
        good = {"sub": "dave", "iat": now, "exp": now + HOUR, "iss": "us", "aud": "them"}
        chosen = {name: value for name, value in (good | claims).items() if value is not None}
        return jwt.encode(chosen, key_, algorithm, {"kid": key["kid"], **(headers or {})})

    return sign


async def test_good_token(start, willing, signing, signer):
    gateway = await start(willing, auth=signing)

    assert (await gateway.ask("GET", "/", key=signer())).status == 200
    assert (await gateway.lines.next("request"))["user"] == "dave"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"exp": int(time.time()) - HOUR, "iat": None}, "expired_token", id="expired"),
        pytest.param({"exp": None}, "invalid_token", id="no exp"),
        pytest.param({"aud": None}, "invalid_token", id="no aud"),
        pytest.param({"aud": "others"}, "invalid_token", id="for others"),
        pytest.param({"iss": "them"}, "invalid_token", id="from others"),
        pytest.param({"nbf": int(time.time()) + HOUR}, "invalid_token", id="not yet"),
        pytest.param({"exp": int(time.time()) + 400 * HOUR}, "invalid_token", id="lives too long"),
        pytest.param({"sub": None}, "invalid_token", id="no sub"),
        pytest.param({"sub": "a\nb"}, "invalid_token", id="control character"),
        pytest.param({"headers": {"crit": ["x"], "x": 1}}, "invalid_token", id="crit"),
        pytest.param({"headers": {"kid": "other"}}, "invalid_token", id="unknown kid"),
        pytest.param(
            {"headers": {"jku": "https://evil.example"}, "aud": "x"}, "invalid_token", id="jku"
        ),
        pytest.param({"key_": "", "algorithm": "none"}, "invalid_token", id="alg=none"),
        pytest.param({"key_": "k" * 64, "algorithm": "HS256"}, "invalid_token", id="HS256"),
        pytest.param(
            {"key_": ec.generate_private_key(ec.SECP256R1())}, "invalid_token", id="another key"
        ),
    ],
)
async def test_bad_token(start, willing, signing, signer, claims, code):
    gateway = await start(willing, auth=signing)
    token = signer(**claims)
    answer = await gateway.ask("GET", "/", key=token)

    assert (answer.status, answer.json["error"]) == (401, code)
    assert willing.received == b""
    assert token not in "\n".join(gateway.lines.texts)


async def test_route_takes_only_the_kinds_it_names(start, willing, signing, signer):
    more = f'[[routes]]\nname = "jwt"\npath = "/jwt"\nupstream = "{willing.url}"\nauth = ["jwt"]'
    gateway = await start(willing, auth=signing, route='auth = ["key"]', more=more)

    assert (await gateway.ask("GET", "/")).status == 200
    assert (await gateway.ask("GET", "/", key=signer())).status == 401
    assert (await gateway.ask("GET", "/jwt")).status == 401
    assert (await gateway.ask("GET", "/jwt", key=signer())).status == 200


async def test_who_came_in_is_written_down_once_a_connection(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    for _ in range(3):
        await client.ask("GET", "/")
    await gateway.lines.next("request", 3)

    (line,) = gateway.lines.of("auth.ok")
    assert (line["user"], line["ip"], line["details"]["kind"]) == ("alice", "127.0.0.1", "key")
    await gateway.ask("GET", "/")
    await client.ask("GET", "/", key=OTHER_KEY)
    await gateway.lines.next("request", 5)
    assert [line["user"] for line in gateway.lines.of("auth.ok")] == ["alice", "alice", "bob"]


async def test_why_nobody_came_in_is_for_the_operator(start, willing):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/", key="wrong")
    line = await gateway.lines.next("auth.failed")

    assert answer.json == {"error": "invalid_token"}
    assert (line["result"], line["details"]["reason"]) == ("invalid_token", "unknown key")
