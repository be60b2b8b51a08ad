"""What every client sees: ``[endpoints]``, ``[headers]`` and ``[cors]``."""

from pydantic import Field

from pyproxy.config.fields import CorsOrigin, HeaderName, HeaderValue, Method, OptionalUrlPath
from pyproxy.config.quantities import Seconds
from pyproxy.config.section import Section


class EndpointSettings(Section):
    """Paths of the gateway's own; ``""`` turns one off."""

    token: OptionalUrlPath = Field(
        default="/token", description="Exchanges an API key for a token."
    )
    verify: OptionalUrlPath = Field(
        default="/verify", description="Answers another proxy's auth request."
    )
    health: OptionalUrlPath = Field(
        default="/health", description="Says whether the gateway serves."
    )
    jwks: OptionalUrlPath = Field(
        default="/.well-known/jwks.json", description="Public halves of the signing keys."
    )


class HeaderSettings(Section):
    """Fields on every response, errors too; ``""`` leaves one out."""

    hsts: HeaderValue = Field(
        default="max-age=63072000; includeSubDomains; preload",
        description="Strict-Transport-Security; over TLS only.",
    )
    frame_options: HeaderValue = Field(default="DENY", description="X-Frame-Options.")
    content_type_options: HeaderValue = Field(
        default="nosniff", description="X-Content-Type-Options."
    )
    xss_protection: HeaderValue = Field(default="1; mode=block", description="X-XSS-Protection.")
    referrer_policy: HeaderValue = Field(
        default="strict-origin-when-cross-origin", description="Referrer-Policy."
    )
    content_security_policy: HeaderValue = Field(
        default="default-src 'none'; frame-ancestors 'none'", description="Content-Security-Policy."
    )


class CorsSettings(Section):
    """Which web pages may call (Fetch standard, CORS protocol)."""

    origins: tuple[CorsOrigin, ...] = Field(
        default=(), description='Origins such as "https://app.example.com"; empty: no page may.'
    )
    methods: tuple[Method, ...] = Field(
        default=("GET", "POST", "OPTIONS"), description="Methods that pages may use."
    )
    headers: tuple[HeaderName, ...] = Field(
        default=("Authorization", "Content-Type"), description="Headers that pages may send."
    )
    max_age: Seconds = Field(
        default="10m", validate_default=True, description="How long browsers remember this."
    )
