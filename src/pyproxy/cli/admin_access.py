"""How the running gateway's admin listener is asked, by the commands that show what it says."""

import http.client
import json
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pyproxy.cli.addresses import reachable
from pyproxy.cli.configuration import find, load_configuration
from pyproxy.config.bind import Bind
from pyproxy.config.fields import is_field_value
from pyproxy.config.origin import DEFAULT_PORTS
from pyproxy.config.secret import Secret
from pyproxy.config.server import ServerSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.style import shown
from pyproxy.upstream.reason import in_words

# A hundred thousand bans take 7 MB; whatever else answers may go on for ever.
_MOST_OF_BODY: Final = 16 * 1024 * 1024
_MOST_OF_MESSAGE: Final = 200
_FOR_PROGRAMS: Final = "application/json"
_UNIX: Final = "unix:"
_A_URL: Final = "http://HOST:PORT, https://HOST:PORT or unix:PATH"
_UNREACHED: Final = "is the gateway running there? server.admin or --url says where to ask"
_TOKEN_WANTED: Final = "wants the admin token: set server.admin_token or ADMIN_TOKEN, or --token"  # noqa: S105 - a sentence
_TOKEN_REFUSED: Final = "does not take this token: see server.admin_token, ADMIN_TOKEN, --token"  # noqa: S105 - a sentence
_LONGEST_WAIT: Final = 6  # digits
_ANOTHER: Final = "another server answers there: what it says is not what a gateway says"


class NoAnswer(Exception):
    """The admin listener did not answer as it should; the sentence tells an operator why."""


@dataclass(frozen=True, slots=True)
class AdminAnswer:
    """What was answered.

    Attributes:
        status: The HTTP status.
        content: The body's JSON.
    """

    status: int
    content: object


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """Where the admin listener is, and what has to be shown there.

    Attributes:
        where: As it was written, for sentences.
        address: Where to connect to.
        is_tls: Whether something before it speaks TLS; the listener itself does not.
        token: Shown as a Bearer; ``None``: nothing is.
        timeout_s: How long each wait may take.
    """

    where: str
    address: Bind
    is_tls: bool = False
    token: Secret | None = None
    timeout_s: float = 3.0

    @classmethod
    def configured(cls, server: ServerSettings) -> Self:
        """What the gateway's own configuration says.

        Raises:
            ConfigurationError: There is no such listener, or its port was left to the system.
        """
        if not server.admin:
            raise ConfigurationError(Fault("server.admin", "is turned off, so nobody can ask"))
        address = Bind.parse(server.admin)
        if not address.path and not address.port:
            problem = "leaves the port to the system; name it by --url, as the log does"
            raise ConfigurationError(Fault("server.admin", problem))
        return cls(server.admin, reachable(address), token=server.admin_token)

    @classmethod
    def at(cls, url: str) -> Self:
        """What a person says.

        Raises:
            ConfigurationError: It is no URL that could lead there.
        """
        try:
            if url.startswith(_UNIX):
                return cls(url, Bind.parse(url))
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS[parts.scheme]
        except (KeyError, ValueError) as error:
            raise ConfigurationError(Fault("--url", f"must be {_A_URL}")) from error
        is_more = parts.username is not None or parts.path.strip("/") or parts.query
        if not parts.hostname or is_more:
            raise ConfigurationError(Fault("--url", f"must be {_A_URL}"))
        return cls(url, Bind(parts.hostname, port), is_tls=parts.scheme == "https")

    def ask(self, target: str, method: str = "GET") -> AdminAnswer:
        """Ask, and read the answer; redirections are not followed, proxies not used.

        Raises:
            NoAnswer: There is none, or not for us, or it is none of a gateway.
        """
        try:
            status, wait, body = self._exchange(target, method)
        except (OSError, UnicodeError) as error:
            raise NoAnswer(f"{self.where}: {in_words(error)}; {_UNREACHED}") from error
        except http.client.HTTPException as error:
            problem = shown(str(error) or type(error).__name__, _MOST_OF_MESSAGE)
            raise NoAnswer(f"{self.where}: {problem}; {_UNREACHED}") from error
        if status == http.client.UNAUTHORIZED:
            problem = _TOKEN_WANTED if self.token is None else _TOKEN_REFUSED
            raise NoAnswer(f"{self.where}: {problem}")
        try:
            content: object = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self.misunderstood() from error
        if status >= http.client.BAD_REQUEST and status != http.client.NOT_FOUND:
            raise NoAnswer(f"{self.where}: answers {status}{_message(content)}{_patience(wait)}")
        return AdminAnswer(status, content)

    def misunderstood(self) -> NoAnswer:
        """Say that it answers, but not as a gateway does."""
        return NoAnswer(f"{self.where}: {_ANOTHER}")

    def _exchange(self, target: str, method: str) -> tuple[int, str, bytes]:
        """The status, ``Retry-After`` and the body."""
        fields = {"Accept": _FOR_PROGRAMS, "Connection": "close"}
        if self.token is not None:
            fields["Authorization"] = f"Bearer {self.token.reveal()}"
        host = "localhost" if self.address.path else self.address.host
        connection = http.client.HTTPConnection(host, self.address.port or None)
        with closing(connection):
            connection.sock = self._connected()
            connection.request(method, target, headers=fields)
            answer = connection.getresponse()
            wait = answer.getheader("Retry-After", "")
            return answer.status, wait, answer.read(_MOST_OF_BODY)

    def _connected(self) -> socket.socket:
        if self.address.path:
            plain = socket.socket(socket.AF_UNIX)
            plain.settimeout(self.timeout_s)
            try:
                plain.connect(self.address.path)
            except OSError:
                plain.close()
                raise
            return plain
        plain = socket.create_connection((self.address.host, self.address.port), self.timeout_s)
        if not self.is_tls:
            return plain
        context = ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=self.address.host)


def access_to(config_file: Path | None, url: str, token: str) -> AdminAccess:
    """The admin listener that a command is about.

    Args:
        config_file: From ``--config``; looked at only without ``url``: what is configured for
            one gateway is shown to no other. Without a file it is the default listener.
        url: From ``--url``; empty: as configured.
        token: From ``--token`` or ADMIN_TOKEN; wins over the configured one.

    Raises:
        ConfigurationError: Nobody could be asked so.
    """
    if token and not is_field_value(token):
        raise ConfigurationError(Fault("--token", "cannot be sent: no header can hold it"))
    if url:
        access = AdminAccess.at(url)
    elif find(config_file) is None:
        # All that the environment alone can say of it is the token.
        access = AdminAccess.configured(ServerSettings())
    else:
        access = AdminAccess.configured(load_configuration(config_file).settings.server)
    return replace(access, token=Secret(token)) if token else access


def _message(content: object) -> str:
    """What a refusal says of itself."""
    message = content.get("message", content.get("error")) if isinstance(content, dict) else None
    return f": {shown(message, _MOST_OF_MESSAGE)}" if isinstance(message, str) else ""


def _patience(wait: str) -> str:
    """How long to wait (RFC 9110 section 10.2.3), if it is said in seconds, as a gateway does."""
    is_seconds = wait.isascii() and wait.isdigit() and len(wait) <= _LONGEST_WAIT
    return f" (Retry-After: {wait} s)" if is_seconds else ""
