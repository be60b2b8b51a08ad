"""Claude Code through the gateway: what it gets, and what its provider sees of it."""

from types import SimpleNamespace

import pytest

from tests.programs import demand
from tests.providers.agents import claude_code
from tests.providers.agents.anthropic_play import KEY, LIMITS, QUOTED, AnthropicPlay, complaint
from tests.providers.agents.upstream import playing
from tests.providers.agents.wire import asked

ENVIRON = {"ANTHROPIC_API_KEY": KEY}
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
MESSAGES = ("POST", "/v1/messages?beta=true")
WARM_UP = ("HEAD", "/api/hello")
FINAL = {"x-should-retry": "false"}
GONE_BY = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219,",
    "user-agent": "claude-cli/",
    "x-app": "cli",
    "x-claude-code-session-id": "-",
    "x-stainless-lang": "js",
    "accept-encoding": "gzip",
}


@pytest.fixture(scope="module", autouse=True)
def program():
    demand(claude_code.missing())


@pytest.fixture
def play():
    return AnthropicPlay()


@pytest.fixture
def provider():
    return "anthropic", ENVIRON


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    def ask_(ground, **environ):
        home = tmp_path_factory.mktemp("home")
        return claude_code.ask("What?", home, ground.hop, ground.scheme, environ)

    return ask_


@pytest.fixture(scope="module", params=["sidecar", "office"])
def conversation(request, ask, upstream_tls):
    """A whole one, with either kind of gateway, looked at from all sides."""
    start = request.getfixturevalue(request.param)
    with (
        playing(AnthropicPlay(), upstream_tls) as upstream,
        start(upstream, "anthropic", ENVIRON) as ground,
    ):
        trust = {"NODE_EXTRA_CA_CERTS": ground.ca} if ground.ca else {}
        ended = ask(ground, ANTHROPIC_AUTH_TOKEN=ground.credential, **trust, **QUIET)
        logged = ground.logged()
    return SimpleNamespace(ground=ground, upstream=upstream, ended=ended, logged=logged)


def test_it_runs_a_command_and_says_what_came_of_it(conversation):
    assert (conversation.ended.code, conversation.ended.output.strip()) == (0, QUOTED)
    assert asked(conversation.upstream.requests) == [MESSAGES, MESSAGES]


def test_its_provider_sees_the_providers_key_alone(conversation):
    requests = conversation.upstream.requests

    assert [request.field("x-api-key") for request in requests] == [KEY, KEY]
    assert [request.field("authorization") for request in requests] == ["", ""]
    assert conversation.ground.credential.encode() not in conversation.upstream.received


def test_it_never_sees_the_providers_key(conversation):
    assert KEY.encode() not in conversation.ground.hop.answered
    assert KEY not in conversation.ended.output


def test_no_credential_is_in_the_gateways_log(conversation):
    assert conversation.logged.count('"path":"/v1/messages"') == 2
    assert KEY not in conversation.logged
    assert conversation.ground.credential not in conversation.logged


def test_what_its_provider_goes_by_is_there(conversation):
    request = conversation.upstream.requests[-1]

    assert {name for name, part in GONE_BY.items() if part not in request.field(name)} == set()


def test_what_it_asks_and_gets_is_as_it_was_sent(beside, upstream, ask):
    ask(beside, ANTHROPIC_API_KEY=beside.credential, **QUIET)

    sent = [request.carried() for request in beside.hop.requests]
    assert [request.carried() for request in upstream.requests] == sent
    assert len(sent) == 2
    for name, value in LIMITS.items():
        assert beside.hop.answered.count(f"\r\n{name}: {value}\r\n".encode()) == 2


def test_a_key_of_the_gateways_may_stand_where_the_providers_does(away, upstream, ask):
    ended = ask(away, ANTHROPIC_API_KEY=away.credential, NODE_EXTRA_CA_CERTS=away.ca, **QUIET)

    assert (ended.code, ended.output.strip()) == (0, QUOTED)
    assert asked(upstream.requests) == [MESSAGES, MESSAGES]


def test_a_helper_may_give_it_the_key(away, upstream, tmp_path):
    claude_code.use_helper(tmp_path, away.credential)
    environ = {"NODE_EXTRA_CA_CERTS": away.ca, **QUIET}

    ended = claude_code.ask("What?", tmp_path, away.hop, away.scheme, environ)

    assert (ended.code, ended.output.strip()) == (0, QUOTED)
    assert away.credential.encode() not in upstream.received


def test_it_distrusts_the_gateway_without_its_authority(away, upstream, ask):
    once = {"CLAUDE_CODE_MAX_RETRIES": "0"}

    ended = ask(away, ANTHROPIC_AUTH_TOKEN=away.credential, **once, **QUIET)

    assert ended.code == 1
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        pytest.param(
            complaint(529, "overloaded_error", "Busy elsewhere", **FINAL, **{"retry-after": "7"}),
            "API Error: 529 Busy elsewhere",
            id="overloaded",
        ),
        pytest.param(
            complaint(429, "rate_limit_error", "Slower, please", **{"retry-after": "120"}),
            "API Error: Request rejected (429) · Slower, please",
            id="too many",
        ),
        pytest.param(
            complaint(403, "permission_error", "Not this model"),
            "API Error: 403 Not this model",
            id="forbidden",
        ),
    ],
)
def test_a_refusal_of_its_provider_is_told_and_not_repeated(
    beside, upstream, play, ask, refusal, says
):
    play.refusal = refusal

    ended = ask(beside, ANTHROPIC_API_KEY=beside.credential, **QUIET)

    head, _, body = refusal.partition(b"\r\n\r\n")
    assert ended.code == 1
    assert says in ended.output
    assert asked(upstream.requests) == [MESSAGES]
    assert beside.hop.answered.endswith(b"\r\n\r\n" + body)
    assert set(head.lower().split(b"\r\n")[1:]) <= set(beside.hop.answered.lower().split(b"\r\n"))


def test_an_unknown_key_of_the_gateways_is_a_failed_authentication(away, upstream, ask):
    ended = ask(away, ANTHROPIC_AUTH_TOKEN="pyp_wrong", NODE_EXTRA_CA_CERTS=away.ca, **QUIET)

    assert ended.code == 1
    assert "Failed to authenticate. API Error: 401" in ended.output
    assert upstream.requests == []


def test_it_is_told_once_which_variable_the_gateway_lacks(sidecar, upstream, ask):
    with sidecar(upstream, "anthropic", {}) as ground:
        ended = ask(ground, ANTHROPIC_API_KEY=ground.credential, **QUIET)

    assert ended.code == 1
    assert "ANTHROPIC_API_KEY" in ended.output
    assert asked(ground.hop.requests) == [MESSAGES]
    assert upstream.requests == []


@pytest.mark.parametrize("status", [200, 401, 404, 502])
def test_its_warm_up_needs_no_credential_and_may_be_answered_in_any_way(
    beside, upstream, play, ask, status
):
    play.hello = status

    ended = ask(beside, ANTHROPIC_API_KEY=beside.credential)

    first = beside.hop.requests[0]
    assert (ended.code, ended.output.strip()) == (0, QUOTED)
    assert (first.method, first.target) == WARM_UP
    assert not first.field("authorization") + first.field("x-api-key")
    assert asked(upstream.requests) == [WARM_UP, MESSAGES, MESSAGES]


def test_its_warm_up_harms_nothing_where_a_key_is_wanted(away, upstream, ask):
    ended = ask(away, ANTHROPIC_AUTH_TOKEN=away.credential, NODE_EXTRA_CA_CERTS=away.ca)

    assert (ended.code, ended.output.strip()) == (0, QUOTED)
    assert '"method":"HEAD"' in away.logged()
    assert asked(upstream.requests) == [MESSAGES, MESSAGES]


def test_it_finds_the_models_of_the_gateway(away, upstream, ask):
    discovery = {"CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"}
    trust = {"NODE_EXTRA_CA_CERTS": away.ca}

    ended = ask(away, ANTHROPIC_AUTH_TOKEN=away.credential, **trust, **discovery, **QUIET)

    assert (ended.code, ended.output.strip()) == (0, QUOTED)
    assert ("GET", "/v1/models?limit=1000") in asked(upstream.requests)
