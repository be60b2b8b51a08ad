"""Codex through the gateway, over HTTP and over a WebSocket."""

from types import SimpleNamespace

import pytest

from tests.programs import demand
from tests.providers.agents import codex
from tests.providers.agents.responses_play import KEY, LIMITS, QUOTED, ResponsesPlay, complaint
from tests.providers.agents.upstream import playing
from tests.providers.agents.wire import asked

ENVIRON = {"OPENAI_API_KEY": KEY}
QUESTION = ("POST", "/v1/responses")
UPGRADE = ("GET", "/v1/responses")
GONE_BY = {
    "originator": "codex_exec",
    "user-agent": "codex_exec/",
    "session-id": "-",
    "thread-id": "-",
    "x-client-request-id": "-",
    "x-codex-turn-metadata": '{"installation_id":',
    "x-codex-window-id": ":0",
}


@pytest.fixture(scope="module", autouse=True)
def program():
    demand(codex.missing())


@pytest.fixture
def play():
    return ResponsesPlay()


@pytest.fixture
def provider():
    return "openai", ENVIRON


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    def ask_(ground, *, websockets=False, **environ):
        config = codex.provider(ground.scheme, websockets=websockets)
        mine = {"GATEWAY_KEY": ground.credential} | environ
        return codex.ask("What?", tmp_path_factory.mktemp("home"), ground.hop, config, mine)

    return ask_


@pytest.fixture(scope="module", params=["sidecar", "office"])
def gateway(request):
    """Starts either kind of gateway."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module", params=["http", "websocket"])
def conversation(request, gateway, ask, upstream_tls):
    """A whole one, with either kind of gateway, over either protocol, looked at from all sides."""
    play, websockets = ResponsesPlay(), request.param == "websocket"
    with (
        playing(play, upstream_tls) as upstream,
        gateway(upstream, "openai", ENVIRON) as ground,
    ):
        trust = {"SSL_CERT_FILE": ground.ca} if ground.ca else {}
        ended = ask(ground, websockets=websockets, **trust)
        logged = ground.logged()
    return SimpleNamespace(
        ground=ground,
        upstream=upstream,
        ended=ended,
        logged=logged,
        told=play.told,
        asks=[UPGRADE] if websockets else [QUESTION, QUESTION],
    )


def last_line(ended):
    """Its answer stands last."""
    return ended.output.rstrip().rpartition("\n")[2]


def test_it_runs_a_command_and_says_what_came_of_it(conversation):
    assert (conversation.ended.code, last_line(conversation.ended)) == (0, QUOTED)
    assert asked(conversation.upstream.requests) == conversation.asks


def test_its_provider_sees_the_providers_key_alone(conversation):
    requests = conversation.upstream.requests

    assert {request.field("authorization") for request in requests} == {f"Bearer {KEY}"}
    assert conversation.ground.credential.encode() not in conversation.upstream.received


def test_it_never_sees_the_providers_key(conversation):
    assert KEY.encode() not in conversation.ground.hop.answered
    assert KEY not in conversation.ended.output


def test_no_credential_is_in_the_gateways_log(conversation):
    assert conversation.logged.count('"path":"/v1/responses"') == len(conversation.asks)
    assert KEY not in conversation.logged
    assert conversation.ground.credential not in conversation.logged


def test_what_its_provider_goes_by_is_there(conversation):
    request = conversation.upstream.requests[-1]

    assert {name for name, part in GONE_BY.items() if part not in request.field(name)} == set()


def test_it_warms_a_websocket_up_and_keeps_it(beside, upstream, play, ask):
    ended = ask(beside, websockets=True)

    (request,) = upstream.requests
    assert (ended.code, last_line(ended)) == (0, QUOTED)
    assert request.field("openai-beta").startswith("responses_websockets=")
    assert [message["type"] for message in play.told] == ["response.create"] * 3
    assert [message.get("generate") for message in play.told] == [False, None, None]


@pytest.mark.parametrize("websockets", [False, True])
def test_it_trusts_an_authority_by_its_own_variable_too(away, ask, websockets):
    ended = ask(away, websockets=websockets, CODEX_CA_CERTIFICATE=away.ca)

    assert (ended.code, last_line(ended)) == (0, QUOTED)


def test_it_takes_the_gateway_for_openai(beside, upstream, tmp_path):
    config = codex.built_in(beside.scheme)
    environ = {"CODEX_API_KEY": beside.credential}

    ended = codex.ask("What?", tmp_path / "home", beside.hop, config, environ)

    assert (ended.code, last_line(ended)) == (0, QUOTED)
    assert asked(upstream.requests) == [UPGRADE]


def test_it_asks_over_http_where_there_are_no_websockets(beside, upstream, play, ask):
    play.upgrade = complaint(426, "upgrade_required", "No WebSockets here")

    ended = ask(beside, websockets=True)

    assert (ended.code, last_line(ended)) == (0, QUOTED)
    assert asked(upstream.requests) == [UPGRADE, QUESTION, QUESTION]


@pytest.mark.parametrize(("websockets", "count"), [(False, 2), (True, 1)])
def test_what_it_asks_and_gets_is_as_it_was_sent(beside, upstream, ask, websockets, count):
    ask(beside, websockets=websockets)

    sent = [request.carried() for request in beside.hop.requests]
    assert [request.carried() for request in upstream.requests] == sent
    assert len(sent) == count
    for name, value in LIMITS.items():
        assert beside.hop.answered.count(f"\r\n{name}: {value}\r\n".encode()) == count


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        pytest.param(
            complaint(429, "rate_limit_exceeded", "Slower, please", **{"retry-after": "7"}),
            "429 Too Many Requests",
            id="too many",
        ),
        pytest.param(complaint(400, "invalid_request_error", "Odd"), "Odd", id="invalid"),
        pytest.param(
            complaint(403, "forbidden", "Not this model"), "Not this model", id="forbidden"
        ),
    ],
)
def test_a_refusal_of_the_provider_is_told_and_not_repeated(
    beside, upstream, play, ask, refusal, says
):
    play.refusal = refusal

    ended = ask(beside)

    head, _, body = refusal.partition(b"\r\n\r\n")
    assert ended.code == 1
    assert says in ended.output
    assert asked(upstream.requests) == [QUESTION]
    assert beside.hop.answered.endswith(b"\r\n\r\n" + body)
    assert set(head.lower().split(b"\r\n")[1:]) <= set(beside.hop.answered.lower().split(b"\r\n"))


def test_an_unknown_key_of_the_gateways_is_told(away, upstream, ask):
    ended = ask(away, GATEWAY_KEY="pyp_wrong", SSL_CERT_FILE=away.ca)

    assert ended.code == 1
    assert "401 Unauthorized" in ended.output
    assert upstream.requests == []


def test_it_is_told_which_variable_the_gateway_lacks(sidecar, upstream, ask):
    with sidecar(upstream, "openai", {}) as ground:
        ended = ask(ground)

    assert ended.code == 1
    assert "OPENAI_API_KEY" in ended.output
    assert upstream.requests == []
