"""Small requests that want to cost much: CPU and memory, beside ordinary ones."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.endurance.figure import Figure
from tests.endurance.stage import OriginProcess, Watched, config, running_s
from tests.endurance.wire import ask, connect, head, read_head, reset

ORDINARY = 3000
TIMES = 20
UNIT_BYTES = 10 * 1024
MAX_MIB, MAX_TIMES = 1.0, 100.0
SILENCE_S = 0.3
UPGRADE = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
_SMALL = head("GET", "/small")
_CHUNKED = head("POST", "/count", "Transfer-Encoding: chunked")
_END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """Bytes that one connection sends.

    Attributes:
        what: In words.
        data: All of them.
        requests: How many requests that is.
        pieces: In how many writes.
        run: Plays it instead, if it is a conversation.
    """

    what: str
    data: bytes
    requests: int = 1
    pieces: int = 1
    run: Callable | None = None


def _talk(sock, attack):
    """A WebSocket that says one byte a frame."""
    sock.sendall(head("GET", "/talk", *UPGRADE))
    text, _ = read_head(sock)
    assert text.startswith(b"HTTP/1.1 101"), text
    for at in range(0, len(attack.data), 6000):
        sock.sendall(attack.data[at : at + 6000])
        with contextlib.suppress(TimeoutError):
            sock.settimeout(0.001)
            sock.recv(65536)
        sock.settimeout(60)


# Attacks that show a wrong key come a hundred times from here.
NO_BANS = "[auth.ban]\nafter = 0\n"
ATTACKS = [
    Attack("an ordinary request over a new connection", _SMALL),
    Attack("10,000 requests in a row, in 40 writes", _SMALL * 10_000, 10_000, 40),
    Attack("a head that does not end, in 100 writes", _SMALL[:-2] + b"A: " + b"a" * 10_000, 1, 100),
    Attack("a head of 9,000 bytes of short fields", _SMALL[:-2] + b"a:b\r\n" * 1800 + b"\r\n"),
    Attack("200 fields", _SMALL[:-2] + b"".join(b"f%d: v\r\n" % i for i in range(190)) + b"\r\n"),
    Attack("a query of 9,000 bytes", head("GET", "/small?" + "a[b]=%41&" * 1000)),
    Attack("a path of 4,000 parts", head("GET", "/small" + "/a" * 4000 + "/small")),
    Attack("a path of 2,600 escapes", head("GET", "/small" + "/%41" * 2000 + "/small")),
    Attack("Accept-Encoding of 9,000 bytes",
           head("GET", "/small", "Accept-Encoding: " + "gzip;q=0.1," * 800 + "br")),
    Attack("Connection that names 1,500 fields",
           head("GET", "/small", "Connection: " + ",".join(f"x{i}" for i in range(1500)))),
    Attack("X-Forwarded-For of 900 addresses",
           head("GET", "/small", "X-Forwarded-For: " + "10.0.0.1, " * 900 + "10.0.0.1")),
    Attack("20,000 chunks of one byte", _CHUNKED + b"1\r\nx\r\n" * 20_000 + _END),
    Attack("chunk extensions of 10 KiB", _CHUNKED + b'1;a=bcd;efg="h"\r\nx\r\n' * 500 + _END),
    Attack("one chunk extension of 1,000 bytes",
           _CHUNKED + b"1;" + b"a" * 1000 + b"\r\nx\r\n" + _END),
    Attack("1 MiB of trailers", _CHUNKED + b"0\r\n" + b"T: t\r\n" * (1024 * 1024 // 6) + b"\r\n"),
    Attack("2,000 interim answers", head("GET", "/interim/2000")),
    Attack("WebSocket frames of one byte", (b"\x81\x81\0\0\0\0x" * 6000), run=_talk),
    Attack("nonsense instead of a request", b"\x16\x03\x01" + b"nonsense" * 1200),
    Attack("a wrong key", head("GET", "/small").replace(b"pyp_", b"pyp-")),
    Attack("a token of 4,000 bytes",
           b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + b"e30." * 2 + b"a" * 4000
           + b"\r\n\r\n"),
]  # fmt: skip


def measure(folder, scale):
    """Each attack, beside an ordinary request."""
    with (
        OriginProcess() as origin,
        folder.gateway(config({"/": origin.url}, listener="") + NO_BANS) as gateway,
    ):
        cost = _ordinary(gateway, ORDINARY // scale)
        yield Figure("an ordinary request: CPU", 1e6 * cost, "us")
        for attack in ATTACKS:
            yield from _case(gateway, attack, cost, scale)


def _ordinary(gateway, count):
    with contextlib.closing(connect(gateway.port)) as sock:
        for _ in range(100):
            ask(sock)
        cpu_s = running_s(gateway.pid)
        for _ in range(count):
            ask(sock)
        return (running_s(gateway.pid) - cpu_s) / count


def _case(gateway, attack, cost, scale):
    times = 3 if attack.requests > 1 else max(5, TIMES // scale)
    _play(gateway, attack)  # what is made once is made
    watched, cpu_s = Watched(*gateway.workers), running_s(gateway.pid)
    for _ in range(times):
        _play(gateway, attack)
        watched.look()
    time.sleep(0.05)
    each = (running_s(gateway.pid) - cpu_s) / times
    # A request of at most 10 KiB; of what is larger, a part.
    requests = max(attack.requests, len(attack.data) / UNIT_BYTES)
    yield Figure(
        f"{attack.what}: rise of memory", watched.risen_mib, "MiB", MAX_MIB * max(1, requests)
    )
    yield Figure(f"{attack.what}: CPU", each / requests / cost, "times", MAX_TIMES)


def _play(gateway, attack):
    sock = connect(gateway.port)
    try:
        if attack.run is not None:
            attack.run(sock, attack)
            return
        step = -(-len(attack.data) // attack.pieces)
        for at in range(0, len(attack.data), step):
            sock.sendall(attack.data[at : at + step])
            if attack.pieces > 1:
                _drain(sock, 0.0005)
        _drain(sock, 0.02 if attack.requests == 1 and attack.pieces == 1 else SILENCE_S)
    except OSError:
        pass  # it was refused while it was still talking
    finally:
        reset(sock)


def _drain(sock, silence_s):
    """Read what comes until there is silence."""
    sock.settimeout(silence_s)
    with contextlib.suppress(TimeoutError):
        while sock.recv(65536):
            pass
    sock.settimeout(60)
