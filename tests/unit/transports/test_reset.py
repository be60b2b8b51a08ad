"""A reset reaches who does not read."""

import asyncio
import socket

import pytest

from pyproxy.transports.reset import reset
from tests.waiting import turns


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_other_end_hears_of_it_behind_bytes_it_did_not_read(loop_name):
    runner_loop = pytest.importorskip("uvloop").new_event_loop if loop_name == "uvloop" else None

    async def run():
        loop = asyncio.get_running_loop()
        ours, theirs = _pair()
        theirs.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.write(b"x" * 8_000_000)  # more than both sockets hold
        await turns(1)
        reset(transport)
        reset(transport)
        with theirs, pytest.raises(ConnectionResetError):
            await _read_all(theirs)

    with asyncio.Runner(loop_factory=runner_loop) as runner:
        runner.run(run())


async def _read_all(sock):
    async with asyncio.timeout(5):
        while await asyncio.get_running_loop().sock_recv(sock, 65536):
            pass


def _pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    ours.setblocking(False)
    return ours, theirs
