import pytest

from pyproxy.config.environment import Environment
from pyproxy.config.provider_defaults import fill_provider_defaults
from pyproxy.config.surroundings import Surroundings
from pyproxy.providers.catalogue import CATALOGUE

FILES = {"/run/key": "sk-from-file"}


def read(path):
    if path not in FILES:
        raise ValueError(f"the file {path} cannot be read: no such file or directory")
    return FILES[path]


def filled(environ, **route):
    around = Surroundings(environ, lambda path: path, read)
    environment = Environment(around)
    tree = {"routes": [{"name": "a", **route}]}
    fill_provider_defaults(tree, environment, around)
    return tree["routes"][0], environment


def injected(route):
    credential = route["credential"]
    return credential["header"], credential["value"].reveal(), credential["value"].origin


@pytest.mark.parametrize(
    ("provider", "variable", "header", "value"),
    [
        ("openai", "OPENAI_API_KEY", "Authorization", "Bearer k"),
        ("anthropic", "ANTHROPIC_API_KEY", "x-api-key", "k"),
        ("gemini", "GEMINI_API_KEY", "x-goog-api-key", "k"),
        ("copilot", "COPILOT_GITHUB_TOKEN", "Authorization", "Bearer k"),
        ("copilot", "COPILOT_API_KEY", "Authorization", "Bearer k"),
        ("azure-openai", "AZURE_OPENAI_API_KEY", "api-key", "k"),
        ("elevenlabs", "ELEVENLABS_API_KEY", "xi-api-key", "k"),
    ],
)
def test_a_providers_variable_holds_what_is_injected(provider, variable, header, value):
    route, environment = filled({variable: "k"}, provider=provider)

    assert injected(route) == (header, value, f"env {variable}")
    assert environment.filled["routes", 0, "credential"] == variable


def test_the_file_that_a_variable_names_is_read():
    route, _ = filled({"OPENAI_API_KEY_FILE": "/run/key"}, provider="openai")

    assert injected(route) == ("Authorization", "Bearer sk-from-file", "file /run/key")


@pytest.mark.parametrize("text", [" ", "Bearer ", "bearer", " Bearer token\t"])
@pytest.mark.parametrize(
    ("variable", "where"),
    [("ELEVENLABS_API_KEY", ""), ("ELEVENLABS_API_KEY_FILE", "the file /run/rubbish ")],
)
def test_a_variable_or_file_without_a_key_in_it_is_not_as_if_there_were_none(
    monkeypatch, text, variable, where
):
    # A file that is emptied while the gateway serves would have its clients' own keys pass.
    monkeypatch.setitem(FILES, "/run/rubbish", text)
    value = "/run/rubbish" if where else text
    route, environment = filled({variable: value}, provider="elevenlabs")

    assert "credential" not in route
    assert [str(fault) for fault in environment.faults] == [
        f"{variable}: {where}holds no key: only space, or the name of a scheme"
    ]


def test_the_first_variable_counts():
    environ = {"COPILOT_API_KEY": "k", "COPILOT_GITHUB_TOKEN": "t"}
    route, _ = filled(environ, provider="copilot", upstream="https://copilot-api.a.ghe.com")

    assert injected(route)[1] == "token t"


@pytest.mark.parametrize(
    ("environ", "route"),
    [
        pytest.param({"OPENAI_API_KEY": ""}, {"provider": "openai"}, id="empty variable"),
        pytest.param({}, {"provider": "openai"}, id="no variable"),
        pytest.param(
            {"OPENAI_API_KEY": "k"},
            {"provider": "openai", "credential_from": ["X-Gateway-Key"]},
            id="callers bring their own",
        ),
        pytest.param({"OPENAI_API_KEY": "k"}, {"provider": "generic"}, id="another provider"),
        pytest.param({"OPENAI_API_KEY": "k"}, {"provider": "opnai"}, id="no provider"),
        pytest.param({"OPENAI_API_KEY": "k"}, {"provider": ["openai"]}, id="no name"),
        pytest.param({"OPENAI_API_KEY": "k"}, {}, id="provider left out"),
    ],
)
def test_nothing_is_injected_by_itself(environ, route):
    assert "credential" not in filled(environ, **route)[0]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"header": "X-Key", "value": "v"}, id="all of it"),
        pytest.param({"query": "key", "value": "v"}, id="in the query"),
        pytest.param({"header": "X-Key"}, id="half of it"),
        pytest.param("v", id="no table"),
        pytest.param({"value": {"file": "/nowhere"}}, id="a file that is not there"),
        pytest.param({"value": " "}, id="nothing but space"),
    ],
)
def test_what_is_configured_stays_for_others_to_judge(given):
    route, _ = filled({"OPENAI_API_KEY": "k"}, provider="openai", credential=given)

    assert route["credential"] == given


@pytest.mark.parametrize(
    ("given", "value", "origin"),
    [
        pytest.param("sk-1", "Bearer sk-1", "literal", id="text"),
        pytest.param("Bearer sk-1", "Bearer sk-1", "literal", id="with its scheme"),
        pytest.param({"file": "/run/key"}, "Bearer sk-from-file", "file /run/key", id="file"),
        pytest.param({"env": "MINE"}, "Bearer sk-mine", "env MINE", id="variable"),
    ],
)
def test_a_value_alone_goes_where_the_provider_wants_it(given, value, origin):
    route, _ = filled({"MINE": "sk-mine"}, provider="openai", credential={"value": given})

    assert injected(route) == ("Authorization", value, origin)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_TARGET"),
        ("anthropic", "ANTHROPIC_API_TARGET"),
        ("gemini", "GEMINI_API_TARGET"),
        ("copilot", "COPILOT_API_TARGET"),
    ],
)
@pytest.mark.parametrize(
    ("target", "upstream"),
    [
        ("router.example.com", "https://router.example.com"),
        ("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/v1"),
    ],
)
def test_a_target_takes_the_place_of_the_providers_own(provider, variable, target, upstream):
    route, environment = filled({variable: target}, provider=provider)

    assert route["upstream"] == upstream
    assert environment.filled["routes", 0, "upstream"] == variable


def test_a_configured_upstream_comes_first():
    route, _ = filled({"OPENAI_API_TARGET": "x"}, provider="openai", upstream="https://mine")

    assert route["upstream"] == "https://mine"


def test_the_copilot_of_a_github_server_is_found():
    environ = {"GITHUB_SERVER_URL": "https://acme.ghe.com", "COPILOT_GITHUB_TOKEN": "t"}
    route, environment = filled(environ, provider="copilot")

    assert route["upstream"] == "https://copilot-api.acme.ghe.com"
    assert injected(route)[1] == "token t"
    assert environment.filled["routes", 0, "upstream"] == "GITHUB_SERVER_URL"


def test_a_target_comes_before_the_github_server():
    environ = {"GITHUB_SERVER_URL": "https://acme.ghe.com", "COPILOT_API_TARGET": "c.example"}

    assert filled(environ, provider="copilot")[0]["upstream"] == "https://c.example"


def test_github_com_changes_nothing():
    route, environment = filled({"GITHUB_SERVER_URL": "https://github.com"}, provider="copilot")

    assert "upstream" not in route
    assert environment.filled == {}


@pytest.mark.parametrize("routes", [3, ["x"], [{"provider": 3}]], ids=str)
def test_what_is_no_route_is_for_others_to_report(routes):
    around = Surroundings({"OPENAI_API_KEY": "k"}, lambda path: path, read)
    tree = {"routes": routes}
    fill_provider_defaults(tree, Environment(around), around)

    assert tree == {"routes": routes}


@pytest.mark.parametrize("upstream", [[], ["https://copilot-api.a.ghe.com"], "no url"], ids=str)
def test_the_scheme_is_found_for_lists_and_for_what_is_no_url(upstream):
    route, _ = filled({"COPILOT_GITHUB_TOKEN": "t"}, provider="copilot", upstream=upstream)

    assert injected(route)[1] in {"Bearer t", "token t"}


def test_every_variable_is_asked_for_once():
    variables = [
        variable
        for preset in CATALOGUE.values()
        for variable in (*(preset.credential.variables if preset.credential else ()),)
    ]

    assert len(variables) == len(set(variables))
