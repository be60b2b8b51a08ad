import ssl

import pytest
import trustme

LISTENER = """
[[listeners]]
bind = "127.0.0.1:{port}"
{tls}
[auth]
keys = ["a-plain-key-of-somebody"]
"""
TLS = 'certificate = "certs/copilot.crt"\nprivate_key = "certs/copilot.key"'


def configure(here, port, tls=""):
    (here / "pyproxy.toml").write_text(LISTENER.format(port=port, tls=tls))


def test_gateway_that_serves_is_healthy(pyproxy, here, answering):
    configure(here, answering())

    assert pyproxy("health") == (0, ["ok"], [])


def test_gateway_is_asked_over_tls(pyproxy, here, answering, certificates):
    configure(here, answering(tls=certificates[1]), TLS)

    assert pyproxy("health") == (0, ["ok"], [])


def test_leaf_without_its_authority_is_trusted(pyproxy, here, answering, certificates):
    files, tls = certificates
    leaf, _, _ = files.certificate.read_text().partition("-----END CERTIFICATE-----\n")
    files.certificate.write_text(leaf + "-----END CERTIFICATE-----\n")
    configure(here, answering(tls=tls), TLS)

    assert pyproxy("health")[0] == 0


@pytest.mark.usefixtures("certificates")
def test_somebody_elses_certificate_is_not_trusted(pyproxy, here, answering):
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(theirs)
    configure(here, answering(tls=theirs), TLS)

    code, _, err = pyproxy("health")

    assert code == 1
    assert "certificate" in err[0].lower()


def test_gateway_is_asked_on_a_unix_socket(pyproxy, here, answering):
    answering("gateway.sock")
    (here / "pyproxy.toml").write_text(
        '[[listeners]]\nbind = "unix:gateway.sock"\n[auth]\nkeys = ["a-plain-key-of-somebody"]\n'
    )

    assert pyproxy("health") == (0, ["ok"], [])


def test_gateway_that_drains_is_not_healthy(pyproxy, here, answering):
    configure(here, answering(status=503))

    assert pyproxy("health") == (1, ["answers 503"], [])


def test_nobody_there_is_not_healthy(pyproxy, here, unused_port):
    configure(here, unused_port)

    code, _, err = pyproxy("health")

    assert code == 1
    assert "refused" in err[0]


def test_health_that_is_turned_off_cannot_be_asked(pyproxy, here):
    configure(here, 1)
    with (here / "pyproxy.toml").open("a") as file:
        file.write('[endpoints]\nhealth = ""\n')

    code, _, err = pyproxy("health")

    assert code == 2
    assert "endpoints.health" in err[0]


def test_client_certificates_everywhere_leave_no_way_in(pyproxy, here, certificates):
    assert certificates
    configure(here, 1, TLS + '\nclient_ca = "certs/ca.crt"')

    code, _, err = pyproxy("health")

    assert code == 2
    assert "client certificate" in err[0]


@pytest.mark.parametrize("certificate", [pytest.param("certs/none.crt", id="missing")])
def test_missing_certificate_is_said(pyproxy, here, answering, certificate):
    configure(here, answering(), TLS.replace("certs/copilot.crt", certificate))

    code, _, err = pyproxy("health")

    assert code == 1
    assert "none.crt" in err[0]
