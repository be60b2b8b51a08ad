"""A connection that could not be made, and how far it went."""

from typing import Literal

from pyproxy.config.proxy import Proxy
from pyproxy.errors.refusal import UpstreamUnreachable

Step = Literal["name", "connection", "tunnel", "tls"]
"""What is done, one after the other: a look-up, a dial, a proxy's answer, a handshake."""

_LATE = "took too long"


class Unreached(UpstreamUnreachable):
    """No connection to the upstream.

    Attributes:
        step: Where it ended.
        why: Without saying so.
    """

    def __init__(self, detail: str, step: Step, why: str) -> None:
        super().__init__(detail)
        self.step = step
        self.why = why

    @classmethod
    def late(cls, step: Step, proxy: Proxy | None) -> "Unreached":
        """The time was over during a step."""
        return cls(f"{_doing(step, proxy)} {_LATE}", step, _LATE)

    @classmethod
    def broken(cls, step: Step, proxy: Proxy | None, why: str) -> "Unreached":
        """A step failed."""
        is_proxys = proxy is not None and step != "tls"
        whereto = f" to the proxy {proxy.name}" if proxy and is_proxys else ""
        return cls(f"connecting{whereto} failed: {why}", step, why)


def _doing(step: Step, proxy: Proxy | None) -> str:
    match step, proxy:
        case "tls", _:
            return "the TLS handshake"
        case "name", None:
            return "resolving the name"
        case _, None:
            return "connecting"
        case "name", _:
            return f"resolving the name of the proxy {proxy.name}"
        case "tunnel", _:
            return f"the answer of the proxy {proxy.name}"
        case _:
            return f"connecting to the proxy {proxy.name}"
