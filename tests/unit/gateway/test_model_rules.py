import pytest

from pyproxy.errors.refusal import ModelNotAllowed
from pyproxy.gateway.model_rules import ModelRules
from pyproxy.models.key import ModelKey
from pyproxy.providers.azure_openai import AZURE_OPENAI
from pyproxy.providers.elevenlabs import ELEVENLABS
from pyproxy.providers.gemini import GEMINI
from pyproxy.providers.openai import OPENAI
from pyproxy.routing.pattern import Patterns
from pyproxy.wire.head import read_request_head

HANDSHAKE = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"  # without what ends at a proxy


def rules(preset):
    return ModelRules(preset.model, ModelKey.of(preset.model.key), Patterns.of(["good-*"]), 100)


def test_a_model_that_is_allowed_is_told_and_another_is_refused_unnamed():
    assert rules(OPENAI).judge("good-1") == "good-1"
    with pytest.raises(ModelNotAllowed) as caught:
        rules(OPENAI).judge("bad-1")

    assert caught.value.detail == "the model bad-1"
    assert "bad-1" not in caught.value.message


@pytest.mark.parametrize(
    ("preset", "path", "query"),
    [
        pytest.param(OPENAI, b"/v1/responses", b"model=good-1", id="messages name it"),
        pytest.param(OPENAI, b"/v1/%72ealtime", b"model=good-1", id="path is escaped"),
        pytest.param(GEMINI, b"/ws/x.BidiGenerateContent", b"model=good-1", id="Gemini"),
        pytest.param(GEMINI, b"/v1beta/models/good-1/realtime", None, id="Gemini, in the path"),
        pytest.param(ELEVENLABS, b"/v1/convai/conversation", b"model_id=good-1", id="agent"),
        pytest.param(
            AZURE_OPENAI, b"/openai/deployments/good-1/realtime", b"deployment=bad", id="two"
        ),
    ],
)
def test_messages_that_may_name_a_model_are_not_let_through(preset, path, query):
    with pytest.raises(ModelNotAllowed):
        rules(preset).named(path, query, is_upgrade=True)


@pytest.mark.parametrize(
    ("preset", "path", "query"),
    [
        (OPENAI, b"/v1/realtime", b"model=good-1"),
        (OPENAI, b"/v1/realtime/translations", b"model=good-1"),
        (AZURE_OPENAI, b"/openai/deployments/good-1/realtime", None),
        (AZURE_OPENAI, b"/openai/deployments/good-1/realtime", b"deployment=good-1"),
        (AZURE_OPENAI, b"/openai/v1/realtime", b"model=good-1"),
        (ELEVENLABS, b"/v1/text-to-speech/v1/stream-input", b"model_id=good-1"),
        (ELEVENLABS, b"/v1/text-to-speech/v1/multi-stream-input", b"model_id=good-1"),
        (ELEVENLABS, b"/v1/speech-to-text/realtime", b"model_id=good-1"),
    ],
)
def test_a_web_socket_that_stays_with_its_model_is_let_through(preset, path, query):
    assert rules(preset).named(path, query, is_upgrade=True) == "good-1"


@pytest.mark.parametrize(
    ("preset", "method", "target", "lines", "is_allowed"),
    [
        (OPENAI, b"GET", b"/v1/models", b"", True),
        (OPENAI, b"POST", b"/v1/responses", b"", False),
        (OPENAI, b"GET", b"/v1/realtime?model=good-1", HANDSHAKE, True),
        (OPENAI, b"GET", b"/v1/realtime?model=bad", HANDSHAKE, False),
        (OPENAI, b"GET", b"/v1/responses", HANDSHAKE, False),
        (OPENAI, b"GET", b"/v1/responses", b"X-HTTP-Method-Override: POST\r\n", False),
        (GEMINI, b"POST", b"/v1beta/models/good-1:generateContent", b"", True),
        (GEMINI, b"POST", b"/v1beta/models/bad:generateContent", b"", False),
    ],
)
def test_what_is_not_shown_cannot_be_allowed(preset, method, target, lines, is_allowed):
    path, _, query = target.partition(b"?")
    head = read_request_head(b"GET /verify HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
    if is_allowed:
        rules(preset).judge_unseen(method, path, query, head)
    else:
        with pytest.raises(ModelNotAllowed):
            rules(preset).judge_unseen(method, path, query, head)
