import pytest

from pyproxy.cli.addresses import base_url, local_address
from pyproxy.config.bind import Bind
from pyproxy.config.listener import ListenerSettings


def listener(bind, *, is_tls=True):
    files = {"certificate": "a.crt", "private_key": "a.key"} if is_tls else {}
    return ListenerSettings(bind=bind, **files)


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        pytest.param("0.0.0.0:5000", Bind("127.0.0.1", 5000), id="any IPv4"),
        pytest.param("[::]:5000", Bind("::1", 5000), id="any IPv6"),
        pytest.param("192.0.2.1:443", Bind("192.0.2.1", 443), id="one address"),
        pytest.param("unix:/run/x.sock", Bind("", 0, "/run/x.sock"), id="unix"),
    ],
)
def test_listener_is_reached_from_here(bind, address):
    assert local_address(listener(bind)) == address


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        pytest.param("0.0.0.0:5000", "https://localhost:5000", id="any IPv4"),
        pytest.param("127.0.0.1:5000", "https://localhost:5000", id="loopback"),
        pytest.param("[::1]:5000", "https://localhost:5000", id="IPv6 loopback"),
        pytest.param("192.0.2.1:443", "https://192.0.2.1:443", id="one address"),
        pytest.param("[2001:db8::1]:443", "https://[2001:db8::1]:443", id="one IPv6 address"),
        pytest.param("unix:/run/x.sock", "https://localhost", id="unix"),
    ],
)
def test_url_is_for_a_person(bind, url):
    assert base_url(listener(bind)) == url
    assert base_url(listener(bind, is_tls=False)) == url.replace("https", "http")
