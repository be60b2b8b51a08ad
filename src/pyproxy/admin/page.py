"""The status page, and the policy under which nothing runs but what is in it."""

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_FILE: Final = "page.html"
_INLINE: Final = "<{0}>(.*?)</{0}>"


@dataclass(frozen=True, slots=True)
class Page:
    """One self-contained page.

    Attributes:
        content: HTML, in UTF-8; holds no data, so whoever gets it has learnt nothing.
        policy: Its ``Content-Security-Policy``: its own script and style by their digests,
            questions to where it is from, pictures that it makes itself, nothing else.
    """

    content: bytes
    policy: str


def load_page() -> Page:
    """Read the page that came with the package; once, for it does not change."""
    content = files(__package__).joinpath(_FILE).read_bytes()
    text = content.decode()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(text, 'script')}",
            f"style-src {_digest(text, 'style')}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Page(content, policy)


def _digest(text: str, element: str) -> str:
    """The source expressions of every inline script or style (CSP 3 section 8.3)."""
    inline = re.findall(_INLINE.format(element), text, re.DOTALL)
    digests = (hashlib.sha256(each.encode()).digest() for each in inline)
    return " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests)
