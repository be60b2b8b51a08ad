"""The two ways to a provider: straight with its own key, and through the gateway with ours."""

import http.client
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from pyproxy.wire.hop_by_hop import HOP_BY_HOP
from tests.providers.upstream import PATIENCE_S

VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "azure-openai": "AZURE_OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "copilot": "COPILOT_GITHUB_TOKEN",
    "elevenlabs": "ELEVENLABS_API_KEY",
}
CONFIG = """
[server]
admin = "127.0.0.1:0"
[server.log]
level = "debug"
audit = "audit.jsonl"
[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
[auth]
keys_file = "keys"
[rate_limits.api]
rate = "1000r/s"
burst = 1000
[rate_limits.auth]
rate = "1000r/s"
burst = 1000
"""
# To each provider three routes: with a key of ours, with a shared secret, open to everybody.
ROUTES = """
[[routes]]
name = "{name}"
path = "/{name}"
provider = "{name}"
upstream = "{url}"
tls = {{ ca = "{authority}" }}
[[routes]]
name = "shared-{name}"
path = "/shared/{name}"
provider = "{name}"
upstream = "{url}"
tls = {{ ca = "{authority}" }}
auth = ["token"]
token = {{ header = "X-Proxy-Token", secret = "${{PROXY_SECRET}}" }}
[[routes]]
name = "open-{name}"
path = "/open/{name}"
provider = "{name}"
upstream = "{url}"
tls = {{ ca = "{authority}" }}
auth = []
"""
# What a connection's two ends say to each other alone; the id is the gateway's own.
OF_THIS_HOP = {name.decode() for name in HOP_BY_HOP} | {"host", "x-request-id"}
CREDENTIALS = {"authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"}
# The nonce of a WebSocket is new each time (RFC 6455 section 4.1).
NEW_EACH_TIME = {"sec-websocket-key"}


@dataclass(frozen=True)
class Way:
    """How clients reach the providers.

    Attributes:
        url: Of an API, by its provider's name.
        key: What a client shows there, likewise.
        secret: Of the routes that want the shared one.
        look: Asks the gateway's admin listener for a path, with and without its token.
        tls: Of clients.
        authorities: File of the certificates that they trust.
    """

    url: Callable
    key: Callable
    tls: ssl.SSLContext
    authorities: str
    secret: str = ""
    look: Callable = print

    def ask(self, name, method, path, fields=None, body=None):
        """Status, fields and body of one plain request to an API."""
        host, _, base = self.url(name).removeprefix("https://").partition("/")
        target = f"/{base}{path}" if base else path
        connection = http.client.HTTPSConnection(host, context=self.tls, timeout=PATIENCE_S)
        with closing(connection):
            connection.request(method, target, body, fields or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


def configuration(plays, authority):
    """A gateway's, with routes to each play."""
    routes = [
        ROUTES.format(name=name, url=play.url, authority=authority) for name, play in plays.items()
    ]
    return CONFIG + "".join(routes)


def travelled(asked):
    """Fields that are for the provider, in order, without the credential's."""
    return [
        (name, "" if name in NEW_EACH_TIME else value)
        for name, value in asked.fields
        if name not in OF_THIS_HOP | CREDENTIALS
    ]


def credentials(asked):
    """Fields that a credential could stand in."""
    return [(name, value) for name, value in asked.fields if name in CREDENTIALS]


def unlike(straight, through):
    """What became of a request on its way through the gateway; empty if nothing did.

    Its credential is not compared: a provider may take its key in more than one place.
    """
    pairs = {
        "method": (straight.method, through.method),
        "target": (straight.target, through.target),
        "body": (straight.body, through.body),
        "fields": (travelled(straight), travelled(through)),
        "messages": (straight.messages, through.messages),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
