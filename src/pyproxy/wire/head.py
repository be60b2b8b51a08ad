"""The head of a message: start line and fields, read strictly.

A head is given as the bytes up to and including the empty line. What comes
out keeps each field line as it was sent, so that it can be passed on with its
case, order and spacing, beside an index for decisions.
"""

import re
from dataclasses import dataclass
from typing import Final

from pyproxy.wire.syntax import BARE_CR, BARE_LF, FIELD_LINES, TOKEN_CHARS, VALUE_CHARS, Malformed

# HTTP/1.1 only: another major version has another framing, and a minor version
# above 1 has never been defined (RFC 9112 section 2.3).
_REQUEST_LINE: Final = re.compile(
    rb"([" + TOKEN_CHARS + rb"]++) ([\x21-\x7e]++) HTTP/1\.([01])\r\n"
)
# The reason phrase is optional, and so, by long practice, is the space before it.
_STATUS_LINE: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([" + VALUE_CHARS + rb"]*+))?\r\n"
)
_FIELD: Final = re.compile(rb"(([^:]++):[ \t]*+([^\r]*+)\r\n)")
_TRAILING_SPACE: Final = re.compile(rb"[ \t]+\r\n")

# More fields than any client sends: nginx and Envoy draw the line at 100 to 1,000.
MAX_FIELDS: Final = 200

FieldLine = tuple[bytes, bytes]


@dataclass(slots=True)
class Fields:
    """Field lines in order, and their values by name.

    Attributes:
        lines: ``(lower-case name, the line as sent with its CRLF)``.
        index: Lower-case name to value, white space around it removed; of a
            repeated field the last value.
        repeated: Lower-case names that occur more than once.
    """

    lines: list[FieldLine]
    index: dict[bytes, bytes]
    repeated: frozenset[bytes]


@dataclass(slots=True)
class RequestHead:
    """A request's head.

    Attributes:
        method: As sent; methods are case-sensitive (RFC 9110 section 9.1).
        target: The request target as sent, visible ASCII alone.
        minor: The digit after ``HTTP/1.``.
        lines: See ``Fields``.
        index: See ``Fields``.
        repeated: See ``Fields``.
    """

    method: bytes
    target: bytes
    minor: int
    lines: list[FieldLine]
    index: dict[bytes, bytes]
    repeated: frozenset[bytes]


@dataclass(slots=True)
class ResponseHead:
    """A response's head.

    Attributes:
        status: 100 to 599.
        reason: The reason phrase, perhaps empty.
        minor: The digit after ``HTTP/1.``.
        lines: See ``Fields``.
        index: See ``Fields``.
        repeated: See ``Fields``.
    """

    status: int
    reason: bytes
    minor: int
    lines: list[FieldLine]
    index: dict[bytes, bytes]
    repeated: frozenset[bytes]


_NONE: Final[frozenset[bytes]] = frozenset()


def read_fields(block: bytes) -> Fields:
    """Field lines of a head or a trailer section.

    Args:
        block: Whole lines, each with its CRLF; no empty line at the end.

    Raises:
        Malformed: A line is not ``name:value CRLF`` in the characters of
            RFC 9110 section 5, or there are more than ``MAX_FIELDS``.
    """
    if FIELD_LINES.fullmatch(block) is None:
        raise Malformed("a field line is malformed")
    if b" \r\n" in block or b"\t\r\n" in block:
        block = _TRAILING_SPACE.sub(b"\r\n", block)
    found = _FIELD.findall(block)
    if len(found) > MAX_FIELDS:
        raise Malformed(f"more than {MAX_FIELDS} fields")
    lines = [(name.lower(), line) for line, name, _ in found]
    index = {pair[0]: field[2] for pair, field in zip(lines, found, strict=True)}
    repeated = _NONE if len(index) == len(lines) else _repeated(lines)
    return Fields(lines, index, repeated)


def _repeated(lines: list[FieldLine]) -> frozenset[bytes]:
    seen: set[bytes] = set()
    return frozenset(name for name, _ in lines if name in seen or seen.add(name))  # type: ignore[func-returns-value]


def read_request_head(head: bytes) -> RequestHead:
    """Parse a request's head.

    Args:
        head: Start line, fields and the empty line.

    Raises:
        Malformed: The start line or a field breaks RFC 9112 sections 3 and 5.
    """
    start = _REQUEST_LINE.match(head)
    if start is None:
        raise Malformed("the request line is malformed")
    fields = read_fields(head[start.end() : -2])
    method, target, minor = start.groups()
    return RequestHead(
        method, target, 1 if minor == b"1" else 0, fields.lines, fields.index, fields.repeated
    )


def read_response_head(head: bytes) -> ResponseHead:
    """Parse a response's head.

    Args:
        head: Status line, fields and the empty line.

    Raises:
        Malformed: The status line or a field breaks RFC 9112 sections 4 and 5.
    """
    start = _STATUS_LINE.match(head)
    if start is None:
        raise Malformed("the status line is malformed")
    fields = read_fields(head[start.end() : -2])
    minor, status, reason = start.groups()
    return ResponseHead(
        int(status),
        reason or b"",
        1 if minor == b"1" else 0,
        fields.lines,
        fields.index,
        fields.repeated,
    )


def can_become_a_head(partial: bytes) -> bool:
    """Whether an unfinished head could still turn out well.

    A line that ends in a bare LF, or a CR inside a line, never will; saying so
    at once is kinder than waiting for an end that does not come.
    """
    return BARE_LF.search(partial) is None and BARE_CR.search(partial[:-1]) is None
