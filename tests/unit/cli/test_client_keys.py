import pytest

from pyproxy.cli.client_keys import key_faults, own_keys


def named(environ):
    found = [str(fault) for fault in key_faults(environ)]
    assert not any("pyp_" in fault for fault in found)
    return [fault.partition(":")[0] for fault in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("OPENAI_API_KEY", "YOUR_GATEWAY_KEY", id="OpenAI"),
        pytest.param("ANTHROPIC_AUTH_TOKEN", "YOUR_GATEWAY_KEY", id="Anthropic"),
        pytest.param("ANTHROPIC_API_KEY", "YOUR_ANTHROPIC_KEY", id="own key"),
        pytest.param("AZURE_OPENAI_API_KEY", "YOUR_AZURE_OPENAI_KEY", id="own key of Azure"),
        pytest.param("COPILOT_PROVIDER_API_KEY", "YOUR_GATEWAY_KEY", id="Copilot"),
        pytest.param("OPENAI_CUSTOM_HEADERS", "X-Proxy-Token: YOUR_PROXY_SECRET", id="field"),
        pytest.param("GEMINI_CLI_CUSTOM_HEADERS", "X: Bearer YOUR_GATEWAY_KEY", id="scheme"),
    ],
)
def test_what_is_still_to_be_filled_in_is_named(name, value):
    assert named({name: value}) == [name]
    assert named({name: value.replace("YOUR_", "pyp_")}) == []


def test_blank_says_what_it_stands_for():
    environ = {
        "OPENAI_API_KEY": "YOUR_OPENAI_KEY",
        "OPENAI_CUSTOM_HEADERS": "X-Proxy-Token: YOUR_PROXY_SECRET",
    }

    own, shared = map(str, key_faults(environ))

    assert "your own key of the provider's" in own
    assert "the secret that the gateway has in PROXY_SECRET" in shared


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"),
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ("COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BEARER_TOKEN"),
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
    ],
)
def test_two_that_differ_are_said_and_two_alike_are_not(one, other):
    assert named({one: "pyp_one", other: "pyp_other"}) == [other]
    assert named({one: "pyp_one", other: "pyp_one"}) == []
    assert named({one: "pyp_one", other: ""}) == []


def test_own_key_is_where_clients_have_it():
    environ = {
        "ANTHROPIC_CUSTOM_HEADERS": "X-Gateway-Key: a",
        "OPENAI_CUSTOM_HEADERS": "X-Gateway-Key: a",
    }

    assert own_keys(environ, lambda name: name == "ANTHROPIC_BASE_URL") == {"ANTHROPIC_API_KEY"}
    assert own_keys(environ, lambda name: name == "OPENAI_BASE_URL") == {"OPENAI_API_KEY"}
