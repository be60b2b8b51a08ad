"""Whether an upstream can be reached: name, connection, TLS, HTTP, in this order."""

import http.client
import socket
import ssl
from pathlib import Path

from pyproxy.config.origin import Origin
from pyproxy.config.route import UpstreamTlsSettings
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.reason import in_words
from pyproxy.upstream.tls import ClientTls, TlsFiles


class Unreachable(Exception):
    """How far it went, and what happened then; a sentence."""


def reach(origin: Origin, tls: UpstreamTlsSettings, timeout_s: float, where: str) -> str:
    """Ask the upstream for ``/``, without any credential.

    Args:
        origin: Whom to ask.
        tls: What to trust and to show.
        timeout_s: For each step.
        where: The settings' path, for faults: ``routes[0].tls``.

    Returns:
        What it answered, for a person: any status means that it is there.

    Raises:
        Unreachable: It is not, and at which step it failed.
        ConfigurationError: A TLS file is missing or broken.
    """
    connection = http.client.HTTPConnection(origin.host, origin.port, timeout=timeout_s)
    try:
        sock = _connect(origin, timeout_s)
        connection.sock = sock
        spoken = "HTTP"
        if origin.is_tls:
            client = _client_tls(tls, where)
            connection.sock = secured = _handshake(sock, client, origin.host)
            client.pins.check(secured.getpeercert(binary_form=True))
            spoken = str(secured.version())
        connection.request("GET", origin.path or "/", headers={"Host": origin.authority})
        status = connection.getresponse().status
    except OSError as error:
        raise Unreachable(f"no HTTP answer: {in_words(error)}") from error
    except http.client.HTTPException as error:
        raise Unreachable(f"no HTTP answer: {error}") from error
    except UpstreamUnreachable as error:
        raise Unreachable(f"no TLS: {error.detail}") from error
    finally:
        connection.close()
    return f"{spoken}, answers {status}"


def _connect(origin: Origin, timeout_s: float) -> socket.socket:
    try:
        socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{origin.host} cannot be resolved: {in_words(error)}") from error
    try:
        return socket.create_connection((origin.host, origin.port), timeout_s)
    except OSError as error:
        raise Unreachable(f"no connection: {in_words(error)}") from error


def _client_tls(tls: UpstreamTlsSettings, where: str) -> ClientTls:
    files = TlsFiles(_path(tls.ca), _path(tls.certificate), _path(tls.private_key))
    return ClientTls.load(files, tls.server_name, tls.pin_sha256, where)


def _handshake(sock: socket.socket, client: ClientTls, host: str) -> ssl.SSLSocket:
    try:
        return client.context.wrap_socket(sock, server_hostname=client.name_for(host))
    except OSError as error:
        raise Unreachable(f"no TLS: {in_words(error)}") from error


def _path(text: str) -> Path | None:
    return Path(text) if text else None
