"""Asked for a status alone."""

import asyncio

import pytest

from pyproxy.errors.refusal import Refusal, UpstreamUnreachable
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.hearing import status_of
from tests.unit.upstream.reached import HOST, PATIENCE_S, serving
from tests.waiting import until

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


async def heard(port, seconds=PATIENCE_S):
    """The status, and the connection it came over."""
    loop = asyncio.get_running_loop()
    endpoint = Endpoint(Address(HOST, port), loop)
    connection = await endpoint.connect(PATIENCE_S)
    try:
        return await status_of(connection, HEAD, loop.time() + seconds), connection
    finally:
        endpoint.close()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"HTTP/1.1 204 No\r\n\r\n", 204, id="no content"),
        pytest.param(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno", 503, id="a fault"),
        pytest.param(b"HTTP/1.1 103 E\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404,
                     id="after an interim one"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200,
            id="chunks",
        ),
    ],
)  # fmt: skip
async def test_whole_answer_is_heard(answer, status):
    async with serving(answer=answer) as port:
        assert (await heard(port))[0] == status


async def test_long_answer_is_broken_off():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000
    async with serving(answer=answer) as port:
        status, connection = await heard(port)

        assert status == 200
        assert not connection.is_open


async def test_late_answer_is_broken_off():
    async with serving(answer=HALF) as port:
        with pytest.raises(TimeoutError):
            await heard(port, 0.05)


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/9 x\r\n\r\n"])
async def test_no_answer_is_a_refusal(answer):
    async with serving(answer=answer) as port:
        with pytest.raises(Refusal, match="malformed"):
            await heard(port)


async def test_end_in_the_middle_is_a_refusal():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HALF)
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        with pytest.raises(UpstreamUnreachable, match="ended early"):
            await heard(server.sockets[0].getsockname()[1])


async def test_who_stops_waiting_leaves_no_connection(sockets):
    before = sockets()
    async with serving(answer=HALF) as port:
        hearing = asyncio.ensure_future(heard(port))
        await until(lambda: sockets() > before + 2)
        hearing.cancel()
        await asyncio.wait({hearing})
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: sockets() <= before)
