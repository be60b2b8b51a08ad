"""The JWT side of a configuration: what verifies tokens, and what mints them."""

from dataclasses import dataclass
from pathlib import Path

from pyproxy.config.auth import JwtSettings
from pyproxy.errors.fault import ConfigurationError, Fault
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


def token_rules(jwt: JwtSettings) -> TokenRules:
    """What every token must be."""
    return TokenRules(
        issuer=jwt.issuer,
        audience=jwt.audience,
        leeway_s=jwt.leeway,
        max_lifetime_s=jwt.max_lifetime,
        algorithms=frozenset(jwt.algorithms),
    )


def read_local_keys(jwt: JwtSettings) -> LocalKeys:
    """Read the key sets that the configuration names.

    Raises:
        ConfigurationError: A file cannot be read or is no key set, or the
            signing keys hold none that can sign.
    """
    verifying = KeySet()
    minter = None
    if jwt.jwks_file:
        document = _read(jwt.jwks_file)
        verifying = KeySet.parse(
            document, algorithms=jwt.algorithms, source=jwt.jwks_file, public_only=False
        )
        if verifying.has_private_key and not jwt.signing_keys_file:
            minter = _minter(jwt, document, jwt.jwks_file)
    if jwt.signing_keys_file:
        minter = _minter(jwt, _read(jwt.signing_keys_file), jwt.signing_keys_file)
    return LocalKeys(verifying, minter)


def _minter(jwt: JwtSettings, document: bytes, source: str) -> Minter:
    return Minter.parse(
        document,
        source=source,
        algorithms=jwt.algorithms,
        ttl_s=jwt.ttl,
        issuer=jwt.issuer,
        audience=jwt.audience,
    )


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        problem = f"cannot be read: {(exc.strerror or 'error').lower()}"
        raise ConfigurationError(Fault(path, problem)) from exc
