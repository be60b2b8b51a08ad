"""Which web pages may read responses (the Fetch standard, "CORS protocol")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# An upstream's own are removed whatever is configured: who may read the
# gateway's responses is the gateway's to say.
UPSTREAM_FIELDS: Final = frozenset(
    {
        b"access-control-allow-credentials",
        b"access-control-allow-headers",
        b"access-control-allow-methods",
        b"access-control-allow-origin",
        b"access-control-allow-private-network",
        b"access-control-expose-headers",
        b"access-control-max-age",
        b"timing-allow-origin",
    },
)

_VARY: Final = b"Vary: Origin\r\n"
# What SDKs in a browser read to decide on a retry, beside the safelisted fields.
_EXPOSED: Final = b"Access-Control-Expose-Headers: Retry-After, X-Request-Id, X-Should-Retry\r\n"


@dataclass(frozen=True, slots=True)
class Cors:
    """Whole field lines by origin, made once; nothing of a request is echoed.

    Credentials in the sense of browsers (cookies) are never allowed: a page
    must hold its own key and send it.

    Attributes:
        is_on: Some origin may read responses.
        allowed: Lines that allow an origin, by the Origin field's value.
        otherwise: Lines for every other origin, and for none.
        permissions: What a preflight's answer adds for an allowed origin.
    """

    is_on: bool
    allowed: Mapping[bytes, bytes]
    otherwise: bytes
    permissions: bytes

    @classmethod
    def of(
        cls,
        *,
        origins: Sequence[str],
        methods: Sequence[str],
        headers: Sequence[str],
        max_age_s: float,
    ) -> "Cors":
        """Compile the section ``[cors]``.

        Args:
            origins: Exact, or ``*`` for any; empty: no page may read anything.
            methods: Granted in a preflight.
            headers: Likewise.
            max_age_s: How long a browser may remember it.
        """
        if "*" in origins:
            allowed: dict[bytes, bytes] = {}
            otherwise = _allow(b"*")
        else:
            names = [origin.encode() for origin in origins]
            allowed = {name: _allow(name) + _VARY for name in names}
            # A cache must not give the answer of one origin to another.
            otherwise = _VARY if names else b""
        return cls(
            is_on=bool(origins),
            allowed=allowed,
            otherwise=otherwise,
            permissions=_permissions(methods, headers, max_age_s),
        )

    def is_preflight(self, method: bytes, index: Mapping[bytes, bytes]) -> bool:
        """Whether a browser asks first; it sends no credential, so none can be required.

        Args:
            method: Of the request.
            index: Its field values by lower-case name.
        """
        return (
            self.is_on
            and method == b"OPTIONS"
            and b"origin" in index
            and b"access-control-request-method" in index
        )

    def preflight_block(self, origin: bytes) -> bytes:
        """Lines of the 204 that answers a preflight; a stranger's grants nothing."""
        lines = self.response_block(origin)
        return lines if lines in {b"", _VARY} else lines + self.permissions

    def response_block(self, origin: bytes | None) -> bytes:
        """Lines of any other response, errors too.

        Args:
            origin: The Origin field's value, ``None`` without one. Compared
                exactly: browsers send it in one spelling (RFC 6454 section 6.2).
        """
        return self.allowed.get(origin, self.otherwise) if origin is not None else self.otherwise


def _allow(origin: bytes) -> bytes:
    return b"Access-Control-Allow-Origin: %b\r\n" % origin + _EXPOSED


def _permissions(methods: Sequence[str], headers: Sequence[str], max_age_s: float) -> bytes:
    return (
        f"Access-Control-Allow-Methods: {', '.join(methods)}\r\n"
        f"Access-Control-Allow-Headers: {', '.join(headers)}\r\n"
        f"Access-Control-Max-Age: {int(max_age_s)}\r\n"
    ).encode()
