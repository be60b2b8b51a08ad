import pytest

from pyproxy.providers.copilot_api import COPILOT_API


def test_token_and_usage_are_closed_with_all_below():
    assert set(COPILOT_API.denied_paths) == {"/token", "/token/*", "/usage", "/usage/*"}


def test_it_lives_on_loopback_and_wants_no_key():
    assert COPILOT_API.origin == "http://127.0.0.1:4141"
    assert not COPILOT_API.is_public_api
    assert COPILOT_API.credential is None


@pytest.mark.parametrize("path", [b"/v1/messages", b"/v1/messages/count_tokens"])
def test_its_errors_are_those_of_the_api_that_was_called(path):
    assert COPILOT_API.dialect(path) == "anthropic"
    assert COPILOT_API.dialect(b"/v1/models") == "openai"
