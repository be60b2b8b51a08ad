"""Whether a token is good."""

from pyproxy.errors.refusal import InvalidToken
from pyproxy.identity.claims import Claims, TokenRules, read_claims
from pyproxy.identity.compact import Compact, parse_compact
from pyproxy.identity.jwk import VerificationKey
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jws_algorithms import is_signature

__all__ = ["Claims", "TokenRules", "UnknownKey", "verify"]


class UnknownKey(InvalidToken):
    """A token of a key that is not in the set; a fresher set may have it.

    Attributes:
        kid: As the token has it; ``None`` where it names no key and not exactly
            one key fits.
    """

    def __init__(self, kid: str | None) -> None:
        super().__init__(
            "no single key fits a token without kid" if kid is None else "kid is not in the key set"
        )
        self.kid = kid


def verify(token: str, keys: KeySet, rules: TokenRules, wall: float) -> Claims:
    """The claims of a token that is good now.

    The key decides the algorithm; the token can only agree (RFC 8725 §3.1).
    Nothing the claims say is looked at before the signature is known to be good.

    Args:
        token: Compact form, as the client sent it.
        keys: Keys to trust.
        rules: What is asked of the claims.
        wall: Epoch seconds.

    Raises:
        UnknownKey: The key is not in the set.
        ExpiredToken: Its time is past, and everything else is good.
        InvalidToken: Anything else.
    """
    compact = parse_compact(token)
    if compact.alg not in rules.algorithms:
        raise InvalidToken("token's alg is not among the allowed algorithms")
    key = _find_key(compact, keys)
    if not is_signature(key.alg, key.key, compact.signing_input, compact.signature):
        raise InvalidToken("the signature is wrong")
    key_id = key.kid or key.thumbprint
    return read_claims(compact.payload, compact.signing_input, key_id, rules, wall)


def _find_key(compact: Compact, keys: KeySet) -> VerificationKey:
    key = keys.find(compact.kid, compact.alg)
    if key is None:
        raise UnknownKey(compact.kid)
    if key.alg != compact.alg:
        raise InvalidToken("token's alg is not the key's")
    return key
