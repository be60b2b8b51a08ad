from pyproxy.config.listener import ListenerSettings


def test_a_listener_speaks_tls_if_it_has_a_certificate():
    assert not ListenerSettings().is_tls
    assert ListenerSettings(certificate="c.pem", private_key="k.pem").is_tls
