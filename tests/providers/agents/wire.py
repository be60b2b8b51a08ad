"""HTTP/1.1 as much as agents and their upstreams need: requests read, answers written."""

import io
import json
from dataclasses import dataclass

# What a gateway may change: where a request goes, whose it is, how it is framed.
CHANGED_FIELDS = frozenset(
    {"host", "connection", "upgrade", "content-length", "authorization", "x-api-key"}
)
# The one thing it adds, for its logs and the upstream's to be read side by side.
ADDED_FIELD = "x-request-id"


@dataclass(frozen=True)
class Request:
    """One request as it arrived.

    Attributes:
        fields: Names and values as they were sent, in their order.
        body: Without its framing.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def field(self, name: str) -> str:
        """The values of one field, joined; empty if there is none."""
        return ", ".join(value for other, value in self.fields if other.lower() == name)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def content(self):
        """What its body says, as JSON."""
        return json.loads(self.body)

    def carried(self) -> tuple[str, str, list[tuple[str, str]], bytes]:
        """All of it that no gateway has any business with."""
        ours = CHANGED_FIELDS | {ADDED_FIELD}
        fields = [field for field in self.fields if field[0].lower() not in ours]
        return self.method, self.target, fields, self.body


def read_request(stream: io.BufferedIOBase) -> Request | None:
    """The next request of a connection; None at its end, be it in order or not."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    fields = []
    while (line := stream.readline()) != b"\r\n":
        if not line:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        fields.append((name, value.strip()))
    head = Request(method, target, tuple(fields), b"")
    return Request(method, target, tuple(fields), _body(stream, head))


def _body(stream: io.BufferedIOBase, head: Request) -> bytes:
    if head.field("transfer-encoding").lower() != "chunked":
        return stream.read(int(head.field("content-length") or 0))
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def requests_in(received: bytes) -> list[Request]:
    """All requests that one connection brought, up to a change of its protocol."""
    stream, found = io.BytesIO(received), []
    while request := read_request(stream):
        found.append(request)
        if request.field("upgrade"):
            break
    return found


def asked(requests: list[Request]) -> list[tuple[str, str]]:
    """Method and target of each."""
    return [(request.method, request.target) for request in requests]


def answer(status: int, payload: object, **fields: str) -> bytes:
    """A whole answer with a JSON body; an underscore in a field's name stands for a hyphen."""
    body = json.dumps(payload).encode()
    sized = {"content-type": "application/json", "content-length": str(len(body)), **fields}
    return head(status, **sized) + body


def head(status: int, **fields: str) -> bytes:
    """A status line and fields; an underscore in a field's name stands for a hyphen."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()]
    return f"HTTP/1.1 {status} Played\r\n{''.join(lines)}\r\n".encode()


def event_stream(events: list[dict[str, object]], **fields: str) -> list[bytes]:
    """An answer that streams: its head, each event in a chunk of its own, the last chunk.

    Between the events are comments, with which servers and gateways keep a connection alive.
    """
    chunked = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **fields}
    texts = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    pieces = [text.encode() for each in texts for text in (": keep-alive\n\n", each)]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    return [head(200, **chunked), *chunks, b"0\r\n\r\n"]
