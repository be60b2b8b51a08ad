"""Real handshakes with a listener: who gets which certificate, and who gets none."""

import asyncio
import socket
import ssl

import pytest
import trustme
import uvloop

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.sockets import listen
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules

AUTHORITY = trustme.CA()
CLIENTS = trustme.CA()
OTHER_CLIENTS = trustme.CA()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@pytest.fixture
def write(tmp_path):
    def write_(name, *hosts, key_type=trustme.KeyType.ECDSA):
        issued = AUTHORITY.issue_cert(*hosts, key_type=key_type)
        files = CertificateFiles(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        files.private_key.unlink(missing_ok=True)
        files.private_key.touch(mode=0o600)
        files.private_key.write_bytes(issued.private_key_pem.bytes())
        files.certificate.write_bytes(issued.cert_chain_pems[0].bytes())
        return files

    return write_


@pytest.fixture
def client_ca(tmp_path):
    path = tmp_path / "clients.pem"
    CLIENTS.cert_pem.write_to_path(str(path))
    return path


class Listener:
    """Echoes lines over TLS, on sockets of ours."""

    def __init__(self, tls):
        self._tls = tls

    async def __aenter__(self):
        self._listening = listen("127.0.0.1:0")
        [sock] = self._listening.sockets
        self.server = await asyncio.start_server(self._echo, sock=sock, ssl=self._tls.context)
        self.port = self._listening.port
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self._listening.close()

    @staticmethod
    async def _echo(reader, writer):
        try:
            while line := await reader.readline():
                writer.write(line)
        except OSError:
            pass
        finally:
            writer.transport.abort()


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    AUTHORITY.configure_trust(context)
    return context


class Client:
    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        session = writer.get_extra_info("ssl_object")
        self.names = [value for _, value in session.getpeercert()["subjectAltName"]]
        self.version, self.cipher = session.version(), session.cipher()[0]
        self.protocol = session.selected_alpn_protocol()

    async def echo(self):
        """A round trip: only then has the server accepted a TLS 1.3 client."""
        self._writer.write(b"x\n")
        if await self._reader.readline() != b"x\n":
            raise ConnectionResetError
        return self

    def close(self):
        self._writer.transport.abort()


async def connect(listener, name="", context=None):
    context = context or client_context()
    return Client(
        *await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=context, server_hostname=name
        )
    )


async def shown(listener, name="", context=None):
    client = await connect(listener, name, context)
    try:
        await client.echo()
        return client
    finally:
        client.close()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("a.example", ["a.example"], id="first"),
        pytest.param("b.example", ["b.example"], id="second"),
        pytest.param("X.C.example", ["*.c.example"], id="wildcard"),
        pytest.param("nobody.example", ["a.example"], id="unknown name"),
        pytest.param("", ["a.example"], id="no name"),
        pytest.param("127.0.0.1", ["a.example"], id="an address is no name"),
    ],
)
def test_the_name_asked_for_decides_the_certificate(runner, write, name, answer, version):
    pairs = [write("a", "a.example"), write("b", "b.example"), write("c", "*.c.example")]
    tls = ServerTls.load(pairs, TlsRules())
    context = client_context()
    context.maximum_version = ssl.TLSVersion[version]

    async def scene():
        async with Listener(tls) as listener:
            return (await shown(listener, name, context)).names

    assert runner.run(scene()) == answer


def test_http_1_1_is_what_is_spoken(runner, write):
    tls = ServerTls.load([write("a", "a.example")], TlsRules())
    context = client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])

    async def scene():
        async with Listener(tls) as listener:
            return await shown(listener, "a.example", context)

    client = runner.run(scene())

    assert (client.version, client.protocol) == ("TLSv1.3", "http/1.1")


def only(ciphers):
    context = client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return context


def at_most(version):
    context = client_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "min_version"),
    [
        pytest.param(lambda: at_most(ssl.TLSVersion.TLSv1), "1.2", id="TLS 1.0"),
        pytest.param(lambda: at_most(ssl.TLSVersion.TLSv1_1), "1.2", id="TLS 1.1"),
        pytest.param(lambda: at_most(ssl.TLSVersion.TLSv1_2), "1.3", id="TLS 1.2 when 1.3 asked"),
        pytest.param(lambda: only("AES128-GCM-SHA256"), "1.2", id="no forward secrecy"),
        pytest.param(lambda: only("ECDHE-RSA-AES128-SHA256"), "1.2", id="CBC"),
        pytest.param(lambda: only("ECDHE-RSA-AES256-SHA"), "1.2", id="CBC and SHA-1"),
        pytest.param(lambda: only("aNULL"), "1.2", id="anonymous"),
        pytest.param(lambda: only("DHE-RSA-AES128-GCM-SHA256"), "1.2", id="finite field"),
    ],
)
def test_weak_handshakes_are_refused(runner, write, make, min_version):
    files = write("a", "a.example", key_type=trustme.KeyType.RSA)
    tls = ServerTls.load([files], TlsRules(min_version))

    async def scene():
        async with Listener(tls) as listener:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await shown(listener, "a.example", make())
            await shown(listener, "a.example")  # the listener is none the worse

    runner.run(scene())


def test_tls_1_2_gets_an_authenticated_cipher(runner, write):
    files = write("a", "a.example", key_type=trustme.KeyType.RSA)
    tls = ServerTls.load([files], TlsRules())

    async def scene():
        async with Listener(tls) as listener:
            return (await shown(listener, "a.example", only("ALL"))).cipher

    assert runner.run(scene()).startswith("ECDHE-RSA-")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_reload_reaches_new_handshakes_and_leaves_old_connections(runner, write, version):
    tls = ServerTls.load([write("a", "old.example")], TlsRules())
    context = client_context()
    context.maximum_version = ssl.TLSVersion[version]

    async def scene():
        async with Listener(tls) as listener:
            old = await connect(listener, context=context)
            await old.echo()
            # Another kind of key: a context that kept the old one would go on showing it.
            write("a", "new.example", key_type=trustme.KeyType.RSA)
            await asyncio.to_thread(tls.reload)
            new = await shown(listener, context=context)
            await old.echo()
            old.close()
            return new.names

    assert runner.run(scene()) == ["new.example"]


def test_a_failed_reload_keeps_what_was_in_force(runner, write):
    files = write("a", "old.example")
    tls = ServerTls.load([files], TlsRules())
    other = write("b", "new.example")

    async def scene():
        async with Listener(tls) as listener:
            files.certificate.write_bytes(other.certificate.read_bytes())
            with pytest.raises(ConfigurationError, match="is not the key"):
                await asyncio.to_thread(tls.reload)
            return (await shown(listener)).names

    assert runner.run(scene()) == ["old.example"]


def with_certificate(authority, version="TLSv1_3"):
    context = client_context()
    context.maximum_version = ssl.TLSVersion[version]
    if authority is not None:
        authority.issue_cert("caller@example.org").configure_cert(context)
    return context


@pytest.mark.parametrize("name", ["a.example", "b.example"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_of_the_configured_ca_is_let_in(runner, write, client_ca, name, version):
    tls = ServerTls.load(
        [write("a", "a.example"), write("b", "b.example")], TlsRules(client_ca=client_ca)
    )

    async def scene():
        async with Listener(tls) as listener:
            return (await shown(listener, name, with_certificate(CLIENTS, version))).names

    assert runner.run(scene()) == [name]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("authority", [None, OTHER_CLIENTS], ids=["no certificate", "unknown CA"])
def test_other_clients_are_refused_by_any_name(runner, write, client_ca, version, authority):
    tls = ServerTls.load(
        [write("a", "a.example"), write("b", "b.example")], TlsRules(client_ca=client_ca)
    )

    async def scene():
        async with Listener(tls) as listener:
            for name in ("a.example", "b.example", "nobody.example", ""):
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await shown(listener, name, with_certificate(authority, version))

    runner.run(scene())


def test_a_reloaded_client_ca_lets_other_clients_in(runner, write, client_ca):
    tls = ServerTls.load([write("a", "a.example")], TlsRules(client_ca=client_ca))

    async def scene():
        async with Listener(tls) as listener:
            await shown(listener, "a.example", with_certificate(CLIENTS))
            client_ca.write_bytes(OTHER_CLIENTS.cert_pem.bytes())
            await asyncio.to_thread(tls.reload)
            await shown(listener, "a.example", with_certificate(OTHER_CLIENTS))
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await shown(listener, "a.example", with_certificate(CLIENTS))

    runner.run(scene())


def visit(port, context, name, session=None):
    """A blocking visit, since only those can bring a session; the session and whether it held."""
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        context.wrap_socket(raw, server_hostname=name, session=session) as secured,
    ):
        secured.sendall(b"x\n")
        secured.recv(2)
        return secured.session, secured.session_reused


@pytest.mark.parametrize("name", ["a.example", "b.example"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_are_resumed_whatever_the_name(runner, write, name, version):
    tls = ServerTls.load([write("a", "a.example"), write("b", "b.example")], TlsRules())
    context = with_certificate(None, version)

    async def scene():
        async with Listener(tls) as listener:
            session, _ = await asyncio.to_thread(visit, listener.port, context, name)
            _, is_resumed = await asyncio.to_thread(visit, listener.port, context, name, session)
            return is_resumed

    assert runner.run(scene())


def test_a_client_with_a_certificate_shows_it_every_time(runner, write, client_ca):
    tls = ServerTls.load([write("a", "a.example")], TlsRules(client_ca=client_ca))
    context = with_certificate(CLIENTS)

    async def scene():
        async with Listener(tls) as listener:
            session, _ = await asyncio.to_thread(visit, listener.port, context, "a.example")
            return session.has_ticket

    assert not runner.run(scene())
