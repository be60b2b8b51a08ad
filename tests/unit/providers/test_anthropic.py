import pytest

from pyproxy.providers.anthropic import ANTHROPIC
from tests.unit.providers.closed import is_closed


def test_the_key_stands_alone_in_its_field():
    assert ANTHROPIC.credential.header == "x-api-key"
    assert ANTHROPIC.credential.value("sk-ant-1", "ANTHROPIC_API_KEY", "h") == "sk-ant-1"


def test_a_version_is_sent_for_who_sends_none():
    assert ANTHROPIC.request_defaults == ((b"anthropic-version", b"2023-06-01"),)


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/oauth/token",
        b"/api/oauth/claude_cli/create_api_key",
        b"/v1/organizations/api_keys",
        b"/v1/tunnels/t/reveal_token",
        b"/v1/environments/e/work/poll",
        b"/v1/user_profiles/u/enrollment_url",
    ],
)
def test_what_hands_out_credentials_is_closed(path):
    assert is_closed(ANTHROPIC, path)
