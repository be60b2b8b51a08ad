"""A gateway without a provider's key says so at once, and no SDK asks again."""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.providers.ledger import Role
from tests.providers.ways import VARIABLES, credentials

HELLO = [{"role": "user", "content": "Grüße"}]
# ElevenLabs' own key may be the client's: see below.
REQUIRED = {name: variable for name, variable in VARIABLES.items() if name != "elevenlabs"}


@pytest.fixture
def sent():
    """Requests that an SDK made, retries too."""
    return []


def openai_client(way, sent, name, **named):
    """One that asks again if it may."""
    hooks = {"request": [sent.append]}
    return openai.OpenAI(
        base_url=way.url(name),
        api_key=way.key(name),
        max_retries=2,
        http_client=openai.DefaultHttpxClient(verify=way.tls, event_hooks=hooks),
        **named,
    )


@pytest.mark.parametrize("name", ["openai", "azure-openai", "copilot"])
def test_openais_sdk_is_told_the_variable_once(bare, plays, sent, name):
    before = len(plays[name].asked)
    with openai_client(bare, sent, name) as client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="gpt-5", messages=HELLO)

    assert (caught.value.status_code, caught.value.code) == (503, "credential_missing")
    assert REQUIRED[name] in caught.value.body["message"]
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(sent) == 1
    assert len(plays[name].asked) == before


def test_anthropics_sdk_is_told_the_variable_once(bare, plays, sent):
    before = len(plays["anthropic"].asked)
    hooks = {"request": [sent.append]}
    http = anthropic.DefaultHttpxClient(verify=bare.tls, event_hooks=hooks)
    url, key = bare.url("anthropic"), bare.key("anthropic")
    with (
        anthropic.Anthropic(base_url=url, api_key=key, max_retries=2, http_client=http) as client,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=HELLO)

    assert caught.value.status_code == 503
    assert "ANTHROPIC_API_KEY" in caught.value.body["error"]["message"]
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(sent) == 1
    assert len(plays["anthropic"].asked) == before


def test_googles_sdk_is_told_the_variable_once(bare, plays, sent):
    before = len(plays["gemini"].asked)
    options = types.HttpOptions(
        base_url=bare.url("gemini"),
        client_args={"verify": bare.tls, "event_hooks": {"request": [sent.append]}},
    )
    with (
        genai.Client(api_key=bare.key("gemini"), http_options=options) as client,
        pytest.raises(errors.ServerError) as caught,
    ):
        client.models.generate_content(model="gemini-3", contents="Grüße")

    assert caught.value.code == 503
    assert "GEMINI_API_KEY" in caught.value.message
    assert len(sent) == 1
    assert len(plays["gemini"].asked) == before


@pytest.mark.parametrize("name", REQUIRED)
def test_every_answer_names_the_variable(bare, plays, name):
    before = len(plays[name].asked)
    status, fields, body = bare.ask(name, "GET", "/v1/models", {"api-key": bare.key(name)})

    assert (status, fields["x-should-retry"]) == (503, "false")
    assert REQUIRED[name] in json.dumps(json.loads(body))
    assert len(plays[name].asked) == before


@pytest.mark.parametrize("name", REQUIRED)
def test_stranger_is_not_told(bare, name):
    status, _, body = bare.ask(name, "GET", "/v1/models", {"api-key": "pyp_a-wrong-key"})

    assert status == 401
    assert REQUIRED[name].encode() not in body


def test_websocket_is_refused_with_503(bare):
    url = bare.url("openai").replace("https:", "wss:") + "/v1/realtime?model=gpt-realtime"
    fields = {"Authorization": f"Bearer {bare.key('openai')}"}
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(url, ssl=bare.tls, additional_headers=fields),
    ):
        pass

    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert b"OPENAI_API_KEY" in caught.value.response.body


def test_clients_own_key_reaches_elevenlabs(bare, plays):
    play = plays["elevenlabs"]
    fields = {"Authorization": f"Bearer {bare.key('elevenlabs')}", "xi-api-key": play.key}
    status, _, body = bare.ask("elevenlabs", "GET", "/v1/voices", fields)

    assert (status, json.loads(body)["voices"][0]["name"]) == (200, "Aria")
    assert credentials(play.asked[-1]) == [play.credential]


def test_elevenlabs_refuses_a_key_that_is_not_its_own(bare, plays, ledger):
    wrong = ledger.make(Role.PROVIDER, "elevenlabs")
    fields = {"Authorization": f"Bearer {bare.key('elevenlabs')}", "xi-api-key": wrong}
    status, _, body = bare.ask("elevenlabs", "GET", "/v1/voices", fields)

    assert (status, json.loads(body)["detail"]["status"]) == (401, "invalid_api_key")
    assert credentials(plays["elevenlabs"].asked[-1]) == [("xi-api-key", wrong)]
