"""What is allowed and unwise."""

from collections.abc import Iterator
from typing import Final

from pyproxy.config.bind import Bind
from pyproxy.config.finding import Finding
from pyproxy.config.secret import LITERAL
from pyproxy.config.settings import Settings

# 16 random characters of base64 hold 96 bits; whatever is shorter may be guessed.
_SHORTEST_KEY: Final = 16


def remarks_on(settings: Settings) -> tuple[Finding, ...]:
    """Find what should be changed, though it can be served."""
    return (*_plain_http(settings), *_open_routes(settings), *_weak_keys(settings))


def _plain_http(settings: Settings) -> Iterator[Finding]:
    for i, listener in enumerate(settings.listeners):
        if not listener.is_tls and Bind.parse(listener.bind).is_public:
            yield Finding(
                ("listeners", i, "bind"),
                "is plain HTTP on a public address: keys can be read on the way; "
                "add a certificate, or listen on a private address",
            )


def _open_routes(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        is_public = any(
            Bind.parse(listener.bind).is_public and not listener.client_ca
            for listener in settings.listeners
            if not listener.routes or route.name in listener.routes
        )
        if is_public and not route.auth and not route.allow_from:
            yield Finding(
                ("routes", i, "auth"),
                "is open to everybody on a public address; name a way in, or use allow_from",
            )


def _weak_keys(settings: Settings) -> Iterator[Finding]:
    for i, key in enumerate(settings.auth.keys):
        if key.origin == LITERAL:
            yield Finding(
                ("auth", "keys", i),
                "is a key in plain text in the configuration; `pyproxy keys new` makes one whose "
                "hash is all that is kept",
            )
        if len(key.reveal()) < _SHORTEST_KEY:
            yield Finding(
                ("auth", "keys", i),
                f"is shorter than {_SHORTEST_KEY} characters and may be guessed",
            )
    for i, route in enumerate(settings.routes):
        secret = route.token.secret
        if secret and "token" in route.auth and len(secret.reveal()) < _SHORTEST_KEY:
            yield Finding(
                ("routes", i, "token", "secret"),
                f"is shorter than {_SHORTEST_KEY} characters and may be guessed",
            )
