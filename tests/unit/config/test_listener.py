from pyproxy.config.bind import Bind
from pyproxy.config.listener import ListenerSettings


def test_a_listener_speaks_tls_if_it_has_a_certificate():
    assert not ListenerSettings().is_tls
    assert ListenerSettings(certificate="c.pem", private_key="k.pem").is_tls


def test_an_address_is_taken_apart():
    assert ListenerSettings(bind="[::1]:5000").address == Bind("::1", 5000)
    assert ListenerSettings(bind="unix:/x").address.path == "/x"
