"""What is known of an upstream API before anybody configures it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["openai", "anthropic", "plain"]
DialectChooser = Callable[[bytes], Dialect]


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider's defaults; each gives way to what the route configures.

    Attributes:
        name: As in ``provider = "..."``.
        origin: Default upstream; ``""``: it must be configured.
        dialect: Of the gateway's own errors, chosen by the path that the
            upstream would get.
        is_public_api: On the internet, at strangers: no ``Via``, no
            ``X-Forwarded-*``, and its name must not resolve to a private address.
        denied_paths: Patterns of ``routing.pattern.DeniedPaths``, closed beside
            those that the route names.
        request_defaults: Fields added to a request that lacks them; names in
            lower case.
    """

    name: str
    origin: str
    dialect: DialectChooser
    is_public_api: bool = False
    denied_paths: tuple[str, ...] = ()
    request_defaults: tuple[tuple[bytes, bytes], ...] = ()


def always(dialect: Dialect) -> DialectChooser:
    """A chooser for an API that has one dialect on every path."""

    def choose(path: bytes) -> Dialect:
        del path
        return dialect

    return choose
