"""Settings of traces: ``[traces]``."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from pyproxy.config.fields import HeaderName, Name
from pyproxy.config.secret import Secret
from pyproxy.config.section import Section

# No user and no password: a collector's credential goes into `headers`.
_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:/[!-~]*)?",
    re.ASCII,
)
_HIGHEST_PORT: Final = 65535


def is_collector(text: str) -> bool:
    """Whether a text may name a collector: a plain http or https URL."""
    found = _URL.fullmatch(text)
    return found is not None and 0 < int(found["port"] or _HIGHEST_PORT) <= _HIGHEST_PORT


def _endpoint(text: str) -> str:
    if text and not is_collector(text):
        raise ValueError('must be an http or https URL such as "http://127.0.0.1:4318/v1/traces"')
    return text


class TracesSettings(Section):
    """Which requests leave spans, and where they go."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        default="",
        description="URL that takes spans by OTLP over HTTP; empty: none are made. "
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT.",
    )
    sample: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=1.0,
        description="Share of the traces begun here that are recorded; others are as whoever "
        "began them decided.",
    )
    service_name: Name = Field(
        default="pyproxy", description="The name in traces. OTEL_SERVICE_NAME."
    )
    headers: dict[HeaderName, Secret] = Field(
        default_factory=dict, description="Fields sent with the spans, such as a collector's key."
    )
