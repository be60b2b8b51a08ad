import pytest

from pyproxy.providers.copilot import COPILOT, origin_of
from tests.unit.providers.closed import is_closed


@pytest.mark.parametrize(
    ("server", "origin"),
    [
        pytest.param("https://github.com", "", id="github.com"),
        pytest.param("https://GitHub.com/", "", id="in another case"),
        pytest.param("", "", id="nothing"),
        pytest.param("://", "", id="no URL"),
        pytest.param("https://acme.ghe.com", "https://copilot-api.acme.ghe.com", id="tenant"),
        pytest.param("acme.ghe.com", "https://copilot-api.acme.ghe.com", id="tenant's name"),
        pytest.param(
            "https://git.example.com:8443/x",
            "https://api.enterprise.githubcopilot.com",
            id="a server of one's own",
        ),
        pytest.param(
            "https://evilghe.com", "https://api.enterprise.githubcopilot.com", id="not the tenant's"
        ),
    ],
)
def test_the_upstream_follows_from_the_server(server, origin):
    assert origin_of(server) == origin


@pytest.mark.parametrize(
    ("variable", "host", "value"),
    [
        pytest.param("COPILOT_GITHUB_TOKEN", "api.githubcopilot.com", "Bearer t", id="individual"),
        pytest.param(
            "COPILOT_GITHUB_TOKEN", "api.business.githubcopilot.com", "token t", id="business"
        ),
        pytest.param(
            "COPILOT_GITHUB_TOKEN", "api.enterprise.githubcopilot.com", "token t", id="enterprise"
        ),
        pytest.param("COPILOT_GITHUB_TOKEN", "copilot-api.acme.ghe.com", "token t", id="tenant"),
        pytest.param("COPILOT_GITHUB_TOKEN", "router.example.com", "Bearer t", id="elsewhere"),
        pytest.param(
            "COPILOT_API_KEY", "api.enterprise.githubcopilot.com", "Bearer t", id="own key"
        ),
        pytest.param("", "copilot-api.acme.ghe.com", "token t", id="configured"),
    ],
)
def test_the_scheme_follows_from_the_host_and_the_kind_of_key(variable, host, value):
    assert COPILOT.credential.value("t", variable, host) == value


@pytest.mark.parametrize("path", [b"/mcp/", b"/mcp/x/repos", b"/copilot_internal/v2/token"])
def test_what_acts_as_the_tokens_owner_is_closed(path):
    assert is_closed(COPILOT, path)
