"""Anthropic's SDK, and what Claude Code asks beside it."""

import json

import anthropic
import pytest

from tests.providers.anthropic_play import (
    OVERLOADED,
    RATE_LIMITED,
    REQUEST_ID,
    TEXT,
    VERSIONS,
    WORDS,
)
from tests.providers.ways import credentials, unlike

ASKED = {
    "model": "claude-sonnet-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Grüße"}],
}
EVENTS = [
    "message_start",
    "content_block_start",
    *["content_block_delta"] * len(WORDS),
    "content_block_stop",
    "message_delta",
    "message_stop",
]


def made(way, **named):
    """A client with a key."""
    return anthropic.Anthropic(
        base_url=way.url("anthropic"),
        http_client=anthropic.DefaultHttpxClient(verify=way.tls),
        **{"api_key": way.key("anthropic"), "max_retries": 0, **named},
    )


@pytest.fixture
def client(way):
    with made(way) as client:
        yield client


def ask(way, method, path, fields=None, body=None):
    """A request with a key and no other field than these."""
    shown = {"x-api-key": way.key("anthropic"), **(fields or {})}
    return way.ask("anthropic", method, path, shown, json.dumps(body) if body else None)


def test_message(client):
    answer = client.messages.with_raw_response.create(**ASKED)

    assert answer.parse().content[0].text == TEXT
    assert answer.parse().usage.cache_read_input_tokens == 5
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "49"
    assert answer.headers["request-id"] == REQUEST_ID


def test_message_streams_one_event_after_the_other(client, plays):
    with plays["anthropic"].slow() as pace:
        events = iter(client.messages.create(**ASKED, stream=True))
        kinds = []
        for _ in EVENTS:
            pace.allow()
            kinds.append(next(events).type)

    assert kinds == EVENTS


def test_tokens_are_counted_and_models_listed(client):
    count = client.messages.count_tokens(model=ASKED["model"], messages=ASKED["messages"])
    models = client.models.list(limit=1000)

    assert count.input_tokens == 9
    assert [model.id for model in models] == ["claude-sonnet-5"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        pytest.param(RATE_LIMITED, anthropic.RateLimitError, id="rate limit"),
        pytest.param(OVERLOADED, anthropic.InternalServerError, id="overloaded"),
    ],
)
def test_providers_error_is_the_sdks_own(client, plays, said, kind):
    plays["anthropic"].says(said)
    with pytest.raises(kind) as caught:
        client.messages.create(**ASKED)

    assert caught.value.request_id == REQUEST_ID
    assert caught.value.response.content == said.body
    fields = {name.lower() for name, _ in said.fields}
    assert fields <= {name.lower() for name in caught.value.response.headers}


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda c: c.messages.create(**ASKED), id="message"),
        pytest.param(
            lambda c: c.beta.messages.create(
                **ASKED, betas=["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"]
            ),
            id="beta",
        ),
        pytest.param(
            lambda c: c.messages.create(
                **ASKED, extra_headers={"x-claude-code-session-id": "1", "X-App": "cli"}
            ),
            id="session of Claude Code",
        ),
        pytest.param(
            lambda c: c.messages.create(**ASKED, extra_query={"beta": "true"}),
            id="query of Claude Code",
        ),
        pytest.param(lambda c: c.models.list(limit=1000), id="query"),
    ],
)
def test_request_arrives_as_it_was_sent(straight, through, plays, ask):
    arrived = []
    for way in (straight, through):
        with made(way) as client:
            ask(client)
        arrived.append(plays["anthropic"].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["anthropic"].credential]
    assert arrived[1].value("anthropic-version") in VERSIONS
    assert arrived[1].value("user-agent").startswith("Anthropic/Python ")
    assert arrived[1].value("x-stainless-lang") == "python"


def test_betas_arrive_in_their_order(through, plays):
    with made(through) as client:
        client.beta.messages.create(**ASKED, betas=["b-2", "a-1"])

    asked = plays["anthropic"].asked[-1]
    assert asked.value("anthropic-beta") == "b-2,a-1"


@pytest.mark.parametrize("name", ["api_key", "auth_token"])
@pytest.mark.parametrize("fields", [{}, {"x-api-key": "{key}"}], ids=["once", "in two places"])
def test_clients_credential_becomes_the_key(through, plays, name, fields):
    key = through.key("anthropic")
    more = {field: value.format(key=key) for field, value in fields.items()}
    with made(through, **{"api_key": None, name: key, "default_headers": more}) as client:
        answer = client.messages.create(**ASKED)

    asked = plays["anthropic"].asked[-1]
    assert answer.content[0].text == TEXT
    assert credentials(asked) == [plays["anthropic"].credential]


def test_version_is_added_where_it_is_missing(through, plays):
    status, _, body = ask(through, "POST", "/v1/messages", {}, ASKED)

    assert (status, json.loads(body)["type"]) == (200, "message")
    assert plays["anthropic"].asked[-1].values("anthropic-version") == ["2023-06-01"]


def test_version_of_the_clients_own_stays(through, plays):
    status, _, _ = ask(through, "POST", "/v1/messages", {"anthropic-version": "2023-01-01"}, ASKED)

    assert status == 400
    assert plays["anthropic"].asked[-1].values("anthropic-version") == ["2023-01-01"]


@pytest.mark.parametrize("path", ["/", "/api/hello"])
def test_warming_up_does_not_fail(way, plays, path):
    status, _, body = ask(way, "HEAD", path)

    assert (status, body) == (200, b"")
    assert plays["anthropic"].asked[-1].start == f"HEAD {path} HTTP/1.1".encode()


def test_providers_refusal_is_passed_on(through, plays):
    with made(through) as client, pytest.raises(anthropic.NotFoundError) as caught:
        client.get("/v1/unknown", cast_to=object)

    assert caught.value.request_id == REQUEST_ID
    assert plays["anthropic"].asked[-1].target == "/v1/unknown"
