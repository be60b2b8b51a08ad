"""The head of a message: start line and fields, read strictly.

A head is given as the bytes up to and including the empty line. What comes
out keeps each field line as it was sent but for white space at its end, so
that it can be passed on with its case, order and spacing, beside an index for
decisions.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.wire.syntax import TOKEN_CHARS, VALUE_CHARS, Malformed

# HTTP/1.1 only: another major version has another framing, and a minor version
# above 1 has never been defined (RFC 9112 section 2.3).
_REQUEST_LINE: Final = re.compile(
    rb"([" + TOKEN_CHARS + rb"]++) ([\x21-\x7e]++) HTTP/1\.([01])\r\n"
)
# The reason phrase is optional, and so, by long practice, is the space before it.
_STATUS_LINE: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([" + VALUE_CHARS + rb"]*+))?\r\n"
)
# RFC 9112 section 5: no white space before the colon, no folding, every line ends in CRLF.
# Both patterns can match at one place of a line only, else a long line that does not match
# would cost the square of its length.
_FIELD: Final = re.compile(
    rb"^(([" + TOKEN_CHARS + rb"]++):[ \t]*+([" + VALUE_CHARS + rb"]*+)\r\n)", re.MULTILINE
)
_TRAILING_SPACE: Final = re.compile(rb"(?<![ \t])[ \t]++\r\n")

# More fields than any client sends: nginx and Envoy draw the line at 100 to 1,000.
MAX_FIELDS: Final = 200

# What a `ResponseReader` holds on to: 30 KB at the most, a tenth of that as a rule.
MAX_KNOWN_HEAD: Final = 4096
MAX_KNOWN_LINES: Final = 64
MAX_KNOWN_LINE: Final = 128

FieldLine = tuple[bytes, bytes]


# Field lines in order as ``(lower-case name, the line as sent with its CRLF)``; values by
# lower-case name, of a repeated field the last; lower-case names that occur more than once.
Fields = tuple[list[FieldLine], dict[bytes, bytes], frozenset[bytes]]


@dataclass(slots=True)
class RequestHead:
    """A request's head.

    Attributes:
        method: As sent; methods are case-sensitive (RFC 9110 section 9.1).
        target: The request target as sent, visible ASCII alone.
        minor: The digit after ``HTTP/1.``.
        lines: ``(lower-case name, the line as sent with its CRLF)``, in order.
        index: Lower-case name to value, white space around it removed; of a
            repeated field the last value.
        repeated: Lower-case names that occur more than once.
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
        lines: As of a request.
        index: As of a request.
        repeated: As of a request.
    """

    status: int
    reason: bytes
    minor: int
    lines: list[FieldLine]
    index: dict[bytes, bytes]
    repeated: frozenset[bytes]


_NONE: Final[frozenset[bytes]] = frozenset()


def read_fields(block: bytes) -> Fields:
    """Field lines of a head or a trailer section: lines, index, repeated names.

    Args:
        block: Whole lines, each with its CRLF; no empty line at the end.

    Raises:
        Malformed: A line is not ``name:value CRLF`` in the characters of
            RFC 9110 section 5, or there are more than ``MAX_FIELDS``.
    """
    if b" \r" in block or b"\t\r" in block:
        block = _TRAILING_SPACE.sub(b"\r\n", block)
    found = _FIELD.findall(block)
    # The lines that fit the pattern must be all there is: nothing may stand between them.
    if sum([len(field[0]) for field in found]) != len(block):
        raise Malformed("a field line is malformed")
    lines = [(name.lower(), line) for line, name, _ in found]
    index = {pair[0]: field[2] for pair, field in zip(lines, found)}  # noqa: B905 - as long as each other
    if len(index) == len(lines) <= MAX_FIELDS:
        return lines, index, _NONE
    if len(lines) > MAX_FIELDS:
        raise Malformed(f"more than {MAX_FIELDS} fields")
    return lines, index, _repeated(lines)


def _repeated(lines: list[FieldLine]) -> frozenset[bytes]:
    times = Counter(name for name, _ in lines)
    return frozenset(name for name, count in times.items() if count > 1)


class ResponseReader:
    """Reads the heads of one server's answers, much of which it writes again and again.

    A head that is the last one's, byte for byte, gives the same ``ResponseHead``. Of
    others the lines are looked up that came before; those that did not cost as much as
    in ``read_response_head``.
    """

    __slots__ = ("_head", "_known", "_text")

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[bytes, FieldLine, bytes]] = {}
        self._text = b""
        self._head: ResponseHead | None = None

    def read(self, text: bytes) -> ResponseHead:
        """As ``read_response_head``."""
        if self._head is None or text != self._text:
            head = read_response_head(text, self.read_fields)
            if len(text) > MAX_KNOWN_HEAD:
                return head
            self._head, self._text = head, text
        return self._head

    def read_fields(self, block: bytes) -> Fields:
        """As the function of this name."""
        known = self._known
        lines: list[FieldLine] = []
        index: dict[bytes, bytes] = {}
        *whole, rest = block.split(b"\r\n")
        if rest:
            raise Malformed("a field line is malformed")
        for line in whole:
            found = known.get(line)
            if found is None:
                found = self._learn(line)
            name, pair, index[name] = found
            lines.append(pair)
        if len(index) == len(lines) <= MAX_FIELDS:
            return lines, index, _NONE
        if len(lines) > MAX_FIELDS:
            raise Malformed(f"more than {MAX_FIELDS} fields")
        return lines, index, _repeated(lines)

    def _learn(self, line: bytes) -> tuple[bytes, FieldLine, bytes]:
        lines, index, _ = read_fields(line + b"\r\n")
        ((name, value),) = index.items()
        found = name, lines[0], value
        if len(line) <= MAX_KNOWN_LINE:
            if len(self._known) >= MAX_KNOWN_LINES:
                self._known.clear()  # what comes again is learned again
            self._known[line] = found
        return found


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
    method, target, minor = start.groups()
    return RequestHead(
        method, target, 1 if minor == b"1" else 0, *read_fields(head[start.end() : -2])
    )


def read_response_head(head: bytes, read: Callable[[bytes], Fields] = read_fields) -> ResponseHead:
    """Parse a response's head.

    Args:
        head: Status line, fields and the empty line.
        read: Reads the fields as ``read_fields`` does.

    Raises:
        Malformed: The status line or a field breaks RFC 9112 sections 4 and 5.
    """
    start = _STATUS_LINE.match(head)
    if start is None:
        raise Malformed("the status line is malformed")
    minor, status, reason = start.groups()
    return ResponseHead(
        int(status),
        reason or b"",
        1 if minor == b"1" else 0,
        *read(head[start.end() : -2]),
    )


def can_become_a_head(partial: bytes) -> bool:
    """Whether an unfinished head could still turn out well.

    A line that ends in a bare LF, or a CR inside a line, never will; saying so
    at once is kinder than waiting for an end that does not come.
    """
    lines = partial.count(b"\r\n")
    # A CR at the very end may still get its LF.
    return partial.count(b"\n") == lines == partial.count(b"\r", 0, -1)
