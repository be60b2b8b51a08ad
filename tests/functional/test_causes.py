"""What an operator reads of an upstream that fails and of a client that does not get in."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime

import pytest
import trustme

from tests.functional.scripted import HOST, PATIENCE_S, Upstream

LONG_AGO, PAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


@pytest.fixture
def nobody():
    """The URL of a port that nobody listens on, for as long as the test runs."""
    with socket.socket() as held:
        held.bind((HOST, 0))
        yield f"http://{HOST}:{held.getsockname()[1]}"


# --- Upstreams


async def test_refused_connection_has_its_reason_in_the_log(start, nobody):
    gateway = await start(nobody)
    answer = await gateway.ask("GET", "/v1?q=1")
    line = await gateway.lines.next("upstream.failed")

    assert (answer.status, answer.json["error"]) == (502, "upstream_unreachable")
    assert b"refused" not in answer.body
    assert line["level"] == "warning"
    assert line["reason"] == "connecting failed: connection refused"
    assert (line["route"], line["code"]) == ("main", "upstream_unreachable")
    assert line["upstream"] == nobody.removeprefix("http://")
    assert line["request_id"] == answer.value("x-request-id")


async def test_name_that_is_nowhere_is_said(start):
    gateway = await start("http://no-such-host.invalid")
    await gateway.ask("GET", "/")

    line = await gateway.lines.next("upstream.failed")
    assert line["reason"].startswith("connecting failed: name not ")


async def test_certificate_of_an_unknown_authority_is_said(start, certificates):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    async with Upstream(tls=tls) as upstream:
        gateway = await start(upstream)
        answer = await gateway.ask("GET", "/")

    line = await gateway.lines.next("upstream.failed")
    assert answer.status == 502
    assert "certificate verify failed: " in line["reason"]
    assert "local issuer certificate" in line["reason"]


async def test_upstream_that_speaks_no_tls_is_said(start, upstream):
    gateway = await start(upstream.url.replace("http:", "https:"), route="retries = 0")
    asking = asyncio.ensure_future(gateway.ask("GET", "/"))
    (await upstream.accepted()).send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await asking

    line = await gateway.lines.next("upstream.failed")
    assert line["reason"] == "connecting failed: it does not speak TLS on this port"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"SSH-2.0-secret\r\n\r\n", "status line is malformed", id="no HTTP"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nbad secret\r\n\r\n", "field line is malformed", id="malformed"
        ),
    ],
)
async def test_malformed_answer_is_said_without_its_bytes(start, upstream, answer, reason):
    upstream.plays(answer)
    gateway = await start(upstream)
    found = await gateway.ask("GET", "/")

    line = await gateway.lines.next("upstream.failed")
    assert found.status == 502
    assert reason in line["reason"]
    assert not [text for text in gateway.lines.texts if "secret" in text]


async def test_silence_is_said(start, upstream):
    gateway = await start(upstream, route='read_timeout = "100ms"')
    answer = await gateway.ask("GET", "/")

    line = await gateway.lines.next("upstream.failed")
    assert answer.status == 504
    assert (line["code"], line["reason"]) == (
        "upstream_timeout", "silence for longer than read_timeout",
    )  # fmt: skip


async def test_answer_that_is_cut_is_said(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    asking = asyncio.ensure_future(client.ask("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(CUT)
    await connection.sent()
    connection.close()
    await asyncio.wait({asking}, timeout=PATIENCE_S)
    asking.exception()

    line = await gateway.lines.next("upstream.failed")
    assert line["reason"].startswith("the connection ended early: ")
    assert (await gateway.lines.next("request"))["aborted"] is True


async def test_endpoint_that_another_stood_in_for_is_said_too(start, willing, nobody):
    gateway = await start([nobody, willing], route='balance = "round-robin"\nretries = 1')
    statuses = [(await gateway.ask("GET", "/")).status for _ in range(2)]

    line = await gateway.lines.next("upstream.failed")
    assert statuses == [200, 200]
    assert line["upstream"] == nobody.removeprefix("http://")


async def test_the_same_cause_does_not_fill_the_log(start, nobody):
    gateway = await start(nobody, route="retries = 0")
    client = await gateway.connect()
    for _ in range(20):
        assert (await client.ask("GET", "/")).status == 502

    assert 1 <= len(gateway.lines.of("upstream.failed")) <= 4
    assert len(gateway.lines.of("request")) == 20


async def test_client_that_leaves_is_no_fault_of_the_upstream(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    asking = asyncio.ensure_future(client.ask("GET", "/"))
    await upstream.asked()
    asking.cancel()
    client.reset()

    assert (await gateway.lines.next("request"))["status"] == 499
    assert gateway.lines.of("upstream.failed") == []


# --- Handshakes


@pytest.fixture
def clients():
    """Signs clients' certificates."""
    return trustme.CA()


async def knock(gateway, data):
    """Say this on a fresh TCP connection, and wait for its end."""
    reader, writer = await asyncio.open_connection(HOST, gateway.port)
    writer.write(data)
    async with asyncio.timeout(PATIENCE_S):
        while await reader.read(4096):
            pass
    writer.transport.abort()


def handshake(port, context):
    """One as curl and most clients do it, alert and all."""
    with socket.create_connection((HOST, port), PATIENCE_S) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(b"x")
                secured.recv(1)
        except OSError:
            pass


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: secret\r\n\r\n", "plain HTTP on a TLS port", id="http"
        ),
        pytest.param(b"SSH-2.0-secret\r\n\r\n", "no TLS", id="ssh"),
    ],
)
async def test_client_without_tls_is_said(start, willing, data, reason):
    gateway = await start(willing)
    await knock(gateway, data)

    line = await gateway.lines.next("handshake.failed")
    assert (line["level"], line["ip"], line["reason"]) == ("info", HOST, reason)
    assert line["bind"] == "127.0.0.1:0"
    assert not [text for text in gateway.lines.texts if "secret" in text]


async def test_client_that_stays_silent_is_said(start, willing):
    gateway = await start(willing, server='header_timeout = "100ms"')
    await knock(gateway, b"")

    line = await gateway.lines.next("handshake.failed")
    assert (line["level"], line["reason"]) == ("info", "took longer than header_timeout")


async def test_client_that_leaves_in_the_middle_is_for_developers(start, willing):
    gateway = await start(willing)
    _, writer = await asyncio.open_connection(HOST, gateway.port)
    writer.close()

    line = await gateway.lines.next("handshake.failed")
    assert (line["level"], line["reason"]) == ("debug", "the client left")


async def test_client_that_does_not_trust_us_is_said(start, willing):
    gateway = await start(willing)
    await asyncio.to_thread(handshake, gateway.port, ssl.create_default_context())

    line = await gateway.lines.next("handshake.failed")
    assert line["reason"] == "the client does not trust our certificate (unknown ca)"


async def test_client_of_an_old_version_is_said(start, willing):
    gateway = await start(willing, listener='min_version = "1.3"')
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    await asyncio.to_thread(handshake, gateway.port, context)

    line = await gateway.lines.next("handshake.failed")
    assert line["reason"] == "a TLS version below min_version"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        pytest.param(None, "no client certificate", id="none"),
        pytest.param("other", "a client certificate of another authority", id="another CA's"),
        pytest.param("expired", "client certificate refused: certificate has expired", id="old"),
    ],
)
async def test_client_without_the_right_certificate_is_said(
    start, willing, authority, clients, tmp_path, version, shown, reason
):
    clients.cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    gateway = await start(willing, listener=f'client_ca = "{tmp_path}/clients.pem"')
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.maximum_version = ssl.TLSVersion[version]
    if shown == "other":
        trustme.CA().issue_cert("a").configure_cert(context)
    if shown == "expired":
        clients.issue_cert("a", not_before=LONG_AGO, not_after=PAST).configure_cert(context)
    await asyncio.to_thread(handshake, gateway.port, context)

    line = await gateway.lines.next("handshake.failed")
    assert line["reason"] == reason


async def test_a_port_scan_does_not_fill_the_log(start, willing):
    gateway = await start(willing)
    for _ in range(20):
        await knock(gateway, b"GET / HTTP/1.1\r\n\r\n")

    assert 1 <= len(gateway.lines.of("handshake.failed")) <= 4
