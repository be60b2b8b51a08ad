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
        is_own: Whether ``key`` is the caller's own of the provider's.
    """

    key: Blank | None
    field: Variable | None = None
    is_own: bool = False

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """All that is to be filled in."""
        found = (self.key, None if self.field is None else self.field.blank)
        return tuple(blank for blank in found if blank is not None)


def proof_of(route: RouteSettings) -> Proof:
    """What a route's callers need."""
    wanted = CATALOGUE[route.provider].credential
    is_optional = wanted is not None and wanted.is_optional
    if route.credential.is_configured or not (route.credential_from or is_optional):
        return _with_ours(route)
    return Proof(_own_key(route.provider), _beside(route, "Authorization", "Bearer "), is_own=True)


def _with_ours(route: RouteSettings) -> Proof:
    """Where no key of the provider's is wanted of anybody, its place is free for ours."""
    beside = _beside(route)
    is_by_key = beside is None and bool(_OURS & {*route.auth})
    return Proof(GATEWAY_KEY if is_by_key else None, beside)


def _beside(route: RouteSettings, place: str = "", scheme: str = "") -> Variable | None:
    """The field of its own that our credential is in.

    Args:
        route: Whose.
        place: Where keys and tokens are if the route names no field; empty: none is.
        scheme: What stands before them there.
    """
    if _OURS & {*route.auth}:
        if route.credential_from:
            place, scheme = route.credential_from[0], ""
        return Variable(place, f"{scheme}{GATEWAY_KEY.text}", GATEWAY_KEY) if place else None
    if "token" in route.auth:
        return Variable(route.token.header, SHARED_SECRET.text, SHARED_SECRET)
    return None


def _own_key(provider: str) -> Blank:
    name = provider.upper().replace("-", "_")
    meaning = "your own key of the provider's, which passes through"
    return Blank(f"YOUR_{name}_KEY", f"{provider}-key", meaning)
