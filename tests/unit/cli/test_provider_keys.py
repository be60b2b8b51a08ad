import pytest

from pyproxy.cli.provider_keys import VARIABLES, provider_keys
from pyproxy.config.settings import Settings
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.clients import CLIENTS

RANDOM = "aB3dE5gH7jK9mN2pQ4sT6vW8yZ1cX0fR5uL"
KEY = f"sk-ant-api03-{RANDOM}"


def named(environ, settings=None):
    found = list(provider_keys(environ, settings))
    assert not any(value in str(fault) for fault in found for value in environ.values())
    return [fault.path for fault in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("OPENAI_API_KEY", f"sk-proj-{RANDOM}", id="OpenAI project"),
        pytest.param("OPENAI_API_KEY", f"sk-{RANDOM}", id="OpenAI user"),
        pytest.param("ANTHROPIC_API_KEY", KEY, id="Anthropic"),
        pytest.param("ANTHROPIC_AUTH_TOKEN", f"sk-ant-oat01-{RANDOM}", id="Anthropic login"),
        pytest.param("GEMINI_API_KEY", f"AIza{RANDOM}", id="Google"),
        pytest.param("ELEVENLABS_API_KEY", "sk_" + "0a1b2c3d" * 6, id="ElevenLabs"),
        pytest.param(
            "ELEVENLABS_API_KEY", "sk_" + "0123456789abcdef" * 3, id="ElevenLabs, counted"
        ),
        pytest.param("GITHUB_TOKEN", f"ghp_{RANDOM}", id="GitHub"),
        pytest.param("GITHUB_TOKEN", f"github_pat_{RANDOM}", id="GitHub, fine-grained"),
        pytest.param("GH_TOKEN", f"gho_{RANDOM}", id="GitHub's own program"),
        pytest.param("COPILOT_API_KEY", f"sk-{RANDOM}", id="Copilot, of somebody"),
        pytest.param("COPILOT_PROVIDER_API_KEY", KEY, id="Copilot, of Anthropic"),
        pytest.param("COPILOT_PROVIDER_BEARER_TOKEN", f"AIza{RANDOM}", id="Copilot, of Google"),
        pytest.param("CODEX_API_KEY", f"sk-{RANDOM}", id="Codex"),
        pytest.param("CLAUDE_CODE_OAUTH_TOKEN", f"sk-ant-oat01-{RANDOM}", id="Claude Code"),
        pytest.param("GEMINI_API_KEY", f"AQ.{RANDOM}", id="Google, new"),
        pytest.param("AZURE_OPENAI_API_KEY", "0a1b2c3d" * 4, id="Azure"),
        pytest.param("AZURE_OPENAI_API_KEY", "0a1B2c3D4e5F" * 7, id="Azure, new"),
        pytest.param("XI_API_KEY", "0a1b2c3d" * 4, id="ElevenLabs, old"),
        pytest.param("OPENAI_API_KEY", f" sk-{RANDOM}\n", id="with space around it"),
    ],
)
def test_what_looks_real_is_named(name, value):
    assert named({name: value}) == [name]


@pytest.mark.parametrize(
    "value",
    [
        "",
        f"pyp_{RANDOM}",
        "sk-unused",
        "sk-proj-abc",
        "sk-your-openai-api-key-goes-here-1",
        f"sk-{'x' * 40}1",
        f"sk-{'0' * 48}",
        f"sk-placeholder-{RANDOM}",
        "sk-this-key-is-not-needed-by-anybody",
        "sk-1234567890abcdef1234567890abcdef",
        f"sk_{'0' * 48}",
        f"sk_{'a' * 48}",
        f"sk_{'123456' * 8}",
    ],
)
def test_placeholder_is_let_be(value):
    assert named({"OPENAI_API_KEY": value}) == []


def test_no_variable_of_a_preset_or_its_clients_is_left_out():
    wanted = [preset.credential for preset in CATALOGUE.values() if preset.credential]
    clients = [each for several in CLIENTS.values() for each in several]

    assert {name for each in wanted for name in each.variables} <= set(VARIABLES)
    assert {name for each in clients for name in (*each.keys, *each.own_keys)} <= set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", ["placeholder-token-for-credential-isolation", f"pyp_{RANDOM}"])
def test_key_of_ours_is_let_be_wherever_it_is(name, value):
    assert named({name: value}) == []


def test_what_only_azures_keys_look_like_is_let_be_elsewhere():
    assert named({"OPENAI_API_KEY": "0a1b2c3d" * 4}) == []


def test_key_that_the_gateway_sends_upstream_is_its_own():
    routes = [
        {
            "name": "a",
            "upstream": "http://a",
            "credential": {"header": "X-Api-Key", "value": KEY},
            "request_headers": {"X-Other": f"Bearer AIza{RANDOM}"},
        }
    ]
    settings = Settings.model_validate({"routes": routes})
    environ = {
        "ANTHROPIC_API_KEY": KEY,
        "GEMINI_API_KEY": f"AIza{RANDOM}",
        "OPENAI_API_KEY": f"sk-{RANDOM}",
    }

    assert named(environ, settings) == ["OPENAI_API_KEY"]


def test_client_and_gateway_are_told_what_concerns_them():
    environ = {"OPENAI_API_KEY": f"sk-{RANDOM}"}
    settings = Settings.model_validate({"routes": [{"name": "a", "upstream": "http://a"}]})

    (to_client,) = provider_keys(environ)
    (to_gateway,) = provider_keys(environ, settings)

    assert "a client needs the gateway's alone" in str(to_client)
    assert "no route of this configuration uses it" in str(to_gateway)
    assert "client" not in str(to_gateway)
