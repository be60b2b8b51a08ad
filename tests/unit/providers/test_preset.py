import pytest

from pyproxy.providers.preset import (
    Preset,
    ProviderCredential,
    always,
    bearer,
    openai_or_anthropic,
    with_all_below,
)

HOST = "api.example.com"


def test_always_chooses_the_same_dialect():
    preset = Preset("openai-like", "https://api.example.com", always("openai"))

    assert preset.dialect(b"/v1/messages") == "openai"
    assert preset.dialect(b"/") == "openai"


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
    assert openai_or_anthropic(path) == dialect


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("sk-1", id="alone"),
        pytest.param(" sk-1\n", id="space around it"),
        pytest.param("Bearer sk-1", id="with its scheme"),
        pytest.param("Bearer Bearer sk-1", id="with its scheme twice"),
        pytest.param("token  sk-1", id="with another scheme"),
    ],
)
def test_a_key_is_shown_once_with_its_scheme(key):
    assert bearer("A").value(key, "A", HOST) == "Bearer sk-1"
    assert ProviderCredential("x-api-key", ("A",)).value(key, "A", HOST) == "sk-1"


@pytest.mark.parametrize("key", ["", " ", "Bearer ", "bearer", "Token", " Bearer token "])
def test_a_scheme_alone_is_no_key(key):
    assert bearer("A").value(key, "A", HOST) == ""


def test_a_key_that_only_begins_like_a_scheme_stays_whole():
    assert bearer("A").value("tokenish", "A", HOST) == "Bearer tokenish"


def test_a_path_is_closed_with_all_below_it():
    assert with_all_below("/a", "*/b") == ("/a", "/a/*", "*/b", "*/b/*")
