"""What is said to a proxy, and what becomes of what it answers."""

import asyncio
import socket

import pytest

from pyproxy.config.proxy import Proxy
from pyproxy.config.surroundings import NOWHERE
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.tunnel import MAX_HEAD_BYTES, open_tunnel
from tests.unit.upstream.reached import PATIENCE_S

PROXY = Proxy("p.example", 3128)
SHOWN = Proxy.parse("http://alice:secret@p.example:3128", NOWHERE)
OK = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Tunnel:
    """Both ends of a connection to a proxy; the far one is played by the test."""

    def __init__(self, proxy, host):
        self.near, self.far = socket.socketpair()
        for sock in (self.near, self.far):
            sock.setblocking(False)
        self.opening = asyncio.ensure_future(
            open_tunnel(asyncio.get_running_loop(), self.near, proxy, host, 443)
        )

    async def asked(self):
        """What the proxy gets."""
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.get_running_loop().sock_recv(self.far, 65536)

    async def answer(self, *pieces):
        """Say something, one piece a read."""
        for piece in pieces:
            await asyncio.get_running_loop().sock_sendall(self.far, piece)
            await asyncio.sleep(0)

    async def opened(self):
        async with asyncio.timeout(PATIENCE_S):
            await self.opening

    async def close(self):
        self.opening.cancel()
        await asyncio.wait({self.opening})
        self.near.close()
        self.far.close()


@pytest.fixture
async def tunnel():
    made = []

    def tunnel_(proxy=PROXY, host="api.example"):
        made.append(Tunnel(proxy, host))
        return made[-1]

    yield tunnel_
    for each in made:
        await each.close()


async def refused(tunnel):
    with pytest.raises(UpstreamUnreachable) as caught:
        await tunnel.opened()
    return caught.value.detail


# --- What is asked


@pytest.mark.parametrize(
    ("proxy", "host", "head"),
    [
        pytest.param(
            PROXY,
            "api.example",
            b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n",
            id="name",
        ),
        pytest.param(
            PROXY,
            "2001:db8::7",
            b"CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\n\r\n",
            id="IPv6",
        ),
        pytest.param(
            SHOWN,
            "api.example",
            b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n"
            b"Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n",
            id="credentials",
        ),
    ],
)
async def test_proxy_is_asked_to_connect(tunnel, proxy, host, head):
    made = tunnel(proxy, host)

    assert await made.asked() == head


# --- What lets us through


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK, id="200"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200\r\n\r\n", id="no reason"),
        pytest.param(b"HTTP/1.1 204 \r\n\r\n", id="any 2xx"),
        # RFC 9110 section 9.3.6: these say nothing here.
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="framing",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, id="interim"),
        pytest.param(b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n" * 3 + OK, id="interim ones"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nVia: " + b"x" * 9000 + b"\r\n\r\n", id="longer than one read"
        ),
    ],
)
@pytest.mark.parametrize("is_dripping", [False, True], ids=["whole", "octet by octet"])
async def test_willing_answer_opens(tunnel, answer, is_dripping):
    made = tunnel()
    pieces = [answer[i : i + 1] for i in range(len(answer))] if is_dripping else [answer]
    await made.answer(*pieces)
    await made.opened()

    await made.answer(b"TLS")
    assert made.near.recv(9) == b"TLS"


# --- What does not


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        pytest.param(
            b"HTTP/1.1 403 Forbidden\r\n\r\n",
            "answered 403; its own list may lack the host",
            id="403",
        ),
        pytest.param(
            b"HTTP/1.1 403 No\r\n\r\n<h1>secret",
            "answered 403; its own list may lack the host",
            id="403 with a page",
        ),
        pytest.param(b"HTTP/1.1 503 x\r\n\r\n", "answered 503", id="it cannot either"),
        pytest.param(b"HTTP/1.1 302 x\r\nLocation: /\r\n\r\n", "answered 302", id="redirect"),
        pytest.param(b"HTTP/1.1 101 x\r\n\r\n", "answered 101", id="another protocol"),
        pytest.param(
            b"HTTP/1.1 407 x\r\n\r\n", "answered 407: it wants credentials", id="no credentials"
        ),
        pytest.param(OK + b"x", "sent more than its answer", id="it talks first"),
        pytest.param(OK + OK, "sent more than its answer", id="two answers"),
        pytest.param(b"SSH-2.0-x\r\n", "does not answer in HTTP", id="ssh"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x16", "does not answer in HTTP", id="TLS"),
        pytest.param(b"HTTP/2 200\r\n\r\n", "does not answer in HTTP", id="HTTP/2"),
        pytest.param(b"HTTP/1.2 200 OK\r\n\r\n", "does not answer in HTTP", id="HTTP/1.2"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", "does not answer in HTTP", id="four digits"),
        pytest.param(b"HTTP/1.1  200 OK\r\n\r\n", "does not answer in HTTP", id="two spaces"),
        pytest.param(b"HTTP/1.1 600 OK\r\n\r\n", "does not answer in HTTP", id="600"),
        pytest.param(b"HTTP/1.1 200 O\nK\r\n\r\n", "does not answer in HTTP", id="bare LF"),
        pytest.param(b"HTTP/1.1 200 O\x00\r\n\r\n", "does not answer in HTTP", id="NUL"),
        pytest.param(
            b"HTTP/1.1 100 x\r\n\r\nno" + OK, "does not answer in HTTP", id="after an interim one"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"x" * 2 * MAX_HEAD_BYTES, "sent an endless answer", id="long"
        ),
        pytest.param(
            b"HTTP/1.1 100 x\r\n\r\n" * 4000, "sent an endless answer", id="interim without end"
        ),
    ],
)
async def test_any_other_answer_is_an_error(tunnel, answer, detail):
    made = tunnel()
    await made.answer(answer)

    assert await refused(made) == f"the proxy p.example:3128 {detail}"


async def test_wrong_credentials_are_said_and_not_shown(tunnel):
    made = tunnel(SHOWN)
    await made.answer(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    assert await refused(made) == (
        "the proxy p.example:3128 answered 407: it does not take these credentials"
    )


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["at once", "half-way"])
async def test_end_is_an_error(tunnel, begun):
    made = tunnel()
    await made.answer(begun)
    made.far.shutdown(socket.SHUT_WR)

    assert await refused(made) == "the proxy p.example:3128 closed the connection"
