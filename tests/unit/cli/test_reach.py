import pytest

from pyproxy.cli.reach import Unreachable, reach
from pyproxy.config.origin import Origin
from pyproxy.config.route import UpstreamTlsSettings

NO_TLS = UpstreamTlsSettings()


def ask(url, tls=NO_TLS):
    return reach(Origin.parse(url), tls, 5.0, "routes[0].tls")


def test_any_status_means_that_it_is_there(answering):
    assert ask(f"http://127.0.0.1:{answering(status=404)}") == "HTTP, answers 404"


def test_certificate_is_verified_by_the_routes_authority(answering, certificates):
    files, tls = certificates
    settings = UpstreamTlsSettings(ca=str(files.ca_certificate))

    assert ask(f"https://localhost:{answering(tls=tls)}/v1", settings) == "TLSv1.3, answers 200"


def test_unknown_authority_is_no_tls(answering, certificates):
    with pytest.raises(Unreachable, match="no TLS"):
        ask(f"https://localhost:{answering(tls=certificates[1])}")


def test_wrong_name_is_no_tls(answering, certificates):
    files, tls = certificates
    settings = UpstreamTlsSettings(ca=str(files.ca_certificate), server_name="other.test")

    with pytest.raises(Unreachable, match="no TLS"):
        ask(f"https://localhost:{answering(tls=tls)}", settings)


def test_wrong_pin_is_no_tls(answering, certificates):
    files, tls = certificates
    settings = UpstreamTlsSettings(ca=str(files.ca_certificate), pin_sha256=("A" * 43 + "=",))

    with pytest.raises(Unreachable, match="pin"):
        ask(f"https://localhost:{answering(tls=tls)}", settings)


def test_name_that_is_nowhere_is_said():
    with pytest.raises(Unreachable, match="cannot be resolved"):
        ask("http://no-such-host.invalid")


def test_nobody_there_is_said(unused_port):
    with pytest.raises(Unreachable, match="no connection"):
        ask(f"http://127.0.0.1:{unused_port}")


def test_no_http_is_said(answering, certificates):
    with pytest.raises(Unreachable, match="no HTTP answer"):
        ask(f"http://127.0.0.1:{answering(tls=certificates[1])}")
