import pytest
from pydantic import ValidationError

from pyproxy.config.faults import did_you_mean, findings_of
from pyproxy.config.interpolate import Expanded
from pyproxy.config.settings import Settings
from pyproxy.providers.catalogue import CATALOGUE

PROVIDERS = ", ".join(f'"{name}"' for name in CATALOGUE)
ROUTE = {"name": "r"}
CANARY = "hunter2-hunter2-hunter2"


@pytest.mark.parametrize(
    ("tree", "where", "problem"),
    [
        pytest.param({"sever": {}}, ("sever",), 'unknown key; did you mean "server"?', id="top"),
        pytest.param(
            {"routes": [ROUTE | {"UpStream": "http://a"}]},
            ("routes", 0, "UpStream"),
            'unknown key; did you mean "upstream"?',
            id="key of a list's table",
        ),
        pytest.param(
            {"metrics": {"zzz": 1}}, ("metrics", "zzz"), 'unknown key; there are "users"', id="far"
        ),
        pytest.param({"routes": [{}]}, ("routes", 0, "name"), "is required", id="missing"),
        pytest.param(
            {"routes": ["x"]}, ("routes", 0), "must be a table of keys and values", id="no table"
        ),
        pytest.param(
            {"rate_limits": 1}, ("rate_limits",), "must be a table of keys and values", id="no dict"
        ),
        pytest.param(
            {"routes": [ROUTE | {"auth": "key"}]},
            ("routes", 0, "auth"),
            'must be a list, as in ["key"]',
            id="word for a list of words",
        ),
        pytest.param(
            {"cors": {"origins": "https://secret"}},
            ("cors", "origins"),
            'must be a list, as in ["text"]',
            id="text for a list",
        ),
        pytest.param(
            {"routes": [ROUTE | {"models": "gpt-4o*"}]},
            ("routes", 0, "models"),
            'must be a list, as in ["gpt-4o*"]',
            id="model for a list of models",
        ),
        pytest.param(
            {"routes": [ROUTE | {"models": "a b"}]},
            ("routes", 0, "models"),
            'must be a list, as in ["text"]',
            id="other text for a list of models",
        ),
        pytest.param(
            {"routes": [ROUTE | {"models": Expanded("gpt-4o*", ("MODELS",))}]},
            ("routes", 0, "models"),
            'must be a list, as in ["text"]',
            id="text of the environment for a list of models",
        ),
        pytest.param(
            {"auth": {"keys": "gpt-4o"}},
            ("auth", "keys"),
            'must be a list, as in ["text"]',
            id="key for a list of keys",
        ),
        pytest.param(
            {"routes": [ROUTE | {"credential": CANARY}]},
            ("routes", 0, "credential"),
            'must be a table, as in { value = "${NAME}" }',
            id="key for a credential",
        ),
        *(
            pytest.param(
                {"routes": [ROUTE | {"credential": {form: CANARY}}]},
                ("routes", 0, "credential", form),
                f"unknown key; did you mean {{ value = {{ {form} = ... }} }}?",
                id=f"{form} for a credential",
            )
            for form in ("env", "file")
        ),
        *(
            pytest.param(
                {"routes": [ROUTE | {"provider": called}]},
                ("routes", 0, "provider"),
                f'must be one of {PROVIDERS}; did you mean "{name}"?',
                id=f"{called} for a provider",
            )
            for called, name in (
                ("Claude", "anthropic"),
                ("google", "gemini"),
                ("azure", "azure-openai"),
                ("github", "copilot"),
                ("chatgpt", "openai"),
                ("antropic", "anthropic"),
            )
        ),
        pytest.param(
            {"server": {"trusted_proxies": 1}},
            ("server", "trusted_proxies"),
            "must be a list, as in [1, 2]",
            id="no list",
        ),
        pytest.param(
            {"routes": ROUTE},
            ("routes",),
            "is a list of tables; write [[routes]], not [routes]",
            id="table for a list of tables",
        ),
        pytest.param(
            {"routes": [ROUTE | {"auth": ["mTLS"]}]},
            ("routes", 0, "auth", 0),
            'must be one of "key", "jwt", "token", "mtls"; did you mean "mtls"?',
            id="choice in other letters",
        ),
        pytest.param(
            {"routes": [ROUTE | {"auth": ["kye"]}]},
            ("routes", 0, "auth", 0),
            'must be one of "key", "jwt", "token", "mtls"; did you mean "key"?',
            id="near choice",
        ),
        pytest.param(
            {"server": {"log": {"level": 3}}},
            ("server", "log", "level"),
            'must be one of "debug", "info", "warning", "error"',
            id="choice of another type",
        ),
        pytest.param(
            {"routes": [{"name": 1}]},
            ("routes", 0, "name"),
            'must be a text in quotes, as in "text"',
            id="number for text",
        ),
        pytest.param(
            {"routes": [{"name": ""}]}, ("routes", 0, "name"), "must not be empty", id="empty"
        ),
        pytest.param(
            {"routes": [{"name": "x" * 257}]},
            ("routes", 0, "name"),
            "must have at most 256 characters",
            id="long",
        ),
        pytest.param(
            {"server": {"max_connections": 0}},
            ("server", "max_connections"),
            "must be at least 1",
            id="too small",
        ),
        pytest.param(
            {"routes": [ROUTE | {"retries": 99}]},
            ("routes", 0, "retries"),
            "must be at most 10",
            id="too large",
        ),
        pytest.param(
            {"server": {"max_connections": "many"}},
            ("server", "max_connections"),
            "must be a whole number",
            id="no number",
        ),
        pytest.param(
            {"server": {"max_connections": "9" * 5000}},
            ("server", "max_connections"),
            "must be a whole number",
            id="5000 digits",
        ),
        pytest.param(
            {"server": {"max_connections": 1.5}},
            ("server", "max_connections"),
            "must be a whole number",
            id="fraction",
        ),
        pytest.param(
            {"auth": {"ban": {"after": float("nan")}}},
            ("auth", "ban", "after"),
            "must be a number, not nan and not infinite",
            id="no number at all",
        ),
        pytest.param(
            {"traces": {"sample": "half"}},
            ("traces", "sample"),
            "must be a number",
            id="a share in words",
        ),
        pytest.param(
            {"server": {"max_connections": []}},
            ("server", "max_connections"),
            "must be a whole number",
            id="list for a number",
        ),
        pytest.param(
            {"server": {"log": {"access": "maybe"}}},
            ("server", "log", "access"),
            "must be true or false",
            id="text for truth",
        ),
        pytest.param(
            {"server": {"log": {"access": []}}},
            ("server", "log", "access"),
            "must be true or false",
            id="list for truth",
        ),
        pytest.param(
            {"store": {"prefix": "a b"}},
            ("store", "prefix"),
            "must be 1 to 64 letters, digits and any of . _ : -",
            id="prefix in the store",
        ),
        pytest.param(
            {"server": {"drain": 30}},
            ("server", "drain"),
            'has no unit; write a duration such as "250ms", "30s", "5m" or "1h"',
            id="our own sentence",
        ),
        pytest.param(
            {"routes": [ROUTE | {"request_headers": {"a b": "x"}}]},
            ("routes", 0, "request_headers", "a b"),
            'must be a header name or method: letters, digits and "-"',
            id="bad name in a table",
        ),
    ],
)
def test_a_fault_says_where_and_what_would_be_accepted(tree, where, problem):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(tree)

    (finding,) = findings_of(caught.value)
    assert (finding.where, finding.problem) == (where, problem)


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({"auth": {"keys": [{"fiel": CANARY}]}}, id="misspelt secret"),
        pytest.param({"auth": {"keys": CANARY}}, id="secret for a list"),
        pytest.param({"auth": {"jwt": CANARY}}, id="for a table"),
        pytest.param({"auth": {"cache_ttl": CANARY}}, id="for a duration"),
        pytest.param({"auth": {"max_token": CANARY}}, id="for a size"),
        pytest.param({"rate_limits": {"api": {"rate": CANARY, "per": CANARY}}}, id="for a rate"),
        pytest.param({"server": {"workers": CANARY, "log": {"level": CANARY}}}, id="for a choice"),
        pytest.param(
            {"server": {"trusted_proxies": [CANARY], "admin": CANARY}}, id="for a network"
        ),
        pytest.param(
            {"routes": [{"name": "a", "upstream": f"http://u:{CANARY}@x"}]}, id="in a URL"
        ),
        pytest.param({"routes": [{"name": CANARY + "\n", "path": CANARY}]}, id="for a name"),
        pytest.param({"cors": {"origins": [f"https://x/{CANARY}"]}}, id="for an origin"),
        pytest.param({"headers": {"hsts": f"{CANARY}\n"}}, id="in a header"),
    ],
)
def test_a_fault_never_repeats_a_value(tree):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(tree)

    assert not any("hunter2" in finding.problem for finding in findings_of(caught.value))


def test_nothing_can_be_meant_where_nothing_is_known():
    assert did_you_mean("x", []) == ""
