"""Settings of a route: ``[[routes]]``."""

from typing import Final, Literal

from pydantic import Field

from pyproxy.config.fields import (
    Count,
    FilePath,
    HeaderName,
    HeaderValue,
    HostName,
    Line,
    Method,
    Name,
    OptionalHeaderName,
    OptionalUrlPath,
    Pin,
    PositiveCount,
    UrlPath,
)
from pyproxy.config.network import NetworkSetting
from pyproxy.config.origin import Origins
from pyproxy.config.quantities import Bytes, OptionalBytes, OptionalSeconds, PositiveSeconds
from pyproxy.config.secret import Secret
from pyproxy.config.section import Section
from pyproxy.providers.catalogue import CATALOGUE

Provider = Literal[
    "generic",
    "copilot-api",
    "openai",
    "anthropic",
    "gemini",
    "copilot",
    "azure-openai",
    "elevenlabs",
]
AuthMethod = Literal["key", "jwt", "token", "mtls"]

DEFAULT_ROUTES: Final = ({"name": "copilot", "path": "/", "provider": "copilot-api"},)
"""What is served where the configuration names no route."""

# Each attempt may send the request again; more than these help nobody.
_MOST_RETRIES: Final = 10


class TokenSettings(Section):
    """The secret that callers share with the gateway."""

    header: HeaderName = Field(default="X-Proxy-Token", description="The header it comes in.")
    secret: Secret | None = Field(default=None, description="The secret itself; PROXY_SECRET.")


class CredentialSettings(Section):
    """What the gateway puts into a request for the upstream."""

    header: OptionalHeaderName = Field(default="", description="The header that carries it; or:")
    query: Line = Field(default="", description="The query parameter that carries it.")
    value: Secret | None = Field(
        default=None, description='All of the value: "Bearer ${OPENAI_API_KEY}" for a header.'
    )

    @property
    def is_configured(self) -> bool:
        """Whether anything is injected."""
        return self.value is not None


class HealthSettings(Section):
    """How it is found out whether an upstream works."""

    path: OptionalUrlPath = Field(
        default="", description='What is asked for, from the root of the upstream; "": nothing.'
    )
    interval: PositiveSeconds = Field(
        default="10s", validate_default=True, description="How often."
    )
    timeout: PositiveSeconds = Field(
        default="2s", validate_default=True, description="How long an answer may take."
    )
    unhealthy_after: PositiveCount = Field(
        default=3, description="Failures until it gets no requests."
    )
    healthy_after: PositiveCount = Field(
        default=2, description="Successes until it gets them again."
    )


class UpstreamTlsSettings(Section):
    """TLS towards the upstream; its certificate and name are verified always."""

    ca: FilePath = Field(
        default="", description='PEM file of authorities; "": those of the system.'
    )
    server_name: Line = Field(
        default="", description='The name to ask for and verify; "": its host.'
    )
    certificate: FilePath = Field(
        default="", description="PEM file of our certificate, if it wants one."
    )
    private_key: FilePath = Field(default="", description="PEM file of our private key.")
    pin_sha256: tuple[Pin, ...] = Field(
        default=(),
        description="Base64 SHA-256 of public keys, one of which the upstream must have.",
    )


class RouteSettings(Section):
    """Which requests go where, and who may send them."""

    name: Name = Field(description="What logs, limits and listeners call it.")
    path: UrlPath = Field(
        default="/",
        description='Prefix on segment boundaries: "/openai" takes /openai/x, not /openaix.',
    )
    hosts: tuple[HostName, ...] = Field(default=(), description="Host names; empty: any.")
    methods: tuple[Method, ...] = Field(default=(), description="Methods; empty: any.")
    provider: Provider = Field(default="generic", description="Preset for the kind of upstream.")
    upstream: Origins = Field(
        default=(), description="URL of the upstream, or a list; left out: the provider's own."
    )
    balance: Literal["least-connections", "round-robin"] = Field(
        default="least-connections", description="How one of several upstreams is chosen."
    )
    strip_path: bool = Field(default=True, description="Whether path is removed before forwarding.")
    auth: tuple[AuthMethod, ...] = Field(
        default=("key", "jwt"),
        description="Any of these lets a caller in; empty: open to everybody.",
    )
    token: TokenSettings = Field(
        default_factory=TokenSettings, description='The shared secret of auth = ["token"].'
    )
    credential_from: tuple[HeaderName, ...] = Field(
        default=(),
        description="Set: the caller's credential is looked for in these headers alone, "
        "and all others pass on.",
    )
    allow_from: tuple[NetworkSetting, ...] = Field(
        default=(), description="Networks of clients; empty: any. Checked before anything else."
    )
    users: tuple[Name, ...] = Field(
        default=(), description="Who may use it; empty: every caller let in."
    )
    identity_header: OptionalHeaderName = Field(
        default="",
        description="Header that tells the upstream the caller's name; a client's is removed.",
    )
    models: tuple[Name, ...] = Field(default=(), description="Patterns of models; empty: any.")
    deny_paths: tuple[Name, ...] = Field(
        default=(), description="Patterns of paths closed to everybody, added to the provider's."
    )
    credential: CredentialSettings = Field(
        default_factory=CredentialSettings,
        description="What is injected: { header, value } or { query, value }, or the { value } "
        "alone where the provider knows its place; left out: the provider's own.",
    )
    rate_limits: tuple[Name, ...] = Field(
        default=("api",), description="Names of limits, all of them."
    )
    max_body: OptionalBytes = Field(
        default="", validate_default=True, description="A request's body; left out: the server's."
    )
    max_concurrent: Count = Field(
        default=0, description="Requests of one user at a time; 0: no limit."
    )
    model_peek: Bytes = Field(
        default="64KiB",
        validate_default=True,
        description="How much of a body is searched for the model.",
    )
    connect_timeout: PositiveSeconds = Field(
        default="5s", validate_default=True, description="For a connection, TLS included."
    )
    read_timeout: PositiveSeconds = Field(
        default="620s", validate_default=True, description="Longest silence of the upstream."
    )
    heartbeat: OptionalSeconds = Field(
        default="",
        validate_default=True,
        description="A comment into silent event streams, this often; left out: none.",
    )
    retries: Count = Field(
        default=1,
        le=_MOST_RETRIES,
        description="For failed connects and replayable requests, before any answer.",
    )
    health: HealthSettings = Field(
        default_factory=HealthSettings, description="Checks of the upstream."
    )
    tls: UpstreamTlsSettings = Field(
        default_factory=UpstreamTlsSettings, description="TLS towards the upstream."
    )
    request_headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description='Headers set on the way up; "" removes one.'
    )
    response_headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description='Headers set on the way down; "" removes one.'
    )
    errors: Literal["", "openai", "anthropic", "gemini", "plain"] = Field(
        default="", description="Dialect of the gateway's own errors; left out: the provider's."
    )

    @property
    def missing_credential(self) -> tuple[str, ...]:
        """Variables that could hold the credential without which the provider serves nobody.

        None where one is configured, or where callers bring their own.
        """
        wanted = CATALOGUE[self.provider].credential
        if wanted is None or wanted.is_optional or self.credential_from:
            return ()
        return () if self.credential.is_configured else wanted.variables
