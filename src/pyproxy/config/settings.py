"""The whole configuration, as values."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from pyproxy.config.auth import AuthSettings
from pyproxy.config.bind import Bind
from pyproxy.config.egress import EgressSettings
from pyproxy.config.fields import Name, Some
from pyproxy.config.limit import LimitSettings, with_default_limits
from pyproxy.config.listener import DEFAULT_LISTENERS, ListenerSettings
from pyproxy.config.route import DEFAULT_ROUTES, RouteSettings
from pyproxy.config.section import Section
from pyproxy.config.server import ServerSettings
from pyproxy.config.store import StoreSettings
from pyproxy.config.surface import CorsSettings, EndpointSettings, HeaderSettings
from pyproxy.config.traces import TracesSettings


class MetricsSettings(Section):
    """What is counted."""

    users: bool = Field(
        default=False,
        description="Count by user too, up to 10,000 series; who comes later is 'other'.",
    )


class Settings(Section):
    """Everything that can be configured, defaults filled in."""

    server: ServerSettings = Field(default_factory=ServerSettings, description="The process.")
    listeners: Some[ListenerSettings] = Field(
        default=DEFAULT_LISTENERS,
        validate_default=True,
        description="Addresses that clients connect to.",
    )
    auth: AuthSettings = Field(default_factory=AuthSettings, description="Keys, tokens, bans.")
    rate_limits: Annotated[dict[Name, LimitSettings], BeforeValidator(with_default_limits)] = Field(
        default_factory=dict,
        validate_default=True,
        description="Limits by name; api, auth and health exist always.",
    )
    store: StoreSettings = Field(default_factory=StoreSettings, description="Shared state.")
    endpoints: EndpointSettings = Field(
        default_factory=EndpointSettings, description="The gateway's own paths."
    )
    headers: HeaderSettings = Field(
        default_factory=HeaderSettings, description="Fields on every response."
    )
    cors: CorsSettings = Field(default_factory=CorsSettings, description="Web pages.")
    egress: EgressSettings = Field(default_factory=EgressSettings, description="Where to.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="Counters.")
    traces: TracesSettings = Field(default_factory=TracesSettings, description="Spans.")
    routes: Some[RouteSettings] = Field(
        default=DEFAULT_ROUTES,
        validate_default=True,
        description="Which requests go where; first by longest path, then in this order.",
    )

    @property
    def is_admin_met(self) -> bool:
        """Whether the admin listener's address is one that clients connect to."""
        admin = self.server.admin
        return bool(admin) and any(Bind.parse(admin).meets(each.address) for each in self.listeners)
