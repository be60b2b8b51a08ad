"""What a client shows at a route's door, and where; blanks stand for what is secret."""

from dataclasses import dataclass
from typing import Final

from pyproxy.config.route import RouteSettings
from pyproxy.providers.catalogue import CATALOGUE

# Clients insist on a key; where none is looked at, this one does, and gives nothing away.
PLACEHOLDER: Final = "placeholder-token-for-credential-isolation"
_OURS: Final = frozenset({"key", "jwt"})


@dataclass(frozen=True, slots=True)
class Blank:
    """Something secret, for the client to fill in.

    Attributes:
        text: What stands there instead.
        item: What holds it in a secret of Kubernetes.
        meaning: What it is, as the end of a sentence.
    """

    text: str
    item: str
    meaning: str


GATEWAY_KEY: Final = Blank(
    "YOUR_GATEWAY_KEY", "key", "a key of the gateway's ('pyproxy keys new NAME' makes one) or a JWT"
)
SHARED_SECRET: Final = Blank(
    "YOUR_PROXY_SECRET", "proxy-secret", "the secret that the gateway has in PROXY_SECRET"
)
PROVIDER_KEY: Final = Blank(
    "YOUR_PROVIDER_KEY", "provider-key", "your own key of the provider's, which passes through"
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of an environment, or of a request's head.

    Attributes:
        name: Its name.
        value: Its value, with the text of ``blank`` in it.
        blank: What is to be filled in; None: nothing is.
    """

    name: str
    value: str
    blank: Blank | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """How a route wants to be shown who asks.

    Attributes:
        key: What goes where clients of the API have their key; None: any does.
        field: A field that every request must have besides.
    """

    key: Blank | None
    field: Variable | None

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """All that is to be filled in."""
        found = (self.key, None if self.field is None else self.field.blank)
        return tuple(blank for blank in found if blank is not None)


def proof_of(route: RouteSettings) -> Proof:
    """What a route's callers need."""
    wanted = CATALOGUE[route.provider].credential
    is_optional = wanted is not None and wanted.is_optional
    is_own = not route.credential.is_configured and (bool(route.credential_from) or is_optional)
    if _OURS & {*route.auth}:
        return _by_key(route, is_own=is_own)
    if "token" in route.auth:
        secret = Variable(route.token.header, SHARED_SECRET.text, SHARED_SECRET)
        return Proof(PROVIDER_KEY if is_own else None, secret)
    return Proof(PROVIDER_KEY if is_own else None, None)


def _by_key(route: RouteSettings, *, is_own: bool) -> Proof:
    """A key of ours takes the place of the provider's, or stands beside the client's own."""
    theirs = PROVIDER_KEY if is_own else None
    if route.credential_from:
        return Proof(theirs, Variable(route.credential_from[0], GATEWAY_KEY.text, GATEWAY_KEY))
    if is_own:
        value = f"Bearer {GATEWAY_KEY.text}"
        return Proof(theirs, Variable("Authorization", value, GATEWAY_KEY))
    return Proof(GATEWAY_KEY, None)
