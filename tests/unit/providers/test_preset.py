import pytest

from pyproxy.providers.preset import CredentialTemplate, Preset, always

OPENAI_LIKE = Preset(
    name="openai-like",
    origin="https://api.example.com",
    dialect=always("openai"),
    credential=CredentialTemplate("header", "authorization", "Bearer {}", ("EXAMPLE_KEY",)),
    required_prefix=b"/v1",
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"/models", b"/v1/models", id="missing"),
        pytest.param(b"/v1/models", b"/v1/models", id="never twice"),
        pytest.param(b"/v1", b"/v1", id="the prefix alone"),
        pytest.param(b"/v1beta/models", b"/v1/v1beta/models", id="segments are whole"),
    ],
)
def test_a_required_prefix_is_there_once(path, expected):
    assert OPENAI_LIKE.with_prefix(path) == expected


def test_without_a_required_prefix_paths_stay():
    assert Preset("x", "", always("plain")).with_prefix(b"/models") == b"/models"


def test_always_chooses_the_same_dialect():
    assert OPENAI_LIKE.dialect(b"/v1/messages") == "openai"
