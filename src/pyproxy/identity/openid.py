"""Where an OpenID provider keeps its keys (OpenID Connect Discovery 1.0)."""

from pyproxy.identity.jwks import BadKeySet
from pyproxy.identity.strict_json import BadJson, parse_object


def discovery_url(issuer_url: str) -> str:
    """Where the issuer describes itself (§4.1: a last slash is removed first)."""
    return f"{issuer_url.removesuffix('/')}/.well-known/openid-configuration"


def read_jwks_uri(document: bytes, issuer_url: str) -> str:
    """Where the issuer's keys are.

    The address is not judged here: whoever fetches it takes https only.

    Args:
        document: What ``discovery_url`` answered.
        issuer_url: As configured; the document must name itself so, to the
            letter (§4.3), lest one provider speak for another.

    Raises:
        BadKeySet: The document is malformed, or another issuer's.
    """
    try:
        members = parse_object(document)
    except BadJson as exc:
        raise BadKeySet(issuer_url, f"not an OpenID configuration: {exc}") from exc
    if members.get("issuer") != issuer_url:
        raise BadKeySet(issuer_url, "the OpenID configuration is another issuer's")
    address = members.get("jwks_uri")
    if not isinstance(address, str):
        raise BadKeySet(issuer_url, "the OpenID configuration has no jwks_uri")
    return address
