"""Settings of identity: ``[auth]``, ``[auth.jwt]`` and ``[auth.ban]``."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from pyproxy.config.fields import Count, FilePath, HttpsUrl, Line, Some
from pyproxy.config.quantities import Bytes, PositiveSeconds, Seconds
from pyproxy.config.secret import Secret
from pyproxy.config.section import Section

# RFC 7518 §3.1 and RFC 8037 §3.1 without "none" and the symmetric ones: a key that
# verifies must not be able to sign.
_Asymmetric = Literal[
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"
]
ALGORITHMS: Final[tuple[_Asymmetric, ...]] = (
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
)


def _never_symmetric(value: object) -> object:
    if isinstance(value, str) and (value.upper().startswith("HS") or value.lower() == "none"):
        raise ValueError("is never accepted: whoever can verify such a token can also make one")
    return value


Algorithm = Annotated[_Asymmetric, BeforeValidator(_never_symmetric)]
"""A signature algorithm with a key pair."""


class JwtSettings(Section):
    """Tokens: which are believed, and how ours are made."""

    jwks_file: FilePath = Field(
        default="",
        description="Key set that verifies tokens; left out: jwks.json, then /certs/jwks.json.",
    )
    jwks_url: HttpsUrl = Field(
        default="", description="Where a key set is fetched; wins over the file."
    )
    issuer_url: HttpsUrl = Field(
        default="", description="OpenID issuer whose discovery names the set."
    )
    jwks_ttl: PositiveSeconds = Field(
        default="5m", validate_default=True, description="How often the key set is fetched anew."
    )
    jwks_max_age: PositiveSeconds = Field(
        default="24h",
        validate_default=True,
        description="How old a key set may become that cannot be fetched anew.",
    )
    issuer: Line = Field(default="", description="The iss that tokens must have, and ours get.")
    audience: Line = Field(default="", description="The aud that tokens must have, and ours get.")
    leeway: Seconds = Field(
        default="30s", validate_default=True, description="How far clocks may differ; at most 5m."
    )
    algorithms: Some[Algorithm] = Field(
        default=ALGORITHMS, description="Signature algorithms that are accepted."
    )
    signing_keys_file: FilePath = Field(
        default="",
        description="Private key set that signs our tokens; left out: one in jwks_file does.",
    )
    ttl: PositiveSeconds = Field(
        default="1h", validate_default=True, description="How long our tokens are good for."
    )
    max_lifetime: PositiveSeconds = Field(
        default="24h",
        validate_default=True,
        description="Tokens that are good for longer than this are refused.",
    )

    @property
    def is_configured(self) -> bool:
        """Whether there is any key that a token could be verified with."""
        return bool(self.jwks_file or self.jwks_url or self.issuer_url or self.signing_keys_file)

    @property
    def remote(self) -> tuple[object, ...]:
        """What the remote key set is made of; empty without one."""
        if not self.jwks_url and not self.issuer_url:
            return ()
        return self.jwks_url, self.issuer_url, self.jwks_ttl, self.jwks_max_age, self.algorithms


MOST_FAILURES: Final = 65_535
"""So far failures of an address are counted."""


class BanSettings(Section):
    """When an address that keeps failing is shut out."""

    after: Count = Field(
        default=20,
        le=MOST_FAILURES,
        description="Failed authentications of one address; 0: nobody is ever banned.",
    )
    within: PositiveSeconds = Field(
        default="10m", validate_default=True, description="The time in which they are counted."
    )
    lasting: PositiveSeconds = Field(
        default="15m", validate_default=True, description="How long the ban lasts."
    )


class AuthSettings(Section):
    """Who may come in."""

    keys: tuple[Secret, ...] = Field(default=(), description="API keys in plain.")
    keys_file: FilePath = Field(
        default="", description="File of API keys, hashed; reread when it changes."
    )
    cache_ttl: Seconds = Field(
        default="5m",
        validate_default=True,
        description="How long a verified bcrypt key need not be hashed again.",
    )
    max_header: Bytes = Field(
        default="8KiB", validate_default=True, description="Longest Authorization field; else 400."
    )
    max_token: Bytes = Field(
        default="4KiB", validate_default=True, description="Longest credential; else 400."
    )
    jwt: JwtSettings = Field(default_factory=JwtSettings, description="Tokens.")
    ban: BanSettings = Field(default_factory=BanSettings, description="Bans.")

    @property
    def has_keys(self) -> bool:
        """Whether any API key is configured."""
        return bool(self.keys or self.keys_file)
