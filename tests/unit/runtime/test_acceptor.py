"""Connections within bounds."""

import asyncio
import errno
import socket
from contextlib import asynccontextmanager

import pytest

from pyproxy.downstream.port import Port
from pyproxy.runtime.acceptor import Acceptor, Admission
from pyproxy.runtime.tasks import Tasks

PATIENCE_S = 5.0


async def test_a_connection_too_many_waits_for_room():
    admission = Admission(1, 0)
    leave = admission.enter("192.0.2.1")
    waiting = asyncio.get_running_loop().create_task(admission.room())
    await asyncio.sleep(0)
    assert not waiting.done()

    leave()

    async with asyncio.timeout(PATIENCE_S):
        await waiting


def test_an_address_has_so_many_connections():
    admission = Admission(10, 2)
    first = admission.enter("192.0.2.1")

    assert first is not None
    assert admission.enter("192.0.2.1") is not None
    assert admission.enter("192.0.2.1") is None
    assert admission.enter("192.0.2.2") is not None
    first()
    first()  # once is enough: the second time frees nobody else's place
    assert admission.enter("192.0.2.1") is not None
    assert admission.enter("192.0.2.1") is None


def test_peers_of_a_unix_socket_are_not_one_address():
    admission = Admission(10, 1)

    assert [admission.enter("") is None for _ in range(3)] == [False] * 3


class FailingLoop:
    """A loop whose ``sock_accept`` fails as the kernel's would; the rest is the real one's."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self._loop = asyncio.get_running_loop()
        self.spent = asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._loop, name)

    async def sock_accept(self, listening):
        if self._errors:
            raise OSError(self._errors.pop(0), "no")
        self.spent.set()
        return await self._loop.sock_accept(listening)


@asynccontextmanager
async def accepting(loop, reported, max_per_address=0):
    """An acceptor on a port; gives the port."""

    async def serve(_):
        raise AssertionError("nobody asks anything here")

    async with Tasks(lambda name, error: reported.append((name, error))) as tasks:
        port = Port(
            serve=serve,
            reject=lambda _refusal, _peer: b"",
            spawn=tasks.start,
            header_timeout=PATIENCE_S,
            idle_timeout=PATIENCE_S,
            max_header_size=1024,
        )
        acceptor = Acceptor(
            port,
            Admission(10, max_per_address),
            tasks.start,
            loop,
            tls=None,
            report=reported.append,
            turned=lambda *_: None,
        )
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            tasks.start(acceptor.run(listening), "accepting")
            yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        pytest.param([errno.ECONNABORTED] * 3, [], id="clients that left"),
        pytest.param([errno.EMFILE], [errno.EMFILE], id="out of files"),
        pytest.param([errno.ENFILE, errno.ENFILE], [errno.ENFILE], id="said once, not each time"),
    ],
)
async def test_errors_of_accept_pass(codes, told):
    loop, reported = FailingLoop(*codes), []

    async with accepting(loop, reported) as port, asyncio.timeout(PATIENCE_S):
        await loop.spent.wait()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    assert [error.errno for error in reported] == told


async def test_a_connection_too_many_of_one_address_is_closed():
    loop, reported = asyncio.get_running_loop(), []

    async with accepting(loop, reported, max_per_address=1) as port, asyncio.timeout(PATIENCE_S):
        _, first = await asyncio.open_connection("127.0.0.1", port)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        first.close()
        second.close()

    assert reported == []
