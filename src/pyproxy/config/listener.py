"""Settings of a listener: ``[[listeners]]``."""

from typing import Final, Literal

from pydantic import Field

from pyproxy.config.bind import Bind, BindText
from pyproxy.config.fields import FilePath, Name
from pyproxy.config.section import Section

DEFAULT_LISTENERS: Final = (
    {
        "bind": "0.0.0.0:5000",
        "certificate": "certs/copilot.crt",
        "private_key": "certs/copilot.key",
    },
)
"""What is served where the configuration names no listener."""


class ListenerSettings(Section):
    """An address that clients connect to."""

    bind: BindText = Field(
        default="0.0.0.0:5000",
        description='"ADDRESS:PORT", "[IPV6]:PORT" or "unix:PATH"; port 0: any that is free.',
    )
    certificate: FilePath = Field(
        default="", description='PEM file of the certificate and its chain; "": plain HTTP.'
    )
    private_key: FilePath = Field(
        default="", description="PEM file of the certificate's private key."
    )
    min_version: Literal["1.2", "1.3"] = Field(
        default="1.2", description="The oldest TLS that is spoken."
    )
    client_ca: FilePath = Field(
        default="", description="PEM file of the authority that clients' certificates must be from."
    )
    proxy_protocol: bool = Field(
        default=False,
        description="Whether a PROXY header of server.trusted_proxies comes before a connection.",
    )
    routes: tuple[Name, ...] = Field(
        default=(), description="Names of the routes that are served here; empty: every route."
    )

    @property
    def is_tls(self) -> bool:
        """Whether TLS is spoken here."""
        return bool(self.certificate)

    @property
    def address(self) -> Bind:
        """Where it listens, taken apart."""
        return Bind.parse(self.bind)
