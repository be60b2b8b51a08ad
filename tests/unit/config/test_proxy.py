import base64

import pytest

from pyproxy.config.proxy import Proxy
from pyproxy.config.secret import Secret
from pyproxy.config.settings import Settings
from pyproxy.config.surroundings import NOWHERE, Surroundings

PASSWORD = "very-secret"
URL = f"http://alice:{PASSWORD}@proxy.example:3128"


def parsed(value, around=NOWHERE):
    return Proxy.parse(value, around)


def shown(proxy):
    """What its server gets of the credentials."""
    scheme, _, text = proxy.authorization.reveal().partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(text).decode()


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        pytest.param("http://proxy.example:3128", "proxy.example", 3128, id="name"),
        pytest.param("HTTP://Proxy.Example:8080/", "proxy.example", 8080, id="case, slash"),
        pytest.param("http://192.0.2.7:1", "192.0.2.7", 1, id="address"),
        pytest.param("http://[2001:DB8::7]:65535", "2001:db8::7", 65535, id="IPv6"),
        pytest.param("http://squid:3128", "squid", 3128, id="container"),
    ],
)
def test_place(url, host, port):
    proxy = parsed(url)

    assert (proxy.host, proxy.port, proxy.authorization) == (host, port, None)


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        pytest.param("alice:secret", "alice:secret", id="both"),
        pytest.param("alice", "alice:", id="user alone"),
        pytest.param("alice:", "alice:", id="empty password"),
        pytest.param("alice:a:b", "alice:a:b", id="colon in the password"),
        pytest.param("alice:p%40ss%2Fw%25", "alice:p@ss/w%", id="encoded"),
        pytest.param("us%C3%A9r:p%C3%A4ss", "usér:päss", id="UTF-8"),
        pytest.param("DOMAIN%5Calice:s$e&c!", "DOMAIN\\alice:s$e&c!", id="domain"),
    ],
)
def test_credentials(userinfo, credentials):
    assert shown(parsed(f"http://{userinfo}@proxy.example:3128")) == credentials


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("https://u:sesame@p:443", "TLS to the proxy itself", id="https"),
        pytest.param("proxy.example:3128", "must be a URL .*; add http://$", id="no scheme"),
        pytest.param("u:sesame@p:3128", "; add http://$", id="no scheme, with a password"),
        pytest.param("socks5://sesame@p:1080", "must be a URL", id="socks"),
        pytest.param("http://u:sesame@proxy", "needs the proxy's port", id="no port"),
        pytest.param("http://u:sesame@p:0", "port outside", id="port 0"),
        pytest.param("http://u:sesame@p:65536", "port outside", id="port too high"),
        pytest.param("http://u:sesame@p:1/path", "must be a URL", id="path"),
        pytest.param("http://u:sesame@p:1?x", "must be a URL", id="query"),
        pytest.param("http://", "must be a URL", id="nothing"),
        pytest.param("http://u:sesame@[::zz]:1", "must be a URL", id="no address"),
        pytest.param("http://u:sesame@[::1::2]:1", "no IPv6 address", id="no IPv6 address"),
        pytest.param("http://u:sec@ret@p:1", "percent-encoded", id="at sign"),
        pytest.param("http://u:sec/ret@p:1", "percent-encoded", id="slash"),
        pytest.param("http://u:sec%zzret@p:1", "percent-encoded", id="broken escape"),
        pytest.param("http://:sesame@p:1", "percent-encoded", id="no user"),
        pytest.param("http://u%3Av:sesame@p:1", "a user with a colon", id="colon in the user"),
        pytest.param("http://u:sesame%0d%0a@p:1", "control character", id="header injection"),
        pytest.param("http://u:sesame\r\n@p:1", "percent-encoded", id="raw line end"),
        pytest.param("http://u:sécret@p:1", "percent-encoded", id="not ASCII"),
        pytest.param(3128, "must be a string", id="number"),
        pytest.param({"url": "sesame"}, "must be a string", id="another form"),
    ],
)
def test_what_is_no_proxy_is_refused_without_repeating_it(value, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        parsed(value)

    assert "sesame" not in str(caught.value)


def test_it_may_be_elsewhere():
    around = Surroundings({"MY_PROXY": URL}, lambda path: f"/cwd/{path}", lambda _: URL)

    assert parsed({"env": "MY_PROXY"}, around).origin == "env MY_PROXY"
    assert parsed({"file": "proxy"}, around).origin == "file /cwd/proxy"
    assert parsed(Secret(URL, "env HTTPS_PROXY")).origin == "env HTTPS_PROXY"
    assert shown(parsed({"file": "proxy"}, around)) == f"alice:{PASSWORD}"


def test_it_is_read_once():
    proxy = parsed(URL)

    assert parsed(proxy) is proxy


def test_where_it_is_from_makes_no_difference():
    assert parsed(Secret(URL, "env HTTPS_PROXY")) == parsed(URL)
    assert hash(parsed(Secret(URL, "env HTTPS_PROXY"))) == hash(parsed(URL))
    assert parsed(URL) != parsed(URL.replace(PASSWORD, "another"))


def test_its_credentials_print_nowhere():
    settings = Settings.model_validate({"egress": {"proxy": URL}})
    proxy = settings.egress.proxy
    encoded = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()

    written = f"{proxy} {proxy!r} {proxy.name} {settings!r} {settings.model_dump_json()}"
    assert not [each for each in (PASSWORD, "alice", encoded) if each in written]
    assert str(proxy) == "http://***@proxy.example:3128"
    assert str(parsed("http://[::1]:1")) == "http://[::1]:1"
