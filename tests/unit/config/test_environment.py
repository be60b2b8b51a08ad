import pytest

from pyproxy.config.environment import Environment
from pyproxy.config.surroundings import Surroundings

FILES = {"/cwd/key": "k" * 20, "/cwd/empty": "", "/cwd/cidr": "10.0.0.0/8", "/cwd/ttl": "60"}


def read(path):
    if path not in FILES:
        raise ValueError(f"the file {path} cannot be read: no such file or directory")
    return FILES[path]


def filled(environ, tree=None):
    tree = {} if tree is None else tree
    environment = Environment(Surroundings(environ, lambda path: f"/cwd/{path}", read))
    environment.fill(tree)
    return tree, environment


@pytest.mark.parametrize(
    ("environ", "where", "value"),
    [
        ({"JWKS_URL": "https://k"}, ("auth", "jwt", "jwks_url"), "https://k"),
        ({"JWT_ISSUER": "i"}, ("auth", "jwt", "issuer"), "i"),
        ({"JWT_AUDIENCE": "a"}, ("auth", "jwt", "audience"), "a"),
        ({"JWKS_TTL": "300"}, ("auth", "jwt", "jwks_ttl"), "300s"),
        ({"JWT_TTL": "1h"}, ("auth", "jwt", "ttl"), "1h"),
        ({"JWT_TTL_FILE": "ttl"}, ("auth", "jwt", "ttl"), "60s"),
        ({"JWKS_PATH": "j.json"}, ("auth", "jwt", "jwks_file"), "/cwd/j.json"),
        ({"JWT_SIGNING_KEYS": "s"}, ("auth", "jwt", "signing_keys_file"), "/cwd/s"),
        ({"JWT_SIGNING_KEYS_FILE": "s"}, ("auth", "jwt", "signing_keys_file"), "/cwd/s"),
        ({"API_KEYS_FILE": "k.txt"}, ("auth", "keys_file"), "/cwd/k.txt"),
        ({"OTEL_SERVICE_NAME": "edge"}, ("traces", "service_name"), "edge"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"},
            ("traces", "endpoint"),
            "http://c:4318/v1/traces",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/x/",
            },
            ("traces", "endpoint"),
            "http://d/x/",
        ),
        ({"RATE_LIMIT_API": "1r/s"}, ("rate_limits", "api", "rate"), "1r/s"),
        ({"RATE_LIMIT_API_BURST": "7"}, ("rate_limits", "api", "burst"), "7"),
        ({"RATE_LIMIT_AUTH": "1r/m"}, ("rate_limits", "auth", "rate"), "1r/m"),
        ({"RATE_LIMIT_AUTH_BURST": "8"}, ("rate_limits", "auth", "burst"), "8"),
    ],
    ids=str,
)
def test_a_variable_fills_its_key(environ, where, value):
    tree, environment = filled(environ)

    node = tree
    for part in where:
        node = node[part]
    assert node == value
    assert list(environment.filled) == [where]
    assert environment.faults == []


def test_the_file_comes_first():
    tree = {"auth": {"keys": [], "keys_file": "f", "jwt": {"issuer": "i"}}}

    result, environment = filled(
        {"API_KEY": "k" * 20, "API_KEYS_FILE": "g", "JWT_ISSUER": "j", "JWT_TTL": ""}, tree
    )

    assert result == {"auth": {"keys": [], "keys_file": "f", "jwt": {"issuer": "i"}}}
    assert environment.filled == {}


@pytest.mark.parametrize("tree", [{"auth": 3}, {"auth": {"jwt": 3}}], ids=str)
def test_a_table_that_is_none_is_left_for_others_to_report(tree):
    result, environment = filled({"JWT_ISSUER": "j"}, tree)

    assert result == tree
    assert environment.filled == {}


def test_keys_of_both_variables_are_taken():
    tree, environment = filled({"API_KEY": "one", "API_KEYS": "two, three"})

    keys = tree["auth"]["keys"]
    assert [key.reveal() for key in keys] == ["one", "two", "three"]
    assert [key.origin for key in keys] == ["env API_KEY", "env API_KEYS", "env API_KEYS"]
    assert environment.filled == {
        ("auth", "keys"): "API_KEY",
        ("auth", "keys", 0): "API_KEY",
        ("auth", "keys", 1): "API_KEYS",
        ("auth", "keys", 2): "API_KEYS",
    }


def test_a_key_can_be_in_a_file():
    tree, _ = filled({"API_KEY_FILE": "key"})

    assert tree["auth"]["keys"][0].reveal() == "k" * 20
    assert tree["auth"]["keys"][0].origin == "file /cwd/key"


@pytest.mark.parametrize(
    ("environ", "name", "problem"),
    [
        pytest.param({"API_KEY": ""}, "API_KEY", "has an empty key", id="empty key"),
        pytest.param({"API_KEYS": ""}, "API_KEYS", "has an empty key", id="empty list"),
        pytest.param({"API_KEYS": "one,,two"}, "API_KEYS", "has an empty key", id="gap in a list"),
        pytest.param(
            {"API_KEY_FILE": "empty"}, "API_KEY_FILE", "the file empty is empty", id="file"
        ),
        pytest.param(
            {"JWT_ISSUER_FILE": "x"}, "JWT_ISSUER_FILE", "the file /cwd/x cannot", id="gone"
        ),
        pytest.param({"JWT_TTL": "1", "JWT_TTL_FILE": "ttl"}, "JWT_TTL", "is set, and", id="both"),
    ],
)
def test_a_variable_that_cannot_be_used_is_a_fault(environ, name, problem):
    _, environment = filled(environ)

    (fault,) = environment.faults
    assert fault.path == name
    assert fault.problem.startswith(problem)


def test_the_shared_secret_goes_to_the_routes_that_ask_for_one():
    routes = [
        {"auth": ["token"]},
        {"auth": ["key"]},
        {"auth": ["token"], "token": {"header": "X-Mine"}},
        {"auth": ["token"], "token": {"secret": "own"}},
        {"auth": ["token"], "token": 3},
        {"auth": "token"},
        "nonsense",
    ]

    tree, environment = filled({"PROXY_SECRET": "s" * 20}, {"routes": routes})

    first, _, third, fourth, *_ = tree["routes"]
    assert first["token"]["secret"].reveal() == "s" * 20
    assert third["token"]["header"] == "X-Mine"
    assert third["token"]["secret"].origin == "env PROXY_SECRET"
    assert fourth["token"] == {"secret": "own"}
    assert list(environment.filled) == [
        ("routes", 0, "token", "secret"),
        ("routes", 2, "token", "secret"),
    ]


def test_an_empty_shared_secret_matters_only_where_one_is_asked_for():
    assert filled({"PROXY_SECRET": ""}, {"routes": [{"auth": ["key"]}]})[1].faults == []
    (fault,) = filled({"PROXY_SECRET": ""}, {"routes": [{"auth": ["token"]}]})[1].faults

    assert fault.path == "PROXY_SECRET"


@pytest.mark.parametrize(
    "environ",
    [{"ALLOWED_CIDR": "10.0.0.0/8, ,192.0.2.7,"}, {"ALLOWED_CIDR_FILE": "cidr"}],
    ids=["list", "file"],
)
def test_allowed_networks_go_to_the_routes_that_name_none(environ):
    tree, environment = filled(environ, {"routes": [{}, {"allow_from": []}]})

    assert tree["routes"][0]["allow_from"][0] == "10.0.0.0/8"
    assert tree["routes"][1]["allow_from"] == []
    assert environment.filled == {("routes", 0, "allow_from"): "ALLOWED_CIDR"}


def test_routes_that_are_no_list_are_left_alone():
    assert filled({"ALLOWED_CIDR": "10.0.0.0/8"}, {"routes": 3})[0] == {"routes": 3}


def test_the_stores_url_is_a_secret_and_an_empty_one_is_none():
    tree, environment = filled({"REDIS_URL": "redis://:pw@h"})

    assert tree["store"]["url"].reveal() == "redis://:pw@h"
    assert tree["store"]["url"].origin == "env REDIS_URL"
    assert environment.filled == {("store", "url"): "REDIS_URL"}
    assert "store" not in filled({"REDIS_URL": ""})[0]


def test_the_files_own_store_counts_more():
    assert filled({"REDIS_URL": "redis://h"}, {"store": {"url": "memory:"}})[0] == {
        "store": {"url": "memory:"}
    }


def test_a_collector_that_nobody_can_reach_by_http_is_remarked_on():
    tree, environment = filled({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"})

    assert "endpoint" not in tree.get("traces", {})
    assert environment.faults == []
    assert [str(remark) for remark in environment.remarks] == [
        "OTEL_EXPORTER_OTLP_ENDPOINT: has no effect: it is no http or https URL"
    ]


# --- The proxy


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_proxy_is_taken_and_does_not_show(name):
    tree, environment = filled({name: "http://u:p@proxy:3128"})

    proxy = tree["egress"]["proxy"]
    assert proxy.reveal() == "http://u:p@proxy:3128"
    assert proxy.origin == f"env {name}"
    assert environment.filled == {("egress", "proxy"): name}


def test_lower_case_comes_first():
    tree, _ = filled(
        {
            "HTTP_PROXY": "http://x:1",
            "HTTPS_PROXY": "http://upper:1",
            "https_proxy": "http://lower:1",
        }
        | {"NO_PROXY": "upper", "no_proxy": "lower"}
    )

    assert tree["egress"]["proxy"].reveal() == "http://lower:1"
    assert tree["egress"]["no_proxy"] == ["lower"]


def test_empty_variables_are_none():
    tree, environment = filled({"HTTPS_PROXY": "", "NO_PROXY": " , "})

    assert "egress" not in tree
    assert environment.faults == []


def test_the_files_empty_proxy_stays_none():
    tree, _ = filled({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a"}, {"egress": {"proxy": ""}})

    assert tree["egress"] == {"proxy": ""}


def test_proxy_may_be_in_a_file():
    tree, _ = filled({"HTTPS_PROXY_FILE": "key", "NO_PROXY_FILE": "cidr"})

    assert tree["egress"]["proxy"].origin == "file /cwd/key"
    assert tree["egress"]["no_proxy"] == ["10.0.0.0/8"]


def test_hosts_without_proxy_are_listed():
    tree, environment = filled(
        {"NO_PROXY": "a.example, .b.example 10.0.0.0/8,"}, {"egress": {"proxy": "http://p:1"}}
    )

    assert tree["egress"]["no_proxy"] == ["a.example", ".b.example", "10.0.0.0/8"]
    assert environment.filled == {("egress", "no_proxy"): "NO_PROXY"}


@pytest.mark.parametrize("tree", [{}, {"egress": {}}, {"egress": 3}], ids=str)
def test_hosts_without_proxy_are_nobodys_concern_where_there_is_none(tree):
    result, environment = filled({"NO_PROXY": "<local>"}, dict(tree))

    assert result == tree
    assert environment.faults == []


@pytest.mark.parametrize("environ", [{"ADMIN_TOKEN": "k" * 20}, {"ADMIN_TOKEN_FILE": "key"}])
def test_the_admin_token_is_a_secret_from_the_environment(environ):
    tree, environment = filled(environ)

    assert tree["server"]["admin_token"].reveal() == "k" * 20
    assert environment.filled == {("server", "admin_token"): "ADMIN_TOKEN"}


def test_an_empty_admin_token_is_none():
    assert "server" not in filled({"ADMIN_TOKEN": ""})[0]
