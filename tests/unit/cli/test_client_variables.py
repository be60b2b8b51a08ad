import tomllib
from pathlib import Path

import pytest

from pyproxy.cli.approach import Approach
from pyproxy.cli.client_variables import groups_of
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.route import RouteSettings

URL = "https://gateway.test:5000"
OPEN = "placeholder-token-for-credential-isolation"


def groups(provider="openai", *, ca=None, remarks=(), client_ca="", **route):
    listener = ListenerSettings(bind="0.0.0.0:5000", client_ca=client_ca)
    settings = RouteSettings.model_validate({"name": "main", "provider": provider, **route})
    return list(groups_of(settings, Approach(URL, listener, ca, remarks)))


def values(group):
    return {each.name: each.value for each in group.variables}


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param(
            "openai", {"OPENAI_BASE_URL": f"{URL}/v1", "OPENAI_API_KEY": OPEN}, id="openai"
        ),
        pytest.param(
            "anthropic",
            {"ANTHROPIC_BASE_URL": URL, "ANTHROPIC_AUTH_TOKEN": OPEN},
            id="anthropic",
        ),
        pytest.param(
            "gemini",
            {
                "GOOGLE_GEMINI_BASE_URL": URL,
                "GEMINI_API_BASE_URL": URL,
                "GEMINI_API_KEY": OPEN,
            },
            id="gemini",
        ),
        pytest.param(
            "copilot",
            {
                "COPILOT_API_URL": URL,
                "COPILOT_PROVIDER_BASE_URL": URL,
                "COPILOT_GITHUB_TOKEN": OPEN,
                "COPILOT_TOKEN": OPEN,
                "COPILOT_API_KEY": OPEN,
                "COPILOT_PROVIDER_API_KEY": OPEN,
                "COPILOT_OFFLINE": "true",
            },
            id="copilot",
        ),
        pytest.param(
            "azure-openai",
            {"AZURE_OPENAI_ENDPOINT": URL, "AZURE_OPENAI_API_KEY": OPEN},
            id="azure-openai",
        ),
        pytest.param(
            "elevenlabs",
            {"ELEVENLABS_BASE_URL": URL, "ELEVENLABS_API_KEY": "YOUR_ELEVENLABS_KEY"},
            id="elevenlabs",
        ),
        pytest.param("generic", {"MAIN_BASE_URL": URL}, id="generic"),
    ],
)
def test_variables_of_an_open_route(provider, expected):
    (group,) = groups(provider, auth=[])

    assert values(group) == expected


def test_copilot_api_has_two_kinds_of_clients():
    openai, anthropic = groups("copilot-api")

    assert values(openai) == {
        "OPENAI_BASE_URL": f"{URL}/v1",
        "OPENAI_API_KEY": "YOUR_GATEWAY_KEY",
    }
    assert values(anthropic) == {
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": "YOUR_GATEWAY_KEY",
    }


@pytest.mark.parametrize(
    ("route", "url"),
    [
        pytest.param({"path": "/openai"}, f"{URL}/openai/v1", id="prefix"),
        pytest.param({"path": "/openai/"}, f"{URL}/openai/v1", id="prefix with a slash"),
        pytest.param({"path": "/openai", "strip_path": False}, f"{URL}/openai/v1", id="kept"),
        pytest.param({"path": "/v1", "strip_path": False}, f"{URL}/v1", id="the API's own"),
        pytest.param({"path": "/v1"}, f"{URL}/v1/v1", id="looks like the API's own"),
    ],
)
def test_path_of_the_route_stands_before_those_of_the_api(route, url):
    (group,) = groups(**route)

    assert values(group)["OPENAI_BASE_URL"] == url


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("tts", "TTS_BASE_URL"),
        ("my-own tts.2", "MY_OWN_TTS_2_BASE_URL"),
        ("3d", "_3D_BASE_URL"),
        ("größe", "GR_SSE_BASE_URL"),
        ("日本", "ROUTE_BASE_URL"),
        ("x=$(id)", "X_ID_BASE_URL"),
    ],
)
def test_route_of_an_unknown_api_names_its_variable(name, variable):
    (group,) = groups("generic", name=name)

    assert list(values(group)) == [variable]


@pytest.mark.parametrize(
    ("provider", "unset"),
    [("anthropic", "ANTHROPIC_API_KEY"), ("gemini", "GOOGLE_API_KEY"), ("openai", None)],
)
def test_what_would_be_sent_instead_is_unset(provider, unset):
    (group,) = groups(provider)

    assert group.unset == ((unset,) if unset else ())
    assert not unset or any(unset in remark for remark in group.remarks)


def test_callers_own_key_goes_where_the_api_has_it_and_ours_beside():
    (group,) = groups("anthropic", credential_from=["X-Gateway-Key"])

    assert values(group) == {
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_API_KEY": "YOUR_ANTHROPIC_KEY",
        "ANTHROPIC_CUSTOM_HEADERS": "X-Gateway-Key: YOUR_GATEWAY_KEY",
    }
    assert group.unset == ("ANTHROPIC_AUTH_TOKEN",)
    assert "YOUR_ANTHROPIC_KEY stands for your own key of the provider's" in group.remarks[0]
    assert "YOUR_GATEWAY_KEY stands for" in group.remarks[1]


def test_shared_secret_has_a_field_of_its_own():
    (group,) = groups("openai", auth=["token"])

    assert values(group)["OPENAI_CUSTOM_HEADERS"] == "X-Proxy-Token: YOUR_PROXY_SECRET"
    assert values(group)["OPENAI_API_KEY"] == OPEN
    assert '  http_headers = { "X-Proxy-Token" = "YOUR_PROXY_SECRET" }' in group.remarks


@pytest.mark.parametrize(
    ("provider", "route", "sentence"),
    [
        pytest.param(
            "elevenlabs", {}, "field Authorization: Bearer YOUR_GATEWAY_KEY", id="no variable"
        ),
        pytest.param(
            "elevenlabs",
            {"auth": ["token"]},
            "field X-Proxy-Token: YOUR_PROXY_SECRET",
            id="no variable, secret",
        ),
        pytest.param("generic", {}, "field Authorization: Bearer YOUR_GATEWAY_KEY", id="generic"),
        pytest.param(
            "generic",
            {"auth": ["token"]},
            "field X-Proxy-Token: YOUR_PROXY_SECRET",
            id="generic, secret",
        ),
        pytest.param("gemini", {"auth": ["token"]}, "SDKs take http_options", id="gemini"),
        pytest.param("elevenlabs", {}, "ElevenLabs(base_url=", id="no variable for the URL"),
        pytest.param("azure-openai", {}, "OPENAI_API_VERSION", id="azure"),
        pytest.param("copilot", {}, "COPILOT_MODEL", id="copilot"),
    ],
)
def test_what_no_variable_can_do_is_said(provider, route, sentence):
    (group,) = groups(provider, **route)

    assert any(sentence in remark for remark in group.remarks)


@pytest.mark.parametrize("provider", ["generic", "gemini"])
def test_open_route_asks_for_no_field(provider):
    (group,) = groups(provider, auth=[])

    assert not any("field" in remark or "http_options" in remark for remark in group.remarks)


def test_lines_for_codex_are_those_of_its_configuration():
    (group,) = groups(path="/openai")
    lines = [remark for remark in group.remarks if remark.startswith("  ")]

    assert lines == [
        '  model_provider = "pyproxy"',
        "  [model_providers.pyproxy]",
        '  name = "pyproxy"',
        f'  base_url = "{URL}/openai/v1"',
        '  env_key = "OPENAI_API_KEY"',
        '  wire_api = "responses"',
    ]


def test_lines_for_codex_are_toml_whatever_is_in_them():
    (group,) = groups(auth=["token"], token={"header": "X-Proxy!Token"})
    text = "\n".join(remark for remark in group.remarks if remark.startswith("  "))

    provider = tomllib.loads(text)["model_providers"]["pyproxy"]
    assert provider["http_headers"] == {"X-Proxy!Token": "YOUR_PROXY_SECRET"}


def test_what_keeps_clients_out_is_said():
    (group,) = groups("generic", remarks=("is closed",), client_ca="/ca.crt", auth=["mtls"])

    assert group.remarks == ("is closed", "clients must show a certificate from /ca.crt")


def test_authority_is_a_group_of_its_own():
    _, trust = groups(ca=Path("/certs/ca.crt"))

    assert values(trust) == dict.fromkeys(
        ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"), "/certs/ca.crt"
    )
    assert "replaces all other authorities" in trust.remarks[0]
