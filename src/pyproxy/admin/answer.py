"""An answer of the admin listener, and what every one of them carries."""

import json
from dataclasses import dataclass
from typing import Final

from pyproxy.errors.refusal import Field, Refusal
from pyproxy.wire.date import date_line
from pyproxy.wire.status import status_line

JSON: Final = "application/json"
_OK: Final = 200
# Nothing here is a document to be shown, but for the page, which brings its own policy.
POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_BLOCK: Final = (
    b"Cache-Control: no-store\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    Attributes:
        body: The content.
        content_type: Its media type.
        status: HTTP status.
        policy: What a browser may do with it (Content Security Policy).
        fields: Further header fields.
    """

    body: bytes
    content_type: str = JSON
    status: int = _OK
    policy: str = POLICY
    fields: tuple[Field, ...] = ()

    def head(self, wall: float) -> bytes:
        """Status line and fields, without framing and the empty line.

        Args:
            wall: Epoch seconds.
        """
        own = f"Content-Type: {self.content_type}\r\nContent-Security-Policy: {self.policy}\r\n"
        more = b"".join(b"%b: %b\r\n" % pair for pair in self.fields)
        return b"".join(
            (status_line(self.status), own.encode("ascii"), more, _BLOCK, date_line(wall))
        )


def in_json(value: object, status: int = _OK, fields: tuple[Field, ...] = ()) -> Answer:
    """An answer that says ``value``; only what JSON knows may be in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Answer(text.encode("ascii"), status=status, fields=fields)


def refused(refusal: Refusal) -> Answer:
    """An answer to a refused request: its code, and a sentence for a person."""
    body = {"error": refusal.code, "message": refusal.message}
    return in_json(body, refusal.status, refusal.fields)
