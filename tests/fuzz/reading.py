"""Other readers of HTTP/1.1 than the gateway's: a strict one, and two that prefer one framing.

Written from RFC 9112 for these tests alone, with nothing of ``pyproxy.wire`` in it, so that
a mistake there is not made twice.
"""

from dataclasses import dataclass
from string import ascii_letters, digits

from httptools import HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

_TOKEN = frozenset((ascii_letters + digits + "!#$%&'*+-.^_`|~").encode())
_NO_BODY = {204, 304}


class Unclear(ValueError):
    """Not a message, or one with two readings."""


@dataclass(frozen=True)
class Message:
    """What a message means.

    Attributes:
        start: The start line's parts.
        fields: Lower-case names and stripped values, in order.
        body: Its content.
        trailers: Like ``fields``.
    """

    start: tuple
    fields: tuple
    body: bytes
    trailers: tuple = ()

    def values(self, name):
        return [value for each, value in self.fields if each == name]


# The strict reader


def requests(stream):
    """Complete requests in a stream, what is left of it, and why it cannot be read on."""
    return _messages(stream, _request_start, lambda _: "")


def answers(stream, methods, *, is_ended=False):
    """Complete answers in a stream to requests with these methods, and what is left.

    Args:
        stream: From the server.
        methods: Of the requests; interim answers are left out.
        is_ended: The connection ended properly, and so a body of unknown length.
    """
    methods = list(methods)
    found = []
    while methods and stream:
        (messages, rest, why) = _messages(
            stream, _answer_start, lambda start: _bodiless(start, methods[0]), 1, is_ended=is_ended
        )
        if why or not messages:
            return found, stream, why
        if messages[0].start[1] >= 200:
            found.append(messages[0])
            methods.pop(0)
        stream = rest
    return found, stream, ""


def _messages(stream, read_start, bodiless, most=1 << 30, *, is_ended=False):
    messages = []
    while len(messages) < most:
        while stream.startswith(b"\r\n"):
            stream = stream[2:]
        try:
            found = _message(stream, read_start, bodiless, is_ended=is_ended)
        except Unclear as exc:
            return messages, stream, str(exc)
        if found is None:
            break
        messages.append(found[0])
        stream = found[1]
    return messages, stream, ""


def _message(stream, read_start, bodiless, *, is_ended):
    head, end, after = stream.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    start = read_start(first)
    fields = _fields(lines)
    if bodiless(start):
        return Message(start, fields, b""), after
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    if codings:
        if lengths or codings != [b"chunked"] or b"HTTP/1.0" in start:
            raise Unclear("framing")
        found = _chunks(after)
        return found and (Message(start, fields, *found[:2]), found[2])
    if lengths:
        if len(lengths) > 1 or not lengths[0].isdigit():
            raise Unclear("length")
        size = int(lengths[0])
        return None if len(after) < size else (Message(start, fields, after[:size]), after[size:])
    if start[0].startswith(b"HTTP/"):
        return (Message(start, fields, after), b"") if is_ended else None
    return Message(start, fields, b""), after


def _fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or not _TOKEN.issuperset(name):
            raise Unclear("field name")
        if any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in value):
            raise Unclear("field value")
        fields.append((name.lower(), value.strip(b" \t")))
    return tuple(fields)


def _chunks(data):
    content = bytearray()
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return None
        count = _chunk_size(line)
        if not count:
            break
        if len(data) < count + 2:
            return None
        if data[count : count + 2] != b"\r\n":
            raise Unclear("chunk end")
        content += data[:count]
        data = data[count + 2 :]
    if data.startswith(b"\r\n"):
        return bytes(content), (), data[2:]
    section, end, rest = data.partition(b"\r\n\r\n")
    return (bytes(content), _fields(section.split(b"\r\n")), rest) if end else None


def _chunk_size(line):
    size = line.partition(b";")[0]
    if not size or size.strip(b"0123456789abcdefABCDEF"):
        raise Unclear("chunk size")
    if any(byte < 0x20 and byte != 0x09 for byte in line):
        raise Unclear("chunk extension")
    return int(size, 16)


def _request_start(line):
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[0] or not _TOKEN.issuperset(parts[0]):
        raise Unclear("request line")
    if parts[2] not in {b"HTTP/1.1", b"HTTP/1.0"} or not parts[1]:
        raise Unclear("version")
    if any(not 0x21 <= byte <= 0x7E for byte in parts[1]):
        raise Unclear("target")
    return tuple(parts)


def _answer_start(line):
    version, _, rest = line.partition(b" ")
    status, _, reason = rest.partition(b" ")
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or len(status) != 3 or not status.isdigit():
        raise Unclear("status line")
    if any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in reason):
        raise Unclear("reason")
    return version, int(status), reason


def _bodiless(start, method):
    return method == "HEAD" or start[1] in _NO_BODY or start[1] < 200


# Careless readers, as they stand behind gateways


def careless_requests(stream, *, prefers):
    """Requests as somebody reads them who takes any line end and one framing before the other.

    Args:
        stream: What was sent to the upstream.
        prefers: ``"cl"`` or ``"te"``.

    Returns:
        Pairs of request line and body, and what is left.
    """
    found = []
    while stream:
        head, end, after = _cut(stream)
        if not end:
            break
        lines = [line.rstrip(b"\r") for line in head.split(b"\n")]
        length, is_chunked = _careless_framing(lines[1:])
        if is_chunked and (prefers == "te" or length is None):
            body, after = _careless_chunks(after)
        else:
            size = length or 0
            body, after = (after[:size], after[size:]) if len(after) >= size else (None, after)
        if body is None:
            break
        found.append((lines[0], body))
        stream = after
    return found, stream


def _cut(stream):
    ends = [(at, end) for end in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := stream.find(end)) >= 0]
    if not ends:
        return stream, b"", b""
    at, end = min(ends)
    return stream[:at], end, stream[at + len(end) :]


def _careless_framing(lines):
    length, is_chunked = None, False
    for line in lines:
        name, _, value = line.partition(b":")
        match name.strip(b" \t\x0b\x0c\0").lower().replace(b"_", b"-"):
            case b"content-length":
                number = value.strip().split(b",")[0].split(b" ")[0]
                length = int(number) if number.isdigit() else 0
            case b"transfer-encoding":
                is_chunked = b"chunked" in value.lower()
    return length, is_chunked


def _careless_chunks(data):
    content = b""
    while True:
        line, end, rest = data.partition(b"\n")
        if not end:
            return None, data
        size = int(line.strip().split(b";")[0].strip() or b"0", 16)
        if not size:
            break
        if len(rest) < size + 1:
            return None, data
        content, data = content + rest[:size], rest[size:].lstrip(b"\r").removeprefix(b"\n")
    while True:
        line, end, rest = rest.partition(b"\n")
        if not end:
            return None, data
        if not line.strip():
            return content, rest


class _Collector:
    """What llhttp tells."""

    def __init__(self):
        self.found = []
        self.parser = HttpRequestParser(self)

    def on_message_begin(self):
        self._url, self._fields, self._body = b"", [], b""

    def on_url(self, data):
        self._url += data

    def on_header(self, name, value):
        self._fields.append((name.lower(), value.strip(b" \t")))

    def on_body(self, data):
        self._body += data

    def on_message_complete(self):
        self.found.append((self.parser.get_method(), self._url, tuple(self._fields), self._body))


def llhttp_requests(stream):
    """Requests as llhttp reads them, upgrades refused; ``None`` if it does not know a method."""
    found = []
    while stream:
        collector = _Collector()
        try:
            collector.parser.feed_data(stream)
            stream = b""
        except HttpParserUpgrade as exc:
            stream = stream[exc.args[0] :]
        except HttpParserInvalidMethodError:
            return None
        found += collector.found
    return found
