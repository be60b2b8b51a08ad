from datetime import UTC, datetime

import pytest

from pyproxy.cli.approach import approach
from pyproxy.cli.certificate_files import CertificateFiles, ensure_certificate
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError


@pytest.fixture
def certified(here):
    """A listener's certificate for these hosts, and its CA."""

    def make(*hosts):
        files = CertificateFiles.under(here / "certs")
        ensure_certificate(files, hosts, datetime.now(UTC))
        return {"certificate": str(files.certificate), "private_key": str(files.key)}

    return make


def way(*listeners, route=None, **where):
    settings = Settings.model_validate(
        {
            "listeners": listeners,
            "routes": [{"name": "one", "upstream": "http://up.test", **(route or {})}],
        }
    )
    return approach(settings.routes[0], settings, **where)


def problem(*listeners, **named):
    with pytest.raises(ConfigurationError) as raised:
        way(*listeners, **named)
    return str(raised.value)


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        pytest.param("0.0.0.0:80", "http://localhost:80", id="any IPv4"),
        pytest.param("[::]:80", "http://localhost:80", id="any IPv6"),
        pytest.param("192.0.2.1:80", "http://192.0.2.1:80", id="one address"),
        pytest.param("[2001:db8::1]:80", "http://[2001:db8::1]:80", id="one IPv6 address"),
    ],
)
def test_url_is_the_listeners(bind, url):
    assert way({"bind": bind}).url == url


def test_host_of_the_route_is_its_name():
    found = way({"bind": "0.0.0.0:80"}, route={"hosts": ["*.llm.test", "llm.test"]})

    assert (found.url, found.remarks) == ("http://llm.test:80", ())


def test_route_for_wildcards_alone_asks_for_a_name():
    route = {"hosts": ["*.llm.test"]}

    (remark,) = way({"bind": "0.0.0.0:80"}, route=route).remarks

    assert "requests for *.llm.test alone: give --host" in remark
    assert way({"bind": "0.0.0.0:80"}, route=route, host="a.llm.test").remarks == ()


def test_given_host_takes_the_place_of_all_others():
    listener, route = {"bind": "192.0.2.1:80"}, {"hosts": ["llm.test"]}

    assert way(listener, route=route, host="10.0.0.1").url == "http://10.0.0.1:80"
    assert way(listener, host="2001:db8::1").url == "http://[2001:db8::1]:80"


def test_listener_is_the_first_that_serves_the_route_and_is_open_to_clients():
    other = {"bind": "127.0.0.1:1", "routes": ["two"]}
    unix = {"bind": "unix:/run/p.sock"}
    balanced = {"bind": "127.0.0.1:2", "proxy_protocol": True}
    settings = Settings.model_validate(
        {
            "listeners": [other, unix, balanced, {"bind": "127.0.0.1:3", "routes": ["one"]}],
            "routes": [{"name": name, "upstream": "http://up.test"} for name in ("one", "two")],
        }
    )

    assert approach(settings.routes[0], settings).url == "http://localhost:3"


def test_certificate_of_several_is_the_one_that_names_the_host(here):
    listeners = []
    for name in ("a.test", "b.test"):
        files = CertificateFiles.under(here / name)
        ensure_certificate(files, [name], datetime.now(UTC))
        pair = {"certificate": str(files.certificate), "private_key": str(files.key)}
        listeners.append({"bind": "127.0.0.1:1", **pair})

    by_route = way(*listeners, route={"hosts": ["b.test"]})
    by_option = way(*listeners, host="B.test")

    assert by_route.ca == by_option.ca == here / "b.test" / "ca.crt"
    assert by_route.remarks == by_option.remarks == ()


@pytest.mark.parametrize("bind", ["unix:/run/p.sock", "127.0.0.1:0"])
def test_listener_without_a_port_needs_a_url(bind):
    assert f"route one: is served on {bind} alone; give --url" in problem({"bind": bind})
    assert way({"bind": bind}, url="http://x").url == "http://x"


def test_route_that_nobody_serves_is_said():
    assert "route one: is served by no listener" in problem({"bind": "a:1", "routes": ["two"]})


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("https://gateway.test", "https://gateway.test"),
        ("http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
        ("http://[2001:db8::1]:1/llm/", "http://[2001:db8::1]:1/llm"),
    ],
)
def test_given_url_takes_the_place_of_the_listeners(url, without):
    assert way({"bind": "127.0.0.1:1"}, url=url).url == without


@pytest.mark.parametrize(
    "url",
    [
        "gateway.test:1",
        "ftp://x",
        "http://",
        "http://u:p@x",
        "http://x?a",
        "http://x#a",
        "http://x y",
    ],
)
def test_what_is_no_url_is_said(url):
    assert "--url" in problem({"bind": "127.0.0.1:1"}, url=url)


def test_certificate_of_ours_comes_with_its_authority(certified, here):
    found = way({"bind": "127.0.0.1:1", **certified("localhost")})

    assert (found.url, found.ca) == ("https://localhost:1", here / "certs" / "ca.crt")
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("names", "host"),
    [
        pytest.param(["gateway.test"], "gateway.test", id="its name"),
        pytest.param(["*.test", "b.test"], "b.test", id="its first name that is one"),
        pytest.param(["gateway.test", "localhost"], "localhost", id="localhost is named"),
    ],
)
def test_listener_on_every_address_is_called_as_its_certificate_says(certified, names, host):
    found = way({"bind": "0.0.0.0:1", **certified(*names)})

    assert (found.url, found.remarks) == (f"https://{host}:1", ())


@pytest.mark.parametrize("name", ["*.test", "gateway.test"])
def test_name_that_the_certificate_lacks_is_said(certified, name):
    found = way({"bind": "127.0.0.1:1", **certified(name)})

    assert found.url == "https://localhost:1"
    assert "does not name localhost" in found.remarks[0]


def test_wildcard_of_the_certificate_covers_a_name(certified):
    found = way({"bind": "0.0.0.0:1", **certified("*.test")}, host="a.test")

    assert found.remarks == ()


def test_missing_certificate_is_said(here):
    files = {"certificate": f"{here}/no.crt", "private_key": f"{here}/no.key"}

    found = way({"bind": "127.0.0.1:1", **files})

    assert (found.url, found.ca) == ("https://localhost:1", None)
    assert "no.crt" in found.remarks[0]


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://gateway.test:1", True),
        ("https://GATEWAY.test", True),
        ("https://balancer.test", False),
        ("http://gateway.test", False),
    ],
)
def test_authority_is_of_no_use_where_somebody_else_speaks_tls(certified, url, is_ours):
    found = way({"bind": "127.0.0.1:1", **certified("gateway.test")}, url=url)

    assert (found.ca is not None) == is_ours
