"""A real Squid between the gateway and its upstreams."""

import ssl
import subprocess
import sys
from contextlib import contextmanager

import pytest
import trustme

from tests.process import served
from tests.process.served import KEY, Upstream, environment, hashed, put
from tests.programs import demand
from tests.providers.egress import squid
from tests.providers.ledger import Kind, Role

CONFIG = """
[server]
admin = ""
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys.txt"
{egress}
[[routes]]
name = "allowed"
path = "/"
upstream = "https://localhost:{port}"
tls = {{ ca = "ca.crt" }}
connect_timeout = "5s"
[[routes]]
name = "denied"
path = "/denied"
upstream = "https://denied.example:{port}"
tls = {{ ca = "ca.crt" }}
"""
OWNER = "squid"
COMMAND = [sys.executable, "-m", "pyproxy", "check", "--connect"]


@pytest.fixture(scope="module")
def proxy(ledger):
    demand(squid.missing())
    ledger.adopt(squid.PASSWORD, Role.PROXY, OWNER)
    with (
        squid.running() as running,
        ledger.watching(Kind.PROXY_LOG, OWNER, lambda: "\n".join(running.log).encode()),
    ):
        yield running


@pytest.fixture
def upstream(tmp_path, ledger):
    """An upstream that speaks TLS as localhost."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Upstream() as server, ledger.watching(Kind.UPSTREAM, OWNER, lambda: server.received):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield server


@pytest.fixture
def serving(ledger):
    """Serves a configuration; what is seen goes into the ledger."""
    ledger.adopt(KEY, Role.CLIENT)

    @contextmanager
    def serving_(*arguments, **named):
        with served.serving(*arguments, **named) as gateway:
            try:
                yield gateway
            finally:
                gateway.stop()
                ledger.record(Kind.LOG, OWNER, gateway.written.encode())
                ledger.record(Kind.ANSWER, OWNER, gateway.answered)

    return serving_


@pytest.fixture
def config(tmp_path, upstream):
    put(tmp_path / "keys.txt", hashed("alice", KEY))

    def config_(url=""):
        egress = f'[egress]\nproxy = "{url}"' if url else ""
        return CONFIG.format(egress=egress, port=upstream.server_port)

    return config_


def lines(proxy, *words):
    """Those lines of Squid's access log that have all of these words in them."""
    return [line for line in proxy.log if all(word in line for word in words)]


def test_allowed_domain_passes(tmp_path, proxy, upstream, config, serving):
    with serving(tmp_path, config(proxy.url())) as gateway:
        status, _, body = gateway.ask("/v1/models")
        again = gateway.status()
        # Squid writes the line of a tunnel when that ends.
        assert gateway.stop() == 0

    assert (status, again) == (200, 200)
    assert b"proxy-authorization" not in body
    place = f"localhost:{upstream.server_port}"
    assert len(lines(proxy, "TCP_TUNNEL/200", f"CONNECT {place} alice")) == 1


def test_denied_domain_does_not(tmp_path, proxy, upstream, config, serving):
    with serving(tmp_path, config(proxy.url())) as gateway:
        status, _, body = gateway.ask("/denied")
        why = gateway.wait_for("upstream.failed")["reason"]

    assert status == 502
    assert b"squid" not in body.lower()
    assert why == f"the proxy 127.0.0.1:{proxy.port} answered 403; its own list may lack the host"
    assert lines(proxy, "TCP_DENIED/403", f"CONNECT denied.example:{upstream.server_port} alice")


def test_wrong_password_is_said_to_the_operator_alone(tmp_path, proxy, config, serving, ledger):
    wrong = ledger.make(Role.PROXY, OWNER)
    with serving(tmp_path, config(proxy.url(password=wrong))) as gateway:
        status, _, body = gateway.ask("/")
        why = gateway.wait_for("upstream.failed")["reason"]

        assert status == 502
        assert b"407" not in body
        assert why == (
            f"the proxy 127.0.0.1:{proxy.port} answered 407: it does not take these credentials"
        )
        assert wrong not in gateway.written
    assert lines(proxy, "TCP_DENIED/407", "CONNECT localhost:")


def test_missing_password_is_said(tmp_path, proxy, config, serving):
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "no_proxy": "127.0.0.1"}
    with serving(tmp_path, config(), environ=environ) as gateway:
        status = gateway.status()
        why = gateway.wait_for("upstream.failed")["reason"]

    assert status == 502
    assert why == f"the proxy 127.0.0.1:{proxy.port} answered 407: it wants credentials"


def test_proxy_that_died_is_used_again_once_it_is_back(tmp_path, proxy, config, serving):
    with serving(tmp_path, config(proxy.url())) as gateway:
        before = gateway.status()
        proxy.stop()
        during = gateway.status()
        why = gateway.wait_for("upstream.failed")["reason"]
        proxy.start()
        after = gateway.status()

    assert (before, during, after) == (200, 502, 200)
    assert why == f"connecting to the proxy 127.0.0.1:{proxy.port} failed: connection refused"


def test_check_finds_what_requests_will_find(tmp_path, proxy, upstream, config, ledger):
    put(tmp_path / "pyproxy.toml", config(proxy.url()))
    ran = subprocess.run(
        COMMAND, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    ledger.record(Kind.OUTPUT, OWNER, (ran.stdout + ran.stderr).encode())

    place = f"the proxy 127.0.0.1:{proxy.port}"
    port = upstream.server_port
    assert ran.returncode == 1
    assert f"reached allowed: https://localhost:{port}: TLSv1.3 through {place}" in ran.stdout
    assert f"proxy        http://***@127.0.0.1:{proxy.port} (literal), for TLS" in ran.stdout
    assert (
        f"denied: https://denied.example:{port}: no connection: {place} answered 403" in ran.stderr
    )
    assert squid.PASSWORD not in ran.stdout + ran.stderr
