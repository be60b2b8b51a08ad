"""A PROXY header off a real socket, on both loops."""

import asyncio

import pytest

from pyproxy.runtime.proxy_header import NotIntroduced, receive_header
from tests.waiting import turns

PATIENCE_S = 5.0
LINE = b"PROXY TCP4 192.0.2.7 10.0.0.1 4096 443\r\n"
BLOCK = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x10\0\x01\xbb"


async def received(ours, seconds=PATIENCE_S):
    loop = asyncio.get_running_loop()
    return (await receive_header(ours, loop.time() + seconds, loop)).address


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["v1", "v2"])
def test_what_follows_stays_in_the_socket(runner, pair, header):
    ours, theirs = pair
    theirs.sendall(header + b"\x16\x03\x01")

    assert runner.run(received(ours)) == "192.0.2.7"
    assert ours.recv(100) == b"\x16\x03\x01"


@pytest.mark.parametrize("header", [LINE, BLOCK], ids=["v1", "v2"])
def test_header_may_come_byte_by_byte(runner, pair, header):
    ours, theirs = pair

    async def trickle():
        loop = asyncio.get_running_loop()
        task = loop.create_task(received(ours))
        for byte in header:
            theirs.send(bytes([byte]))
            await turns(3)  # so that it is seen alone
        return await task

    assert runner.run(trickle()) == "192.0.2.7"


@pytest.mark.parametrize(
    "begun", [b"", b"PROXY TCP4", BLOCK[:20]], ids=["nothing", "half a line", "half a block"]
)
def test_a_silent_peer_is_waited_for_so_long(runner, pair, begun):
    ours, theirs = pair
    theirs.sendall(begun)

    with pytest.raises(NotIntroduced, match="within header_timeout"):
        runner.run(received(ours, 0.05))


@pytest.mark.parametrize("begun", [b"", LINE[:-1], BLOCK[:-1]], ids=["nothing", "line", "block"])
def test_a_peer_that_leaves_is_no_fault_of_its_own_words(runner, pair, begun):
    ours, theirs = pair
    theirs.sendall(begun)
    theirs.close()

    with pytest.raises(ConnectionResetError):
        runner.run(received(ours))


def test_what_is_no_header_is_not_waited_for(runner, pair):
    ours, theirs = pair
    theirs.sendall(b"GET")

    with pytest.raises(NotIntroduced, match="no PROXY header"):
        runner.run(received(ours))
