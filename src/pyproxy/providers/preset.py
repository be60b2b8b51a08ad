"""What is known of an upstream API before anybody configures it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["openai", "anthropic", "plain"]
DialectChooser = Callable[[bytes], Dialect]


@dataclass(frozen=True, slots=True)
class CredentialTemplate:
    """How a provider wants its credential.

    Attributes:
        place: Where it is put.
        name: Field name in lower case, or query parameter.
        template: The value, with ``{}`` where the secret goes.
        variables: Environment variables it may come from, first set first.
    """

    place: Literal["header", "query"]
    name: str
    template: str = "{}"
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider's defaults; each gives way to what the route configures.

    Attributes:
        name: As in ``provider = "..."``.
        origin: Default upstream; ``""``: it must be configured.
        dialect: Of the gateway's own errors, chosen by the path that the
            upstream would get.
        credential: What is injected; ``None``: nothing.
        is_credential_required: Without one configured the route answers 503;
            otherwise the client's own passes through.
        is_public_api: On the internet, at strangers: no ``Via``, no
            ``X-Forwarded-*``, and its name must not resolve to a private address.
        denied_paths: Patterns of ``routing.pattern.DeniedPaths``, closed beside
            those that the route names.
        removed_response_fields: Lower-case names that never reach a client.
        request_defaults: Fields added to a request that lacks them; names in
            lower case.
        required_prefix: Put before a path that does not have it yet; ``b""``: none.
        credential_parameters: Query parameters in which clients of this API send
            their credential.
    """

    name: str
    origin: str
    dialect: DialectChooser
    credential: CredentialTemplate | None = None
    is_credential_required: bool = False
    is_public_api: bool = False
    denied_paths: tuple[str, ...] = ()
    removed_response_fields: frozenset[bytes] = frozenset()
    request_defaults: tuple[tuple[bytes, bytes], ...] = ()
    required_prefix: bytes = b""
    credential_parameters: tuple[str, ...] = ()

    def with_prefix(self, path: bytes) -> bytes:
        """The path with the prefix that this API wants, once."""
        prefix = self.required_prefix
        if not prefix or path == prefix or path.startswith(prefix + b"/"):
            return path
        return prefix + path


def always(dialect: Dialect) -> DialectChooser:
    """A chooser for an API that has one dialect on every path."""

    def choose(path: bytes) -> Dialect:
        del path
        return dialect

    return choose
