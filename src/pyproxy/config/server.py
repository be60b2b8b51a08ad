"""Settings of the process: ``[server]`` and ``[server.log]``."""

from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from pyproxy.config.bind import OptionalBindText
from pyproxy.config.fields import Count, HeaderValue, PositiveCount
from pyproxy.config.log_target import LogTarget
from pyproxy.config.network import TrustedNetwork
from pyproxy.config.quantities import Bytes, PositiveSeconds, Seconds
from pyproxy.config.secret import Secret
from pyproxy.config.section import Section

AUTO = "auto"
_MOST_WORKERS = 1024


def _workers(value: object) -> int | str:
    if value == AUTO:
        return AUTO
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= _MOST_WORKERS:
        raise ValueError(f'must be a whole number from 1 to {_MOST_WORKERS}, or "auto"')
    return int(text)


Workers = Annotated[
    int | Literal["auto"],
    PlainValidator(_workers),
    PlainSerializer(lambda workers: workers, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": _MOST_WORKERS}, {"const": AUTO}]}
    ),
]


class LogSettings(Section):
    """What is written down, and where."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much the gateway says of itself."
    )
    format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or lines for people."
    )
    access: bool = Field(default=True, description="Whether every request gets a line.")
    audit: LogTarget = Field(
        default="stderr",
        description="Where security events go, JSON always: stderr, stdout, a file's path, "
        '"syslog:" or "journald:" (perhaps with a socket\'s path behind it), '
        '"syslog://HOST:PORT" (UDP) or "syslog+tcp://HOST:PORT".',
    )


class ServerSettings(Section):
    """The process and its connections."""

    workers: Workers = Field(default=1, description='Processes; "auto": one per CPU.')
    drain: Seconds = Field(
        default="30s",
        validate_default=True,
        description="How long open requests may take to end when the gateway stops.",
    )
    trusted_proxies: tuple[TrustedNetwork, ...] = Field(
        default=(), description="Networks whose X-Forwarded-For (and PROXY header) is believed."
    )
    admin: OptionalBindText = Field(
        default="127.0.0.1:9100",
        description='Where metrics, readiness and status are served; "" for nowhere.',
    )
    admin_token: Secret | None = Field(
        default=None,
        description="What a request to the admin listener must show as its Bearer; required "
        "where that listens on a public address.",
    )
    max_connections: PositiveCount = Field(
        default=10000, description="Open client connections per worker; further ones wait."
    )
    max_connections_per_ip: Count = Field(
        default=0, description="Open connections of one client address; 0: no limit."
    )
    header_timeout: PositiveSeconds = Field(
        default="10s",
        validate_default=True,
        description="For the TLS handshake and a request's head together.",
    )
    idle_timeout: PositiveSeconds = Field(
        default="75s",
        validate_default=True,
        description="How long a kept-alive connection may wait for its next request.",
    )
    max_header_size: Bytes = Field(
        default="16KiB",
        validate_default=True,
        description="All header fields of a request together; more is answered 431.",
    )
    max_body: Bytes = Field(
        default="100MB",
        validate_default=True,
        description="A request's body; more is answered 413.",
    )
    decoy_server_header: HeaderValue = Field(
        default="", description='What the Server field of responses says; "" sends none.'
    )
    log: LogSettings = Field(default_factory=LogSettings, description="Logs.")

    @property
    def is_admin_written(self) -> bool:
        """Whether somebody asked for the admin listener, or it is there by default."""
        return "admin" in self.model_fields_set
