import socket
import threading
from contextlib import ExitStack, suppress

import pytest

from pyproxy.cli.reach import Unreachable, reach
from pyproxy.config.origin import Origin
from pyproxy.config.proxy import Proxy
from pyproxy.config.route import UpstreamTlsSettings
from pyproxy.config.surroundings import NOWHERE
from pyproxy.egress.hosts import HostPattern
from pyproxy.upstream.way import DIRECT, Way

NO_TLS = UpstreamTlsSettings()


def ask(url, tls=NO_TLS):
    return reach(Origin.parse(url), tls, 5.0, "routes[0].tls", DIRECT)


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


# --- The way


@pytest.fixture
def proxying():
    """Play a proxy that answers each CONNECT; its port, and what it was asked."""
    with ExitStack() as stack:

        def start(answer):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            heads = []

            def serve():
                with suppress(ConnectionResetError), listening.accept()[0] as near:
                    heads.append(near.recv(4096))
                    near.sendall(answer)
                    near.recv(4096)

            thread = threading.Thread(target=serve)
            thread.start()
            stack.callback(thread.join)
            return listening.getsockname()[1], heads

        yield start


def test_it_goes_through_the_proxy_as_requests_do(proxying):
    port, heads = proxying(b"HTTP/1.1 403 No\r\n\r\n")
    way = Way(proxy=Proxy.parse(f"http://alice:secret@127.0.0.1:{port}", NOWHERE))

    with pytest.raises(Unreachable) as caught:
        reach(Origin.parse("https://api.example"), NO_TLS, 5.0, "routes[0].tls", way)

    assert (
        str(caught.value)
        == f"no connection: the proxy 127.0.0.1:{port} answered 403; its own list may lack the host"
    )
    assert heads[0].startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")


def test_proxy_that_is_not_there_is_said(unused_port):
    way = Way(proxy=Proxy("127.0.0.1", unused_port))

    with pytest.raises(Unreachable, match="no connection: connecting to the proxy"):
        reach(Origin.parse("https://api.example"), NO_TLS, 5.0, "routes[0].tls", way)


def test_host_beyond_the_allow_list_is_not_reached(unused_port):
    way = Way(allowed=(HostPattern("other.example"),))

    with pytest.raises(Unreachable, match=r"no connection: egress\.allow does not name"):
        reach(Origin.parse(f"http://127.0.0.1:{unused_port}"), NO_TLS, 5.0, "routes[0].tls", way)


def test_name_that_leads_inwards_is_said(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    way = Way(is_public_only=True)

    with pytest.raises(Unreachable, match=r"^api.example resolves to 10\.0\."):
        reach(Origin.parse("https://api.example"), NO_TLS, 5.0, "routes[0].tls", way)


def test_silence_is_said(proxying):
    port, _ = proxying(b"")

    with pytest.raises(Unreachable, match="no HTTP answer: took too long"):
        reach(Origin.parse(f"http://127.0.0.1:{port}"), NO_TLS, 0.05, "routes[0].tls", DIRECT)
