import pytest

from pyproxy.providers.openai import OPENAI
from tests.unit.providers.closed import is_closed


def test_the_key_is_a_bearer_token():
    assert OPENAI.credential.header == "Authorization"
    assert OPENAI.credential.value("sk-1", "OPENAI_API_KEY", "api.openai.com") == "Bearer sk-1"


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/realtime/client_secrets",
        b"/v1/realtime/translations/client_secrets",
        b"/v1/realtime/sessions",
        b"/v1/realtime/transcription_sessions",
        b"/v1/realtime/calls",
        b"/v1/realtime/calls/rtc_1/accept",
        b"/v1/live/sessions/s/fork",
        b"/v1/chatkit/sessions",
        b"/v1/webhook_endpoints/w/rotate_secret",
        b"/v1/organization/admin_api_keys",
        b"/v1/projects/p/roles",
        b"/v1/Organization/admin_api_keys",
        b"/v1/organization%2Fadmin_api_keys",
    ],
)
def test_what_hands_out_credentials_is_closed(path):
    assert is_closed(OPENAI, path)
