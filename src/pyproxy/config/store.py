"""``[store]``: where limits, bans and revocations live."""

from typing import Annotated, Literal

from pydantic import Field

from pyproxy.config.fields import FilePath
from pyproxy.config.quantities import PositiveSeconds
from pyproxy.config.section import Section
from pyproxy.config.store_address import StoreUrl

OnFailure = Literal["local", "deny", "allow"]


class StoreSettings(Section):
    """Where limits, bans and revocations live."""

    url: StoreUrl = Field(
        default="memory:",
        validate_default=True,
        description='"memory:", or "redis://HOST:PORT/DB" across machines; see docs/store.md.',
    )
    ca: FilePath = Field(
        default="", description='PEM file of authorities for rediss://; "": those of the system.'
    )
    certificate: FilePath = Field(
        default="", description="PEM file of our certificate, if the store wants one."
    )
    private_key: FilePath = Field(default="", description="PEM file of our private key.")
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")] = Field(
        default="pyproxy",
        description="What keys in Redis begin with; gateways with the same one share everything.",
    )
    timeout: PositiveSeconds = Field(
        default="100ms",
        validate_default=True,
        description="Longest wait for an answer; after one that is late the store counts as down.",
    )
    on_failure: OnFailure = Field(
        default="local",
        description="Store down: limit in memory, answer 503, or let everything pass.",
    )
