"""A question to a gateway, from where its clients are; no proxy of the environment takes part."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult

from pyproxy.config.origin import DEFAULT_PORTS
from pyproxy.upstream.reason import in_words

# Errors of ours have a few hundred bytes; whatever else answers may go on for ever.
_MOST_OF_BODY: Final = 64 * 1024
_NO_FIELDS: Final[Mapping[str, str]] = MappingProxyType({})
# What servers that speak TLS answer to those who do not, if they answer.
_BAD_REQUEST: Final = 400
# Or the beginning of an alert, of any version (RFC 8446 section 5.1).
_ALERT: Final = "\x15\x03"
_TLS: Final = "it speaks TLS: write https://"
_PLAIN: Final = "it speaks plain HTTP: write http://"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes:
        status: The HTTP status.
        should_retry: The field ``x-should-retry``; empty: there is none.
        content: The body, if it is JSON.
    """

    status: int
    should_retry: str
    content: object


def port_of(url: SplitResult) -> int:
    """The port of an http or https URL, which need not say it.

    Raises:
        ValueError: It says one that cannot be.
    """
    return url.port or DEFAULT_PORTS[url.scheme]


def ask(
    origin: SplitResult, target: str, timeout_s: float, fields: Mapping[str, str] = _NO_FIELDS
) -> Answer:
    """The answer to a GET. Redirections are not followed, for what ``fields`` hold is secret.

    Raises:
        OSError: There is none, or its certificate is not trusted.
        http.client.HTTPException: It is not HTTP.
        ValueError: No header may hold one of the fields.
    """
    host, port = origin.hostname or "", port_of(origin)
    if origin.scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=timeout_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    with closing(connection):
        connection.request("GET", target, headers={"Connection": "close", **fields})
        answer = connection.getresponse()
        body = answer.read(_MOST_OF_BODY)
        return Answer(answer.status, answer.getheader("x-should-retry", ""), _json(body))


def unreached(gateway: SplitResult, timeout_s: float) -> str:
    """Why a client gets nothing from the gateway; empty where it does."""
    try:
        answer = ask(gateway, "/health", timeout_s)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return _other_scheme(error, gateway, timeout_s) or _why(error)
    if answer.status == _BAD_REQUEST and _speaks_tls(gateway, timeout_s):
        return _TLS
    if answer.status != http.client.OK:
        return f"its health endpoint answers {answer.status}"
    if not isinstance(answer.content, dict) or answer.content.get("status") != "ok":
        return "another server answers there: its /health is not that of a gateway"
    return ""


def _why(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted here; set SSL_CERT_FILE to its CA's"
        case UnicodeError():
            return "cannot be reached: its host cannot be a name"
        case OSError():  # one that closes unasked is of HTTP's errors too
            return f"cannot be reached: {in_words(error)}"
        case _:
            return "does not answer in HTTP"


def _other_scheme(error: Exception, gateway: SplitResult, timeout_s: float) -> str:
    """Say that the server speaks the other of the two schemes, where that is why it failed."""
    match error:
        case ssl.SSLCertVerificationError():
            return ""
        case ssl.SSLError():
            return _PLAIN if _speaks_plain(gateway, timeout_s) else ""
        case ConnectionError():  # one that closes unasked, too
            is_likely = gateway.scheme == "http"
        case http.client.BadStatusLine():
            is_likely = str(error).startswith(_ALERT)
        case _:
            is_likely = False
    return _TLS if is_likely and _speaks_tls(gateway, timeout_s) else ""


def _speaks_plain(gateway: SplitResult, timeout_s: float) -> bool:
    host = f"[{gateway.hostname}]" if ":" in (gateway.hostname or "") else gateway.hostname
    netloc = f"{host}:{port_of(gateway)}"
    try:
        ask(gateway._replace(scheme="http", netloc=netloc), "/health", timeout_s)
    except (OSError, http.client.HTTPException):
        return False
    return True


def _speaks_tls(gateway: SplitResult, timeout_s: float) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is said over it: whether TLS is spoken is all that is asked.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = gateway.hostname or "", port_of(gateway)
    try:
        with socket.create_connection(address, timeout_s) as plain:
            context.wrap_socket(plain, server_hostname=gateway.hostname).close()
    except OSError:
        return False
    return True


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
