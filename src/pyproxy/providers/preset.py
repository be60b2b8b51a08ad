"""What is known of an upstream API before anybody configures it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from pyproxy.models.place import IN_BODY, ModelPlace

Dialect = Literal["openai", "anthropic", "gemini", "plain"]
DialectChooser = Callable[[bytes], Dialect]

_MESSAGES: Final = b"/v1/messages"
# People copy the whole header into the variable that wants the credential alone.
_BEFORE_KEY: Final = re.compile(r"\s*(?:(?:bearer|token)(?:\s+|\Z))*", re.IGNORECASE)


def _no_scheme(variable: str, host: str) -> str:
    del variable, host
    return ""


def _bearer(variable: str, host: str) -> str:
    del variable, host
    return "Bearer"


@dataclass(frozen=True, slots=True)
class ProviderCredential:
    """How an API wants to be shown its key.

    Attributes:
        header: The field that carries it.
        variables: Of the environment; the first that is set holds the key.
        scheme: What stands before the key, by the variable that held it (``""``: it was
            configured) and the upstream's host; ``""`` for nothing.
        is_optional: Without a key the client's own passes through; else nothing passes.
    """

    header: str
    variables: tuple[str, ...]
    scheme: Callable[[str, str], str] = _no_scheme
    is_optional: bool = False

    def value(self, key: str, variable: str, host: str) -> str:
        """The field's value.

        Args:
            key: As it was given; a scheme before it, and space around it, do not count.
            variable: That it is from, or ``""``.
            host: The upstream's.

        Returns:
            ``""`` if there is no key: nothing, space, or a scheme alone.
        """
        key = _BEFORE_KEY.sub("", key, count=1).strip()
        scheme = self.scheme(variable, host)
        return f"{scheme} {key}" if scheme and key else key


def bearer(*variables: str) -> ProviderCredential:
    """``Authorization: Bearer KEY`` (RFC 6750 section 2.1)."""
    return ProviderCredential("Authorization", variables, _bearer)


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider's defaults; each gives way to what the route configures.

    Attributes:
        name: As in ``provider = "..."``.
        origin: Default upstream; ``""``: it must be configured.
        dialect: Of the gateway's own errors, chosen by the path that the
            upstream would get.
        credential: What the gateway injects, if the API wants a key.
        target_variable: Of the environment, names another upstream; ``""``: none does.
        derived_from: A variable of the environment, and what upstream follows from its
            value (``""``: the default).
        version: The beginning of every path, added where a client leaves it out.
        is_public_api: On the internet, at strangers: no ``Via``, no
            ``X-Forwarded-*``, no cookies, and its name must not resolve to a private address.
        denied_paths: Patterns of ``routing.pattern.DeniedPaths``, closed beside
            those that the route names.
        credential_paths: Likewise, but only where the gateway injects a key: what answers
            there is a credential too, or an address that needs none.
        request_defaults: Fields added to a request that lacks them.
        model: Where requests name theirs.
    """

    name: str
    origin: str
    dialect: DialectChooser
    credential: ProviderCredential | None = None
    target_variable: str = ""
    derived_from: tuple[str, Callable[[str], str]] | None = None
    version: str = ""
    is_public_api: bool = False
    denied_paths: tuple[str, ...] = ()
    credential_paths: tuple[str, ...] = ()
    request_defaults: tuple[tuple[bytes, bytes], ...] = ()
    model: ModelPlace = IN_BODY


def with_all_below(*patterns: str) -> tuple[str, ...]:
    """Patterns of these paths, and of every path below them."""
    return tuple(each for pattern in patterns for each in (pattern, f"{pattern}/*"))


def always(dialect: Dialect) -> DialectChooser:
    """A chooser for an API that has one dialect on every path."""

    def choose(path: bytes) -> Dialect:
        del path
        return dialect

    return choose


def openai_or_anthropic(path: bytes) -> Dialect:
    """Anthropic's on ``/v1/messages`` and below, OpenAI's everywhere else."""
    if path.startswith(_MESSAGES) and path[len(_MESSAGES) :][:1] in {b"", b"/"}:
        return "anthropic"
    return "openai"
