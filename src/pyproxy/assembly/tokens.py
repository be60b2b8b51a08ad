"""The JWT side of a configuration: what verifies tokens, and what mints them."""

from dataclasses import dataclass
from functools import partial

from pyproxy.assembly.faults import Faults
from pyproxy.config.auth import JwtSettings
from pyproxy.config.files import MOST_OF_KEY_SET, read_file
from pyproxy.errors.fault import Fault
from pyproxy.identity.claims import TokenRules
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.mint import Minter


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """What the files say.

    Attributes:
        verifying: The local set's public halves.
        minter: Signs tokens, if there is a private key.
    """

    verifying: KeySet
    minter: Minter | None

    @property
    def remarks(self) -> tuple[Fault, ...]:
        """The keys that are left out, each with its reason."""
        sets = [self.verifying, *([self.minter.public] if self.minter else [])]
        remarks = [Fault(each.source, str(fault)) for each in sets for fault in each.faults]
        return tuple(dict.fromkeys(remarks))


def issuer_of(jwt: JwtSettings) -> str:
    """The ``iss`` that tokens must have and ours get; empty: none.

    An OpenID issuer's tokens name it (OpenID Connect Core 1.0 section 2), so to
    name the issuer is to ask for it.
    """
    return jwt.issuer or jwt.issuer_url


def token_rules(jwt: JwtSettings) -> TokenRules:
    """What every token must be."""
    return TokenRules(
        issuer=issuer_of(jwt),
        audience=jwt.audience,
        leeway_s=jwt.leeway,
        max_lifetime_s=jwt.max_lifetime,
        algorithms=frozenset(jwt.algorithms),
    )


def read_local_keys(jwt: JwtSettings) -> LocalKeys:
    """Read the key sets that the configuration names.

    Raises:
        ConfigurationError: A file cannot be read or is no key set, or the
            signing keys hold none that can sign; with both files' faults.
    """
    faults = Faults()
    local = LocalKeys(KeySet(), None)
    if jwt.jwks_file:
        local = faults.attempt(partial(_read_verifying, jwt), local)
    if jwt.signing_keys_file:
        minter = faults.attempt(partial(_read_minter, jwt), None)
        local = LocalKeys(local.verifying, minter)
    faults.raise_if_any()
    return local


def _read_verifying(jwt: JwtSettings) -> LocalKeys:
    document = read_file(jwt.jwks_file, MOST_OF_KEY_SET)
    verifying = KeySet.parse(
        document, algorithms=jwt.algorithms, source=jwt.jwks_file, public_only=False
    )
    mints = verifying.has_private_key and not jwt.signing_keys_file
    return LocalKeys(verifying, _minter(jwt, document, jwt.jwks_file) if mints else None)


def _read_minter(jwt: JwtSettings) -> Minter | None:
    document = read_file(jwt.signing_keys_file, MOST_OF_KEY_SET)
    return _minter(jwt, document, jwt.signing_keys_file)


def _minter(jwt: JwtSettings, document: bytes, source: str) -> Minter:
    return Minter.parse(
        document,
        source=source,
        algorithms=jwt.algorithms,
        ttl_s=jwt.ttl,
        issuer=issuer_of(jwt),
        audience=jwt.audience,
    )
