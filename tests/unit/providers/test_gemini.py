import pytest

from pyproxy.providers.gemini import GEMINI
from tests.unit.providers.closed import is_closed


def test_the_key_stands_alone_in_its_field():
    assert GEMINI.credential.header == "x-goog-api-key"
    assert GEMINI.credential.value("AIza1", "GEMINI_API_KEY", "h") == "AIza1"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        pytest.param(b"/v1beta/models/m:generateContent", "gemini", id="its own"),
        pytest.param(b"/v1beta/openai/chat/completions", "openai", id="the compatible one"),
        pytest.param(b"/v1beta/openaix/chat", "gemini", id="segments are whole"),
        pytest.param(b"/", "gemini", id="root"),
    ],
)
def test_errors_speak_the_dialect_of_the_path(path, dialect):
    assert GEMINI.dialect(path) == dialect


@pytest.mark.parametrize(
    "path",
    [
        b"/v1alpha/auth_tokens",
        b"/v1beta/interactions/i/auth_tokens/t",
        b"/v1beta/credentials/c",
        b"/v1beta/webhooks/w:rotateSigningSecret",
        b"/v1beta/auth_tokens:create",
        b"/$rpc/google.ai.generativelanguage.v1alpha.AuthTokenService/CreateToken",
        b"/%24rpc/google.ai.generativelanguage.v1alpha.AuthTokenService/CreateToken",
        b"/batch",
        b"/batch/generativelanguage/v1beta",
    ],
)
def test_what_hands_out_credentials_is_closed(path):
    assert is_closed(GEMINI, path)
