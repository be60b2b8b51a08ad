"""The characters of HTTP/1.1, as patterns, and the error of a message that breaks them.

Everything here is stricter than the RFCs allow a recipient to be. A gateway
stands between two parsers that may each be lenient in their own way; what it
lets through must have one reading (RFC 9112 section 11.2).
"""

import re
from typing import Final

# RFC 9110 section 5.6.2
TOKEN_CHARS: Final = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
TOKEN: Final = re.compile(rb"[" + TOKEN_CHARS + rb"]+")

# RFC 9110 section 5.5: visible ASCII, obs-text, space and tab; no other control character.
VALUE_CHARS: Final = rb"\t\x20-\x7e\x80-\xff"
VALUE: Final = re.compile(rb"[" + VALUE_CHARS + rb"]*")


class Malformed(ValueError):
    """A message that breaks HTTP/1.1 or could be read in two ways."""
