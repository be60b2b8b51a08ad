"""What each preset does to a request and to its answer, byte for byte."""

import json

import pytest

from tests.functional.scripted import KEY, OK, OTHER_KEY, Message, Upstream

PROVIDER_KEY = "the-providers-own-key-0123456789"
PLACEHOLDER = "placeholder-token-for-credential-isolation"
CLIENTS_OWN = "the-clients-own-provider-key-01"

# Preset, its variable, the field that its key goes up in, and that field's value.
CASES = pytest.mark.parametrize(
    ("provider", "variable", "field", "value"),
    [
        pytest.param("openai", "OPENAI_API_KEY", "authorization", "Bearer {}", id="openai"),
        pytest.param("anthropic", "ANTHROPIC_API_KEY", "x-api-key", "{}", id="anthropic"),
        pytest.param("gemini", "GEMINI_API_KEY", "x-goog-api-key", "{}", id="gemini"),
        pytest.param("copilot", "COPILOT_GITHUB_TOKEN", "authorization", "Bearer {}", id="copilot"),
        pytest.param("azure-openai", "AZURE_OPENAI_API_KEY", "api-key", "{}", id="azure-openai"),
        pytest.param("elevenlabs", "ELEVENLABS_API_KEY", "xi-api-key", "{}", id="elevenlabs"),
    ],
)


@pytest.fixture
def secrets():
    """What no line of the gateway's may hold."""
    return [KEY, OTHER_KEY, PROVIDER_KEY, PLACEHOLDER, CLIENTS_OWN]


def arrived(upstream):
    """The only request that the upstream got."""
    [connection] = upstream.connections
    head, _, _ = bytes(connection.received).partition(b"\r\n\r\n")
    return Message(head + b"\r\n\r\n")


@CASES
async def test_the_providers_key_takes_the_place_of_every_credential(
    start, willing, provider, variable, field, value
):
    gateway = await start(
        willing, route=f'provider = "{provider}"', environ={variable: PROVIDER_KEY}
    )
    answer = await gateway.ask(
        "POST",
        f"/v1/x?alt=sse&key={KEY}&API%5FKey={PLACEHOLDER}&apiKey={PLACEHOLDER}",
        *(f"{name}: {KEY}" for name in ("X-Api-Key", "API-Key", "x-goog-api-key", "xi-api-key")),
        f"Cookie: session={PLACEHOLDER}",
        f"Proxy-Authorization: Basic {PLACEHOLDER}",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Proto: http",
        body=b"{}",
    )
    request = arrived(willing)

    assert answer.status == 200
    assert request.start == b"POST /v1/x?alt=sse HTTP/1.1"
    assert request.value(field) == value.format(PROVIDER_KEY)
    assert willing.received.count(PROVIDER_KEY.encode()) == 1
    assert PLACEHOLDER.encode() not in willing.received
    for name in ("via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "cookie"):
        assert request.value(name) is None
    assert PROVIDER_KEY.encode() not in answer.head + answer.body


@CASES
async def test_a_key_of_ours_in_the_providers_own_field_lets_in(
    start, willing, provider, variable, field, value
):
    gateway = await start(
        willing, route=f'provider = "{provider}"', environ={variable: PROVIDER_KEY}
    )
    answer = await gateway.ask("GET", "/v1/x", f"{field}: {value.format(KEY)}", key=None)

    assert answer.status == 200
    assert arrived(willing).value(field) == value.format(PROVIDER_KEY)


@CASES
async def test_callers_with_credentials_of_their_own_keep_them(
    start, willing, provider, variable, field, value
):
    route = f'provider = "{provider}"\ncredential_from = ["X-Gateway-Key"]'
    gateway = await start(willing, route=route, environ={variable: PROVIDER_KEY})
    answer = await gateway.ask(
        "GET", "/v1/x", f"X-Gateway-Key: {KEY}", f"{field}: {value.format(CLIENTS_OWN)}", key=None
    )

    assert answer.status == 200
    assert arrived(willing).value(field) == value.format(CLIENTS_OWN)
    assert arrived(willing).value("x-gateway-key") is None


@pytest.mark.parametrize(
    ("provider", "variable", "sentence_of"),
    [
        ("openai", "OPENAI_API_KEY", lambda body: body["error"]["message"]),
        ("anthropic", "ANTHROPIC_API_KEY", lambda body: body["error"]["message"]),
        ("gemini", "GEMINI_API_KEY", lambda body: body["error"]["message"]),
        (
            "copilot",
            "COPILOT_GITHUB_TOKEN or COPILOT_API_KEY",
            lambda body: body["error"]["message"],
        ),
        ("azure-openai", "AZURE_OPENAI_API_KEY", lambda body: body["error"]["message"]),
    ],
)
async def test_without_a_credential_the_variable_to_set_is_named(
    start, upstream, provider, variable, sentence_of
):
    gateway = await start(upstream, route=f'provider = "{provider}"')
    answer = await gateway.ask("POST", "/v1/x", body=b"{}")

    assert answer.status == 503
    assert f"must set {variable}." in sentence_of(answer.json)
    assert "credential_missing" in json.dumps(answer.json) or provider == "anthropic"
    assert answer.value("x-should-retry") == "false"
    assert upstream.connections == []
    assert (await gateway.lines.next("request"))["code"] == "credential_missing"
    assert "is not set" in (await gateway.lines.next("upstream.failed"))["reason"]


async def test_cookies_reach_an_upstream_of_ones_own_beside_its_credential(start, willing):
    credential = f'credential = {{ header = "X-Key", value = "{PROVIDER_KEY}" }}'
    gateway = await start(willing, route=credential)
    await gateway.ask("GET", "/v1/x", "Cookie: a=b")

    assert arrived(willing).value("cookie") == "a=b"
    assert arrived(willing).value("x-key") == PROVIDER_KEY


async def test_without_a_credential_nobody_unknown_is_told(start, upstream):
    gateway = await start(upstream, route='provider = "openai"')

    assert (await gateway.ask("GET", "/v1/x", key="wrong")).status == 401


async def test_without_a_key_of_ours_elevenlabs_gets_the_clients_own(start, willing):
    gateway = await start(willing, route='provider = "elevenlabs"')
    answer = await gateway.ask("GET", "/v1/voices", f"xi-api-key: {CLIENTS_OWN}")

    assert answer.status == 200
    assert arrived(willing).value("xi-api-key") == CLIENTS_OWN
    assert arrived(willing).value("authorization") is None


@pytest.mark.parametrize("base", ["", "/v1", "/router/v1"])
@pytest.mark.parametrize("path", ["/responses", "/v1/responses"])
async def test_openais_version_is_there_once(start, willing, base, path):
    gateway = await start(
        f"{willing.url}{base}",
        route='provider = "openai"\npath = "/openai"',
        environ={"OPENAI_API_KEY": PROVIDER_KEY},
    )
    await gateway.ask("POST", f"/openai{path}?beta=true", body=b"{}")

    expected = f"POST {base.removesuffix('/v1')}/v1/responses?beta=true HTTP/1.1"
    assert arrived(willing).start.decode() == expected


@pytest.mark.parametrize("sent", [(), ("anthropic-version: 2024-10-22",)])
async def test_an_anthropic_version_is_sent_for_who_sends_none(start, willing, sent):
    gateway = await start(
        willing, route='provider = "anthropic"', environ={"ANTHROPIC_API_KEY": PROVIDER_KEY}
    )
    await gateway.ask("POST", "/v1/messages", *sent, body=b"{}")

    assert arrived(willing).values("anthropic-version") == [
        sent[0].partition(": ")[2] if sent else "2023-06-01"
    ]


async def test_what_clients_of_the_apis_say_arrives_unchanged(start, willing):
    said = [
        "anthropic-beta: a-2025-01-01,b",
        "anthropic-dangerous-direct-browser-access: true",
        "OpenAI-Organization: org",
        "OpenAI-Beta: realtime=v1",
        "x-stainless-lang: python",
        "X-Stainless-Retry-Count: 0",
        "User-Agent: Claude-Code/1.0 (x)",
        "x-claude-code-session-id: 1",
        "x-goog-api-client: google-genai-sdk/1",
        "idempotency-key: 5",
    ]
    gateway = await start(
        willing, route='provider = "anthropic"', environ={"ANTHROPIC_API_KEY": PROVIDER_KEY}
    )
    await gateway.ask("POST", "/v1/messages?beta=true", *said, body=b'{"a" :  1}')

    assert arrived(willing).start == b"POST /v1/messages?beta=true HTTP/1.1"
    assert [line.decode() for line in arrived(willing).lines if line.decode() in said] == said
    assert willing.received.endswith(b'\r\n\r\n{"a" :  1}')


OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
ANSWER = (
    b"HTTP/1.1 529 Overloaded\r\nContent-Type: application/json\r\nContent-Length: 75\r\n"
    b"request-id: req_1\r\nretry-after: 7\r\nx-should-retry: true\r\n"
    b"anthropic-ratelimit-unified-status: allowed\r\nx-ratelimit-remaining-tokens: 9\r\n"
    b"openai-processing-ms: 5\r\n\r\n" + OVERLOADED
)


async def test_an_error_of_the_provider_comes_back_as_it_is(start, upstream):
    upstream.plays(ANSWER)
    gateway = await start(
        upstream, route='provider = "anthropic"', environ={"ANTHROPIC_API_KEY": PROVIDER_KEY}
    )
    answer = await gateway.ask("POST", "/v1/messages", body=b"{}")

    assert answer.status == 529
    assert answer.body == OVERLOADED
    assert set(Message(ANSWER).lines) <= set(answer.lines)


@pytest.mark.parametrize(
    ("provider", "variable", "path"),
    [
        ("openai", "OPENAI_API_KEY", "/realtime/client_secrets"),
        ("openai", "OPENAI_API_KEY", "/v1/organization/admin_api_keys"),
        ("anthropic", "ANTHROPIC_API_KEY", "/v1/oauth/token"),
        ("gemini", "GEMINI_API_KEY", "/v1alpha/auth_tokens"),
        ("azure-openai", "AZURE_OPENAI_API_KEY", "/openai/v1/realtime/client_secrets"),
        ("elevenlabs", "ELEVENLABS_API_KEY", "/v1/user"),
    ],
)
async def test_what_would_hand_out_a_credential_of_the_account_is_closed(
    start, willing, provider, variable, path
):
    route = f'provider = "{provider}"'
    gateway = await start(willing, route=route, environ={variable: PROVIDER_KEY})
    answer = await gateway.ask("POST", path, body=b"{}")

    assert answer.status == 403
    assert (await gateway.lines.next("request"))["code"] == "path_denied"
    assert willing.connections == []


async def test_a_callers_own_credential_opens_what_it_may(start, willing):
    gateway = await start(willing, route='provider = "elevenlabs"')

    assert (await gateway.ask("GET", "/v1/user", f"xi-api-key: {CLIENTS_OWN}")).status == 200


async def test_the_environment_names_another_target(start, willing):
    async with Upstream(OK) as other:
        gateway = await start(
            [],
            route='provider = "openai"',
            environ={"OPENAI_API_KEY": PROVIDER_KEY, "OPENAI_API_TARGET": other.url},
        )
        answer = await gateway.ask("GET", "/models")

        assert answer.status == 200
        assert arrived(other).start == b"GET /v1/models HTTP/1.1"
    assert willing.connections == []


async def test_who_asks_a_route_of_a_listener_without_keys_need_show_nothing(start, willing):
    gateway = await start(
        willing,
        is_tls=False,
        route='provider = "openai"\nauth = []',
        environ={"OPENAI_API_KEY": PROVIDER_KEY},
    )
    answer = await gateway.ask("GET", "/models", key=PLACEHOLDER)

    assert answer.status == 200
    assert arrived(willing).values("authorization") == [f"Bearer {PROVIDER_KEY}"]
