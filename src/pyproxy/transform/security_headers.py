"""The protective fields that every response carries, errors too."""

from dataclasses import dataclass
from typing import Final

HSTS: Final = b"Strict-Transport-Security"


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Whole field lines, made once.

    Attributes:
        over_tls: Lines with their CRLF, for responses over TLS.
        over_plain: Likewise without TLS, where HSTS must not be said
            (RFC 6797 section 7.2).
        names: Lower-case names of which an upstream's own lines are dropped.
    """

    over_tls: bytes
    over_plain: bytes
    names: frozenset[bytes]

    @classmethod
    def of(
        cls,
        *,
        hsts: str,
        frame_options: str,
        content_type_options: str,
        xss_protection: str,
        referrer_policy: str,
        content_security_policy: str,
    ) -> "SecurityHeaders":
        """Compile the section ``[headers]``.

        An empty value leaves its field out, and then an upstream's own passes.
        The values are known to hold no control characters.
        """
        wanted = (
            (HSTS, hsts),
            (b"X-Frame-Options", frame_options),
            (b"X-Content-Type-Options", content_type_options),
            (b"X-XSS-Protection", xss_protection),
            (b"Referrer-Policy", referrer_policy),
            (b"Content-Security-Policy", content_security_policy),
        )
        lines = {name: b"%b: %b\r\n" % (name, value.encode()) for name, value in wanted if value}
        return cls(
            over_tls=b"".join(lines.values()),
            over_plain=b"".join(line for name, line in lines.items() if name != HSTS),
            names=frozenset(name.lower() for name in lines),
        )

    def block(self, *, is_tls: bool) -> bytes:
        """The lines for a response on this kind of connection."""
        return self.over_tls if is_tls else self.over_plain
