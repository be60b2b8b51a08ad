import pytest

from pyproxy.providers.elevenlabs import ELEVENLABS
from tests.unit.providers.closed import is_closed


def test_without_a_key_of_ours_the_clients_own_passes():
    assert ELEVENLABS.credential.header == "xi-api-key"
    assert ELEVENLABS.credential.is_optional


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/user",
        b"/v1/user/",
        b"/v2/user",
        b"/v1/single-use-token/tts_websocket",
        b"/v1/convai/conversation/get-signed-url",
        b"/v1/convai/conversation/token",
        b"/v1/convai/agents/a/link",
        b"/v1/service-accounts/s/api-keys",
        b"/v1/workspace/members",
    ],
)
def test_what_hands_out_credentials_is_closed(path):
    assert is_closed(ELEVENLABS, path)
