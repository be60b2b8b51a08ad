import pytest

from pyproxy.config.settings import Settings
from pyproxy.config.soundness import contradictions

KEY = {"auth": {"keys": ["k" * 20]}}
TLS = {"certificate": "c", "private_key": "k"}


def route(**given):
    return {"name": "r", "upstream": "http://a", **given}


def found(tree, broken=()):
    return [
        (finding.where, finding.problem)
        for finding in contradictions(Settings.model_validate(KEY | tree), broken)
    ]


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"routes": [route(), route(name="s", path="/s")]}, id="two routes"),
        pytest.param(
            {
                "listeners": [
                    {"bind": "[::]:1", **TLS},
                    {"bind": "[::]:1", **TLS, "certificate": "d"},
                ]
            },
            id="SNI",
        ),
        pytest.param({"listeners": [{"bind": "[::1]:0"}, {"bind": "[::1]:0"}]}, id="any port"),
        pytest.param({"listeners": [{"routes": ["r"]}], "routes": [route()]}, id="named route"),
        pytest.param(
            {
                "listeners": [{"bind": "[::1]:1", "proxy_protocol": True}],
                "server": {"trusted_proxies": ["::1"]},
            },
            id="PROXY header of somebody",
        ),
        pytest.param(
            {"listeners": [{"bind": "unix:/x", "proxy_protocol": True}]},
            id="PROXY header over a unix socket",
        ),
        pytest.param({"auth": {}, "routes": [route(auth=[])]}, id="open route"),
        pytest.param(
            {"auth": {}, "routes": [route(auth=["token"], token={"secret": "s" * 16})]}, id="token"
        ),
        pytest.param(
            {
                "auth": {},
                "routes": [route(auth=["mtls"])],
                "listeners": [{**TLS, "client_ca": "a"}],
            },
            id="mtls",
        ),
        pytest.param(
            {"auth": {"jwt": {"jwks_file": "j"}}, "routes": [route(auth=["key", "jwt"])]},
            id="tokens alone",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "Authorization", "value": "Bearer x"})]},
            id="header credential",
        ),
        pytest.param(
            {"routes": [route(credential={"query": "key", "value": "x"})]}, id="query credential"
        ),
        pytest.param({"routes": [route(provider="copilot-api", upstream="")]}, id="preset"),
        pytest.param(
            {"routes": [route(heartbeat="29.9s", read_timeout="30s")]}, id="quick heartbeat"
        ),
        pytest.param({"endpoints": {"token": "", "verify": ""}}, id="endpoints off"),
        pytest.param({"auth": {"keys": ["k"], "jwt": {"leeway": "5m"}}}, id="leeway at its bound"),
    ],
)
def test_what_agrees_is_let_be(tree):
    assert found(tree) == []


@pytest.mark.parametrize(
    ("tree", "where", "problem"),
    [
        pytest.param(
            {"routes": [route(rate_limits=["apj"])]},
            ("routes", 0, "rate_limits", 0),
            'no rate limit has this name; did you mean "api"?',
            id="unknown limit",
        ),
        pytest.param(
            {"listeners": [{}, {"bind": "[::1]:1", "proxy_protocol": True}]},
            ("listeners", 1, "proxy_protocol"),
            "needs server.trusted_proxies: whose PROXY header is believed; from anybody else it "
            "could name any address",
            id="PROXY header of anybody",
        ),
        pytest.param(
            {
                "listeners": [
                    {"bind": "[::1]:1", **TLS},
                    {"bind": "[::1]:1", **TLS, "certificate": "d", "proxy_protocol": True},
                ],
                "server": {"trusted_proxies": ["::1"]},
            },
            ("listeners", 1, "bind"),
            "is taken by a listener above; listeners share an address only to offer several "
            "certificates, and must agree in everything else",
            id="PROXY header on half a bind",
        ),
        pytest.param(
            {"routes": [route()], "listeners": [{"routes": ["rr"]}]},
            ("listeners", 0, "routes", 0),
            'no route has this name; did you mean "r"?',
            id="unknown route",
        ),
        *(
            pytest.param(
                {"rate_limits": {name: {"per": per}}},
                ("rate_limits", name, "per"),
                'must be "ip"',
                id=f"{name} counted by {per}",
            )
            for name in ("auth", "health")
            for per in ("user", "route", ["ip", "user"])
        ),
        pytest.param(
            {"listeners": [{"private_key": "k"}]},
            ("listeners", 0, "private_key"),
            "needs a certificate",
            id="key without certificate",
        ),
        pytest.param(
            {"listeners": [{"certificate": "c"}]},
            ("listeners", 0, "certificate"),
            "needs a private_key",
            id="certificate without key",
        ),
        pytest.param(
            {"listeners": [{"client_ca": "c"}]},
            ("listeners", 0, "client_ca"),
            "needs a certificate",
            id="mTLS without TLS",
        ),
        pytest.param(
            {"listeners": [{"bind": "[::]:1"}, {"bind": "[::]:1"}]},
            ("listeners", 1, "bind"),
            "is taken",
            id="plain twice",
        ),
        pytest.param(
            {"listeners": [{"bind": "[::]:1", **TLS}, {"bind": "[::]:1", **TLS}]},
            ("listeners", 1, "bind"),
            "is taken",
            id="same certificate twice",
        ),
        pytest.param(
            {
                "listeners": [
                    {"bind": "[::]:1", **TLS},
                    {"bind": "[::]:1", "certificate": "d", "private_key": "k", "client_ca": "a"},
                ]
            },
            ("listeners", 1, "bind"),
            "is taken",
            id="certificates that disagree",
        ),
        *(
            pytest.param(
                {"routes": [route(heartbeat=heartbeat, read_timeout="30s")]},
                ("routes", 0, "heartbeat"),
                "must be shorter than read_timeout (30s)",
                id=f"heartbeat of {heartbeat}",
            )
            for heartbeat in ("30s", "1m")
        ),
        pytest.param(
            {"auth": {"keys": ["k"], "jwt": {"jwks_url": "https://a", "issuer_url": "https://b"}}},
            ("auth", "jwt", "jwks_url"),
            "cannot stand beside issuer_url",
            id="two ways to the key set",
        ),
        pytest.param(
            {"auth": {"keys": ["k"], "jwt": {"leeway": "301s"}}},
            ("auth", "jwt", "leeway"),
            "must be at most 5m",
            id="leeway",
        ),
        pytest.param(
            {"auth": {"keys": ["k"], "jwt": {"ttl": "25h"}}},
            ("auth", "jwt", "ttl"),
            "is longer than max_lifetime",
            id="tokens nobody accepts",
        ),
        pytest.param(
            {"auth": {"keys": ["k"], "jwt": {"jwks_max_age": "1m"}}},
            ("auth", "jwt", "jwks_max_age"),
            "is shorter than jwks_ttl",
            id="keys that expire",
        ),
        pytest.param(
            {"server": {"max_header_size": "0B"}},
            ("server", "max_header_size"),
            "must be more",
            id="no room for a head",
        ),
        pytest.param(
            {"routes": [route(auth=["token", "key"])]},
            ("routes", 0, "token", "secret"),
            "is required by auth",
            id="token without a secret",
        ),
        *(
            pytest.param(
                {"routes": [route(auth=["token", "key"], token={"secret": secret})]},
                ("routes", 0, "token", "secret"),
                "must be visible ASCII without control characters or spaces at its ends: no caller",
                id=f"shared secret of {what}",
            )
            for what, secret in (
                ("spaces", "   "),
                ("two lines", "0123456789abcdef\n0"),
                ("octets that are no text", "0123456789abcdef\udcff"),
            )
        ),
        pytest.param(
            {"routes": [route(auth=["mtls", "key"])]},
            ("routes", 0, "auth"),
            '"mtls" needs a listener with client_ca',
            id="mtls without an authority",
        ),
        pytest.param(
            {"auth": {}, "routes": [route()]},
            ("routes", 0, "auth"),
            "lets nobody in: there is no API key (set API_KEY, or auth.keys_file), and there is",
            id="no keys at all",
        ),
        pytest.param(
            {"routes": [route(auth=["jwt"])]},
            ("routes", 0, "auth"),
            "lets nobody in: there is no key set",
            id="no key set",
        ),
        pytest.param(
            {"routes": [{"name": "r"}]},
            ("routes", 0, "upstream"),
            'is required by provider "generic"',
            id="no upstream",
        ),
        pytest.param(
            {"routes": [route(upstream=["http://a", "http://A:80/"])]},
            ("routes", 0, "upstream"),
            "names the same upstream twice",
            id="upstream twice",
        ),
        pytest.param(
            {"routes": [route(tls={"private_key": "k"})]},
            ("routes", 0, "tls"),
            "needs certificate and private_key together",
            id="half a client certificate",
        ),
        pytest.param(
            {"routes": [route(credential={"value": "x"})]},
            ("routes", 0, "credential"),
            "{ value } alone needs a provider",
            id="credential for nowhere",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "X-Key"})]},
            ("routes", 0, "credential"),
            "must be {",
            id="credential of nothing",
        ),
        pytest.param(
            {"routes": [route(provider="openai", credential={"header": "X-Key"})]},
            ("routes", 0, "credential"),
            "must be { value }, { header, value } or { query, value }",
            id="credential of nothing where the provider knows its place",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "X-Key", "query": "key", "value": "x"})]},
            ("routes", 0, "credential"),
            "must be {",
            id="credential in two places",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "X-Key", "value": "x\r\nX-Evil: 1"})]},
            ("routes", 0, "credential", "value"),
            "must be visible ASCII",
            id="header injection by a secret",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "Host", "value": "x"})]},
            ("routes", 0, "credential", "header"),
            "is a field that the gateway sets itself",
            id="credential as Host",
        ),
        pytest.param(
            {"routes": [route(request_headers={"Transfer-Encoding": "chunked"})]},
            ("routes", 0, "request_headers", "Transfer-Encoding"),
            "is a field that the gateway sets itself",
            id="framing by configuration",
        ),
        pytest.param(
            {"routes": [route(response_headers={"CONTENT-LENGTH": ""})]},
            ("routes", 0, "response_headers", "CONTENT-LENGTH"),
            "is a field that the gateway sets itself",
            id="framing removed",
        ),
        pytest.param(
            {"routes": [route(identity_header="authorization")]},
            ("routes", 0, "identity_header"),
            "has another meaning",
            id="identity as a credential",
        ),
        pytest.param(
            {
                "routes": [
                    route(
                        credential={"header": "X-Key", "value": "v"}, request_headers={"x-kEy": ""}
                    )
                ]
            },
            ("routes", 0, "request_headers", "x-kEy"),
            "is the credential's header too",
            id="credential twice",
        ),
        pytest.param(
            {
                "routes": [
                    route(credential={"header": "X-Key", "value": "v"}, identity_header="x-key")
                ]
            },
            ("routes", 0, "identity_header"),
            "is the credential's header too",
            id="identity in the credential's field",
        ),
    ],
)
def test_what_disagrees_is_found(tree, where, problem):
    ((place, sentence),) = found(tree)

    assert place == where
    assert sentence.startswith(problem)


def test_both_of_two_that_disagree_are_named():
    names = found({"routes": [route(), route(path="/b")]})
    headers = found({"routes": [route(request_headers={"X-A": "1", "x-a": "2"})]})
    endpoints = found({"endpoints": {"token": "/health"}})

    assert [where for where, _ in names] == [("routes", 0, "name"), ("routes", 1, "name")]
    assert [where[-1] for where, _ in headers] == ["X-A", "x-a"]
    assert [where[-1] for where, _ in endpoints] == ["token", "health"]


def test_what_depends_on_a_broken_section_is_not_judged():
    tree = {"auth": {}, "routes": [route(auth=["jwt"], rate_limits=["nope"])]}

    assert len(found(tree)) == 2
    assert [where for where, _ in found(tree, {"auth"})] == [("routes", 0, "rate_limits", 0)]
    assert found(tree, {"routes"}) == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        pytest.param("X-Key", "of-hers\r\nX-Evil: 1", "must be visible ASCII", id="injection"),
        pytest.param("X-Key", "of-hers\n", "must be visible ASCII", id="newline at the end"),
        pytest.param("X-Key", "of-hers-caf\u00e9", "must be visible ASCII", id="other letters"),
        pytest.param("Host", "of-hers", "is a field that is set by", id="Host"),
        pytest.param("content-length", "7", "is a field that is set by", id="Content-Length"),
    ],
)
def test_a_field_that_cannot_be_sent_with_spans_is_refused(name, value, problem):
    ((where, sentence),) = found({"traces": {"headers": {name: value}}})

    assert where == ("traces", "headers", name)
    assert sentence.startswith(problem)
    assert "of-hers" not in sentence


def test_a_collectors_key_is_sound():
    assert found({"traces": {"headers": {"Authorization": "Bearer k"}}}) == []


ADDRESS = ("server", "admin")
TOKEN = "t" * 20


@pytest.mark.parametrize(
    "server",
    [
        pytest.param({"admin": ""}, id="none"),
        pytest.param({"admin": "[::1]:9100"}, id="loopback"),
        pytest.param({"admin": "10.0.0.1:9100"}, id="private"),
        pytest.param({"admin": "localhost:9100"}, id="localhost"),
        pytest.param({"admin": "unix:/run/admin"}, id="unix socket"),
        pytest.param({"admin": "0.0.0.0:9100", "admin_token": TOKEN}, id="public with a token"),
        pytest.param({"admin": "127.0.0.1:0"}, id="any port"),
    ],
)
def test_an_admin_listener_that_few_can_ask_is_sound(server):
    assert found({"server": server, "listeners": [{"bind": "127.0.0.1:0"}]}) == []


@pytest.mark.parametrize(
    ("server", "where", "problem"),
    [
        pytest.param(
            {"admin": "0.0.0.0:9100"}, ADDRESS, "set server.admin_token", id="every address"
        ),
        pytest.param(
            {"admin": "8.8.8.8:9100"}, ADDRESS, "set server.admin_token", id="a public address"
        ),
        pytest.param({"admin": "[::]:9100"}, ADDRESS, "is a public address", id="every v6"),
        pytest.param({"admin": "admin.test:9100"}, ADDRESS, "is a public address", id="a name"),
        pytest.param(
            {"admin_token": "caf\u00e9" * 5},
            ("server", "admin_token"),
            "nobody could send it",
            id="token of other letters",
        ),
        pytest.param({"admin": "127.0.0.1:5000"}, ADDRESS, "is the address of a", id="taken"),
        pytest.param(
            {"admin": "0.0.0.0:5000", "admin_token": TOKEN},
            ADDRESS,
            "is the address of a",
            id="taken among all",
        ),
    ],
)
def test_an_admin_listener_that_contradicts_itself_is_refused(server, where, problem):
    findings = found({"server": server, "listeners": [{"bind": "127.0.0.1:5000"}]})

    ((place, sentence),) = findings
    assert place == where
    assert problem in sentence
    assert "caf" not in sentence


def test_the_default_admin_listener_makes_way():
    assert found({"listeners": [{"bind": "127.0.0.1:9100"}]}) == []
