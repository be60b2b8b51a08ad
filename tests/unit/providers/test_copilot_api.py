import pytest

from pyproxy.providers.copilot_api import COPILOT_API


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        pytest.param(b"/v1/chat/completions", "openai", id="chat"),
        pytest.param(b"/chat/completions", "openai", id="chat without v1"),
        pytest.param(b"/v1/messages", "anthropic", id="messages"),
        pytest.param(b"/v1/messages/count_tokens", "anthropic", id="below messages"),
        pytest.param(b"/v1/messagesx", "openai", id="segments are whole"),
        pytest.param(b"/", "openai", id="root"),
    ],
)
def test_errors_speak_the_dialect_of_the_path(path, dialect):
    assert COPILOT_API.dialect(path) == dialect


def test_token_and_usage_are_closed_with_all_below():
    assert set(COPILOT_API.denied_paths) == {"/token", "/token/*", "/usage", "/usage/*"}


def test_it_lives_on_loopback():
    assert COPILOT_API.origin == "http://127.0.0.1:4141"
    assert not COPILOT_API.is_public_api
