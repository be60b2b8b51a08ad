"""Types of the configuration's strings: each text is judged once, while it is read."""

import base64
import binascii
import re
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from pyproxy.config.surroundings import surroundings

_Item = TypeVar("_Item")

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 §5.6.2
# Field content of RFC 9110 §5.5 without obs-text: what is configured can be ASCII.
_FIELD_VALUE: Final = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?", re.ASCII)
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST: Final = re.compile(
    rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\]", re.ASCII
)
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_DOT_SEGMENT: Final = re.compile(r"/\.{1,2}(?:/|$)")
_HTTPS: Final = re.compile(r"https://[A-Za-z0-9._\[\]:-]+(?:/[!-~]*)?", re.ASCII)
_ORIGIN: Final = re.compile(r"\*|https?://[A-Za-z0-9._\[\]:-]+", re.ASCII)
# Those above ASCII that terminals obey (U+009B is Escape and a bracket), that end lines or that
# turn the order of letters around too.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_SHA256_BYTES: Final = 32


def is_field_value(text: str) -> bool:
    """Whether a text may stand in a header field: visible ASCII, spaces inside."""
    return _FIELD_VALUE.fullmatch(text) is not None


def _token(text: str) -> str:
    if _TOKEN.fullmatch(text) is None:
        raise ValueError('must be a header name or method: letters, digits and "-"')
    return text


def _optional_token(text: str) -> str:
    return _token(text) if text else text


def _field_value(text: str) -> str:
    if not is_field_value(text):
        raise ValueError(
            "must be visible ASCII without control characters or spaces at its ends, "
            "for it is sent as a header's value"
        )
    return text


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError('must be a host name such as "api.example.com" or "*.example.com"')
    return text.lower()


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError('must begin with "/"')
    if _PATH.fullmatch(text) is None or "//" in text or _DOT_SEGMENT.search(text):
        raise ValueError('must be a plain path: no "//", no "." or ".." segment, no query')
    return text


def _optional_path(text: str) -> str:
    return _path(text) if text else text


def _https_url(text: str) -> str:
    if text and _HTTPS.fullmatch(text) is None:
        raise ValueError("must be an https:// URL; keys fetched over plain HTTP can be forged")
    return text


def _cors_origin(text: str) -> str:
    if _ORIGIN.fullmatch(text) is None:
        raise ValueError('must be "*" or an origin such as "https://app.example.com", no path')
    return text


def _pin(text: str) -> str:
    digest = text.removeprefix("sha256//")
    try:
        raw = base64.b64decode(digest, validate=True)
    except binascii.Error as reason:
        raise ValueError("must be the base64 of a SHA-256 digest") from reason
    if len(raw) != _SHA256_BYTES:
        raise ValueError("must be the base64 of a SHA-256 digest, which has 32 bytes")
    return digest


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not hold control characters")
    return text


def file_path(text: str, info: ValidationInfo) -> str:
    """Make a path absolute; a setting's own folder is where relative ones begin."""
    _one_line(text)
    return surroundings(info).resolve(text) if text else text


def _some(values: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if not values:
        raise ValueError("must have at least one entry; leave the key out for the default")
    return values


def _whole_number(value: object) -> object:
    # To Python true is the number 1; to the writer of a file it is a mistake.
    if value is True or value is False:
        raise ValueError("must be a whole number")
    return value


Some = Annotated[tuple[_Item, ...], AfterValidator(_some)]
"""A list with at least one entry."""

HeaderName = Annotated[str, AfterValidator(_token)]
"""The name of a header field (RFC 9110 section 5.1)."""

OptionalHeaderName = Annotated[str, AfterValidator(_optional_token)]
"""The name of a header field, or ``""`` for none."""

HeaderValue = Annotated[str, AfterValidator(_field_value)]
"""The value of a header field; ``""`` leaves the field out or removes it."""

Method = Annotated[str, AfterValidator(_token)]
"""A request method; case matters (RFC 9110 section 9.1)."""

HostName = Annotated[str, AfterValidator(_host)]
"""A host name in lower case, without port; a first label ``*`` stands for any."""

UrlPath = Annotated[str, AfterValidator(_path)]
"""A path that begins with a slash and can be read in one way only."""

OptionalUrlPath = Annotated[str, AfterValidator(_optional_path)]
"""A path, or ``""`` for none."""

HttpsUrl = Annotated[str, AfterValidator(_https_url)]
"""An https URL, or ``""`` for none."""

CorsOrigin = Annotated[str, AfterValidator(_cors_origin)]
"""An origin as browsers send it, or ``*``."""

Pin = Annotated[str, AfterValidator(_pin)]
"""The base64 SHA-256 of a public key; curl's ``sha256//`` in front of it is dropped."""

FilePath = Annotated[str, AfterValidator(file_path)]
"""The path of a file, absolute once read; ``""`` for none."""

Line = Annotated[str, AfterValidator(_one_line)]
"""A text without control characters, perhaps empty."""

Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_one_line)]
"""A text without control characters, not empty, at most 256 characters."""

Count = Annotated[int, Field(ge=0), BeforeValidator(_whole_number)]
"""A whole number, zero or more."""

PositiveCount = Annotated[int, Field(ge=1), BeforeValidator(_whole_number)]
"""A whole number, one or more."""
