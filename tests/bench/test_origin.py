import asyncio

import pytest

from bench.origin import ANSWER, GUARDED, KEY, Origin

UPLOAD = b"PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000
COUNTED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n70000"
SMALL = b"POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
async def streams():
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([UPLOAD + SMALL], id="with the next request at its tail"),
        pytest.param([UPLOAD[:60], UPLOAD[60:], SMALL], id="head and body apart"),
        pytest.param([SMALL[:-1], SMALL[-1:] + UPLOAD], id="after a request in two pieces"),
    ],
)
async def test_an_uploads_bytes_are_counted(streams, pieces):
    reader, writer = streams
    for piece in pieces:
        writer.write(piece)
        await writer.drain()

    answers = await reader.readexactly(len(COUNTED) + len(ANSWER))

    assert answers in {COUNTED + ANSWER, ANSWER + COUNTED}


async def test_an_empty_upload_is_answered(streams):
    reader, writer = streams
    writer.write(b"PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")

    assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(f"Authorization: Bearer {KEY}\r\n", b"200", id="the key"),
        pytest.param(f"Authorization: Bearer {KEY}x\r\n", b"401", id="another"),
        pytest.param("", b"401", id="none"),
    ],
)
async def test_what_is_guarded_wants_the_origins_key(streams, line, status):
    reader, writer = streams
    writer.write(f"POST {GUARDED}/v1 HTTP/1.1\r\nHost: x\r\n{line}\r\n".encode())

    head = await reader.readuntil(b"\r\n\r\n")

    assert head.split(b" ")[1] == status
