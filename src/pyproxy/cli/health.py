"""``pyproxy health``: ask the running gateway whether it serves."""

import http.client
import socket
import ssl
from pathlib import Path

from pyproxy.cli.addresses import local_address
from pyproxy.cli.configuration import load_configuration
from pyproxy.cli.speech import bad, fault, good
from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.upstream.reason import in_words
from pyproxy.wire.proxy_header import FOR_NOBODY

OK = 200
_BEHIND_BALANCER = (
    "; this listener is for balancers: is this machine among server.trusted_proxies? "
    "A listener on a unix socket could be asked instead"
)


def health(config_file: Path | None, timeout: float) -> int:
    """Ask the running gateway's health endpoint; exit 0 if it serves, else 1."""
    settings = load_configuration(config_file).settings
    listener = _listener(settings)
    try:
        status = ask(listener, settings.endpoints.health, timeout)
    except (OSError, http.client.HTTPException, ConfigurationError) as error:
        hint = _BEHIND_BALANCER if listener.proxy_protocol else ""
        problem = in_words(error) if isinstance(error, OSError) else str(error)
        fault(f"{listener.bind}: {problem}{hint}")
        return 1
    if status != OK:
        bad("answers", status)
        return 1
    good("ok")
    return 0


def ask(listener: ListenerSettings, path: str, timeout_s: float) -> int:
    """The status of a GET through the listener.

    Raises:
        OSError: Nobody listens, it is not our certificate, or it took too long.
        ConfigurationError: The certificate's file cannot be read.
        http.client.HTTPException: The answer is not HTTP.
    """
    connection = http.client.HTTPConnection("localhost", timeout=timeout_s)
    try:
        connection.sock = _connect(listener, timeout_s)
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()


def _listener(settings: Settings) -> ListenerSettings:
    """The first listener that lets in who has no certificate; one without PROXY header first."""
    if not settings.endpoints.health:
        raise ConfigurationError(Fault("endpoints.health", "is turned off, so nobody can ask"))
    candidates = [each for each in settings.listeners if not each.client_ca]
    if not candidates:
        problem = "every one requires a client certificate; add one on a unix socket"
        raise ConfigurationError(Fault("listeners", problem))
    return min(candidates, key=lambda each: each.proxy_protocol)


def _connect(listener: ListenerSettings, timeout_s: float) -> socket.socket:
    address = local_address(listener)
    tls = own_certificate(Path(listener.certificate)) if listener.is_tls else None
    if address.path:
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(timeout_s)
        plain.connect(address.path)
    else:
        plain = socket.create_connection((address.host, address.port), timeout_s)
    if listener.proxy_protocol:
        plain.sendall(FOR_NOBODY)
    return plain if tls is None else tls.wrap_socket(plain)


def own_certificate(certificate: Path) -> ssl.SSLContext:
    """TLS that trusts the certificates in the listener's own file, and no other.

    Whoever holds its private key is the gateway, by whatever name it was
    reached: the name is not looked at, and a leaf alone is anchor enough.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    pem = read_file(certificate, MOST_OF_PEM).decode("ascii", "ignore")
    context.load_verify_locations(cadata=pem)
    return context
