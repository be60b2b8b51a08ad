import pytest

from pyproxy.config.remarks import remarks_on
from pyproxy.config.secret import Secret
from pyproxy.config.settings import Settings

LONG = Secret("k" * 20, "env API_KEY")
TLS = {"certificate": "c", "private_key": "k"}


def remarked(tree):
    settings = Settings.model_validate({"auth": {"keys": [LONG]}} | tree)
    return [(finding.where, finding.problem.split(";")[0]) for finding in remarks_on(settings)]


def route(**given):
    return {"name": "r", "upstream": "http://a", **given}


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param({}, id="defaults"),
        pytest.param({"listeners": [{"bind": "127.0.0.1:80"}]}, id="plain on loopback"),
        pytest.param({"listeners": [{"bind": "unix:/s"}]}, id="plain on a unix socket"),
        pytest.param({"routes": [route(auth=[], allow_from=["10.0.0.0/8"])]}, id="open to some"),
        pytest.param(
            {"routes": [route(auth=[])], "listeners": [{"bind": "127.0.0.1:80"}]},
            id="open on loopback",
        ),
        pytest.param(
            {"routes": [route(auth=[])], "listeners": [{**TLS, "client_ca": "a"}]},
            id="open to certificates",
        ),
        pytest.param(
            {
                "routes": [route(auth=[]), route(name="s", path="/s")],
                "listeners": [{**TLS, "routes": ["s"]}, {"bind": "[::1]:1"}],
            },
            id="open on loopback alone",
        ),
        pytest.param({"routes": [route(token={"secret": "short"})]}, id="secret that is not used"),
        pytest.param(
            {"routes": [route(auth=["token"], token={"secret": "s" * 16})]}, id="long secret"
        ),
        pytest.param({"routes": [route(), route(name="s", path="/s")]}, id="another path"),
        pytest.param({"routes": [route(), route(name="s", hosts=["a.test"])]}, id="another host"),
        pytest.param(
            {"routes": [route(methods=["GET"]), route(name="s", methods=["GET", "POST"])]},
            id="another method",
        ),
        pytest.param({"routes": [route(methods=["GET"]), route(name="s")]}, id="other methods"),
        pytest.param(
            {
                "routes": [route(), route(name="s")],
                "listeners": [{**TLS, "routes": ["r"]}, {"bind": "[::1]:1", "routes": ["s"]}],
            },
            id="another listener",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "Authorization", "value": "Bearer k"})]},
            id="credential with its scheme",
        ),
        pytest.param(
            {"routes": [route(provider="openai", credential_from=["X-Gateway-Key"])]},
            id="callers bring their own credential",
        ),
        pytest.param({"routes": [route(provider="elevenlabs")]}, id="a credential may be left out"),
        pytest.param(
            {
                "routes": [
                    route(credential={"header": "X-Key", "value": "k"}, upstream="http://10.0.0.1")
                ]
            },
            id="credential over plain HTTP within a network",
        ),
        pytest.param(
            {"routes": [route(upstream="http://a.example")]}, id="plain HTTP without a credential"
        ),
        pytest.param(
            {"routes": [route(credential={"header": "X-Key", "value": "k"})]},
            id="credential in a field of its own",
        ),
        pytest.param(
            {"server": {"trusted_proxies": ["10.0.0.0/8", "fd00::/8", "192.0.2.7", "2a00::/16"]}},
            id="proxies of one's own",
        ),
        pytest.param({"cors": {"origins": ["*"]}}, id="any page that has a key"),
        pytest.param(
            {"cors": {"origins": ["https://a.test"]}, "routes": [route(auth=["mtls"])],
             "listeners": [{**TLS, "client_ca": "a"}]},
            id="one page with the browser's certificate",
        ),
        pytest.param({"store": {"on_failure": "allow"}}, id="memory, which does not fail"),
        pytest.param({"store": {"url": "redis://a"}}, id="a store that may fail"),
    ],
)  # fmt: skip
def test_what_is_safe_is_let_be(tree):
    assert remarked(tree) == []


@pytest.mark.parametrize(
    ("tree", "where", "problem"),
    [
        pytest.param(
            {"listeners": [{"bind": "0.0.0.0:80"}]},
            ("listeners", 0, "bind"),
            "is plain HTTP on a public address: keys can be read on the way",
            id="plain HTTP",
        ),
        pytest.param(
            {"routes": [route(auth=[])]},
            ("routes", 0, "auth"),
            "is open to everybody on a public address",
            id="open route",
        ),
        pytest.param(
            {"auth": {"keys": [Secret("k" * 15, "env API_KEY")]}},
            ("auth", "keys", 0),
            "is shorter than 16 characters and may be guessed",
            id="short key",
        ),
        pytest.param(
            {"auth": {"keys": ["k" * 16]}},
            ("auth", "keys", 0),
            "is a key in plain text in the configuration",
            id="key in the file",
        ),
        pytest.param(
            {"routes": [route(auth=["token"], token={"secret": "s" * 15})]},
            ("routes", 0, "token", "secret"),
            "is shorter than 16 characters and may be guessed",
            id="short shared secret",
        ),
        pytest.param(
            {"routes": [route(path="/a"), route(name="s", path="/a/")]},
            ("routes", 1),
            "is never reached: routes[0] above it takes the same path, hosts and methods",
            id="route twice",
        ),
        pytest.param(
            {"routes": [route(name="q", path="/q"), route(), route(name="s", methods=["GET"])]},
            ("routes", 2),
            "is never reached: routes[1] above it takes the same path, hosts and methods",
            id="method that is taken",
        ),
        pytest.param(
            {
                "routes": [route(), route(name="s")],
                "listeners": [{**TLS, "routes": ["r"]}, {"bind": "[::1]:1"}],
            },
            ("routes", 1),
            "is never reached: routes[0] above it takes the same path, hosts and methods",
            id="route twice on every listener that has it",
        ),
        pytest.param(
            {"routes": [route(credential={"header": "authorization", "value": "k"})]},
            ("routes", 0, "credential", "value"),
            "has no scheme before the credential",
            id="credential without a scheme",
        ),
        pytest.param(
            {
                "routes": [
                    route(credential={"header": "X-Key", "value": "k"}, upstream="http://a.example")
                ]
            },
            ("routes", 0, "upstream"),
            "is plain HTTP to a.example: the credential can be read on the way",
            id="credential over plain HTTP",
        ),
        pytest.param(
            {
                "routes": [
                    route(credential={"header": "X-Key", "value": "k"}, upstream="http://8.8.8.8")
                ]
            },
            ("routes", 0, "upstream"),
            "is plain HTTP to 8.8.8.8: the credential can be read on the way",
            id="credential over plain HTTP to a public address",
        ),
        pytest.param(
            {"routes": [route(provider="openai")]},
            ("routes", 0, "credential"),
            "is missing, so that every request is answered 503",
            id="provider without its credential",
        ),
        pytest.param(
            {"server": {"trusted_proxies": ["128.0.0.0/1"]}},
            ("server", "trusted_proxies", 0),
            "trusts 128.0.0.0/1, which no one owns: whoever is there may claim any address",
            id="half of all addresses trusted",
        ),
        pytest.param(
            {"server": {"trusted_proxies": ["2000::/3"]}},
            ("server", "trusted_proxies", 0),
            "trusts 2000::/3, which no one owns: whoever is there may claim any address",
            id="all of IPv6 trusted",
        ),
        pytest.param(
            {"cors": {"origins": ["*"]}, "routes": [route(auth=[], allow_from=["10.0.0.0/8"])]},
            ("routes", 0, "auth"),
            'asks a page for no credential while cors.origins is ["*"]: any web page may use it '
            "through the browser of whoever reaches it",
            id="any page, no credential",
        ),
        pytest.param(
            {"cors": {"origins": ["*"]}, "routes": [route(auth=["key", "mtls"])],
             "listeners": [{**TLS, "client_ca": "a"}]},
            ("routes", 0, "auth"),
            'asks a page for no credential while cors.origins is ["*"]: any web page may use it '
            "through the browser of whoever reaches it",
            id="any page, the browser's certificate",
        ),
        pytest.param(
            {"store": {"url": "rediss://a", "on_failure": "allow"}},
            ("store", "on_failure"),
            'is "allow": while the store is down nothing is limited',
            id="all pass while the store is down",
        ),
    ],
)  # fmt: skip
def test_what_is_unwise_is_remarked_on(tree, where, problem):
    assert remarked(tree) == [(where, problem)]


def test_an_admin_token_in_the_open_and_a_short_one_are_remarked_on():
    tree = {"server": {"admin": "0.0.0.0:9100", "admin_token": "short"}}

    (where, problem), (place, other) = remarked(tree)
    assert where == ("server", "admin")
    assert problem == "is plain HTTP on a public address: the token can be read on the way"
    assert place == ("server", "admin_token")
    assert other == "is shorter than 16 characters and may be guessed"


@pytest.mark.parametrize(
    "server",
    [
        pytest.param({"admin": "", "admin_token": "short"}, id="nobody asks"),
        pytest.param({"admin_token": "t" * 16}, id="at home"),
    ],
)
def test_an_admin_token_that_endangers_nobody_is_not_remarked_on(server):
    assert remarked({"server": server}) == []
