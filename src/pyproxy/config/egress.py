"""Settings of what the gateway may connect to, and how: ``[egress]``."""

from typing import Annotated, Final

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from pyproxy.config.proxy import Proxy, ProxySetting
from pyproxy.config.section import Section
from pyproxy.egress.hosts import HostPattern
from pyproxy.egress.spared import Spared, are_spared

_AS_TEXT: Final = PlainSerializer(str, when_used="json")

HostSetting = Annotated[
    HostPattern,
    PlainValidator(HostPattern.parse),
    _AS_TEXT,
    WithJsonSchema({"type": "string", "examples": ["api.openai.com", "*.example.com"]}),
]
"""A host, or every name below one."""

SparedSetting = Annotated[
    Spared,
    PlainValidator(Spared.parse),
    _AS_TEXT,
    WithJsonSchema({"type": "string", "examples": ["example.com", "10.0.0.0/8", "*"]}),
]
"""Hosts that are reached without the proxy."""


class EgressSettings(Section):
    """Where requests may go."""

    allow: tuple[HostSetting, ...] = Field(
        default=(), description='Hosts that upstreams may have, "*.example.com" too; empty: any.'
    )
    proxy: ProxySetting = Field(
        default=None,
        description="HTTP proxy for https upstreams (CONNECT) and key sets: "
        '"http://USER:PASSWORD@HOST:PORT"; http upstreams are reached directly. HTTPS_PROXY.',
    )
    no_proxy: tuple[SparedSetting, ...] = Field(
        default=(),
        description="What is reached without it: hosts, domains, addresses, networks. NO_PROXY.",
    )
    allow_private: bool = Field(
        default=False,
        description="Whether a public provider's name may resolve to a private address.",
    )

    def proxy_for(self, host: str, port: int) -> Proxy | None:
        """The proxy that TLS to this host and port goes through; ``None``: directly."""
        if self.proxy is None or are_spared(self.no_proxy, host, port):
            return None
        return self.proxy
