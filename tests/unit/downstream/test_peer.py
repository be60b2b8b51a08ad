import pytest

from pyproxy.downstream.peer import Peer


class Transport:
    """Tells of a connection what it was made with."""

    def __init__(self, **extra):
        self._extra = extra

    def get_extra_info(self, name):
        return self._extra.get(name)


class Handshaken:
    """The TLS of a client that showed this certificate."""

    def __init__(self, certificate):
        self._certificate = certificate

    def getpeercert(self):
        return self._certificate


@pytest.mark.parametrize(
    ("name", "told", "address"),
    [
        pytest.param(("192.0.2.7", 4096), None, "192.0.2.7", id="TCP"),
        pytest.param(("2001:db8::7", 4096, 0, 0), None, "2001:db8::7", id="IPv6"),
        pytest.param("", None, "", id="unix"),
        pytest.param(("10.0.0.1", 4096), "192.0.2.7", "192.0.2.7", id="introduced"),
        pytest.param(("10.0.0.1", 4096), "", "", id="introduced, on a unix socket"),
    ],
)
def test_address_is_as_told_else_the_connections(name, told, address):
    assert Peer.of(Transport(peername=name), told) == Peer(address, is_tls=False)


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        pytest.param(None, "", id="none"),
        pytest.param({}, "", id="not verified"),
        pytest.param({"subject": ((("commonName", "alice"),),)}, "alice", id="common name"),
        pytest.param(
            {"subject": ((("organizationName", "us"),), (("commonName", "bob"),))},
            "bob",
            id="second",
        ),
        pytest.param({"subject": "odd"}, "", id="no names"),
    ],
)
def test_certificate_names_its_holder(certificate, name):
    transport = Transport(peername=("192.0.2.7", 1), ssl_object=Handshaken(certificate))

    assert Peer.of(transport) == Peer("192.0.2.7", is_tls=True, certificate_name=name)
