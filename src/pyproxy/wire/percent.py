"""Percent-encoding (RFC 3986 section 2.1)."""

import re
from typing import Final

# UTF-8 in more octets than it needs, in which careless decoders read "." and "/" (RFC 3629
# section 10): 0xC0 and 0xC1 begin nothing else, the others with these octets behind them.
OVERLONG: Final = rb"[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]|\xf8[\x80-\x87]|\xfc[\x80-\x83]"

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
# A space at either end too: a recipient strips it, and would read another text.
_OTHERS: Final = re.compile(rb"[^A-Za-z0-9\-._~@ ]|^ | \Z")
_RESERVED: Final = re.compile(rb"[^A-Za-z0-9\-._~]")


def percent_decoded(text: bytes) -> bytes:
    """The text decoded once; a broken escape stays as it is."""
    return _ESCAPE.sub(_octet, text) if b"%" in text else text


def percent_encoded(text: str) -> bytes:
    """Any text as visible ASCII and spaces inside, every other octet of its UTF-8 escaped.

    No two texts become the same, whatever a recipient strips.
    """
    return _OTHERS.sub(_escape, text.encode("utf-8", "surrogatepass"))


def query_encoded(text: str) -> bytes:
    """The name or value of a query parameter, all but unreserved characters escaped."""
    return _RESERVED.sub(_escape, text.encode("utf-8", "surrogatepass"))


def _escape(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode("ascii"))
