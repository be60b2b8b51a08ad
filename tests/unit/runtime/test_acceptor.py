"""Connections within bounds."""

import asyncio
import errno
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from pyproxy.downstream.port import Port
from pyproxy.identity.networks import Networks
from pyproxy.runtime.acceptor import Acceptor, Admission
from pyproxy.runtime.tasks import Tasks
from tests.waiting import turns

PATIENCE_S = 5.0
HOST = "127.0.0.1"


async def test_a_connection_too_many_waits_for_room():
    admission = Admission(1, 0)
    leave = admission.enter("192.0.2.1")
    waiting = asyncio.get_running_loop().create_task(admission.room())
    await turns(1)
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


def test_an_ipv6_subscriber_is_one_address():
    admission = Admission(10, 1)

    assert admission.enter("2001:db8:0:1::1") is not None
    assert admission.enter("2001:db8:0:1:ffff::2") is None
    assert admission.enter("2001:db8:0:2::1") is not None
    assert admission.enter("::ffff:192.0.2.1") is not None
    assert admission.enter("192.0.2.1") is None


class FailingSocket(socket.socket):
    """A listening socket whose first calls of ``accept`` fail, with a connection waiting."""

    def __init__(self, *errors):
        super().__init__()
        self._errors = list(errors)

    def accept(self):
        if self._errors:
            raise OSError(self._errors.pop(0), "no")
        return super().accept()


@asynccontextmanager
async def accepting(*errors, max_per_address=0, believes=None, header_timeout=PATIENCE_S):
    """An acceptor on a port, at work.

    Every request is turned down, with the address of who made it.
    """

    async def serve(_):
        raise AssertionError("nobody asks anything here")

    loop, reported, turned = asyncio.get_running_loop(), [], []
    async with Tasks(lambda name, error: reported.append((name, error))) as tasks:
        port = Port(
            serve=serve,
            reject=lambda _refusal, peer: f"from {peer.address}".encode(),
            spawn=tasks.start,
            header_timeout=header_timeout,
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
            turned=lambda address, error: turned.append((address, str(error))),
            believes=believes,
        )
        with FailingSocket(*errors) as listening:
            listening.bind((HOST, 0))
            listening.listen()
            listening.setblocking(False)
            tasks.start(acceptor.run(listening), "accepting")
            yield Accepting(listening.getsockname()[1], reported, turned)


@dataclass
class Accepting:
    """An acceptor at work.

    Attributes:
        port: Where.
        reported: Errors of accepting, and of tasks.
        turned: Who was turned away, and why.
    """

    port: int
    reported: list
    turned: list

    async def answer(self, *pieces):
        """What comes back to who sends these pieces, until the connection ends."""
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(HOST, self.port)
            for piece in pieces:
                writer.write(piece)
                await turns(1)
            answer = b""
            with suppress(ConnectionError):  # what was sent is not read: that is a reset
                answer = await reader.read()
            writer.close()
        return answer.decode()


NO_REQUEST = b"no request\r\n\r\n"
LINE = b"PROXY TCP6 2001:db8::%d ::1 4096 443\r\n"


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        pytest.param([errno.ECONNABORTED] * 3, [], id="clients that left"),
        pytest.param([errno.EMFILE], [errno.EMFILE], id="out of files"),
        pytest.param([errno.ENFILE, errno.ENFILE], [errno.ENFILE], id="said once, not each time"),
    ],
)
async def test_errors_of_accept_pass(codes, told):
    async with accepting(*codes) as acceptor:
        assert await acceptor.answer(NO_REQUEST) == f"from {HOST}"

    assert [error.errno for error in acceptor.reported] == told


async def test_a_connection_too_many_of_one_address_is_closed():
    async with accepting(max_per_address=1) as acceptor, asyncio.timeout(PATIENCE_S):
        _, first = await asyncio.open_connection(HOST, acceptor.port)
        reader, second = await asyncio.open_connection(HOST, acceptor.port)
        assert await reader.read() == b""
        first.close()
        second.close()

    assert acceptor.reported == []


BALANCERS = Networks([ip_network("127.0.0.0/8")])
NOBODY = Networks()


@pytest.mark.parametrize(
    ("pieces", "address"),
    [
        pytest.param([LINE % 1 + NO_REQUEST], "2001:db8::1", id="in one piece"),
        pytest.param([LINE % 1, NO_REQUEST], "2001:db8::1", id="header alone"),
        pytest.param([bytes([each]) for each in LINE % 1 + NO_REQUEST], "2001:db8::1", id="bytes"),
        pytest.param([b"PROXY UNKNOWN\r\n" + NO_REQUEST], HOST, id="the balancer itself"),
    ],
)
async def test_a_client_is_whom_the_balancer_names(pieces, address):
    async with accepting(believes=BALANCERS) as acceptor:
        assert await acceptor.answer(*pieces) == f"from {address}"


@pytest.mark.parametrize(
    ("believes", "sent", "reason"),
    [
        pytest.param(NOBODY, LINE % 1 + NO_REQUEST, "trusted_proxies", id="from a stranger"),
        pytest.param(BALANCERS, NO_REQUEST, "no PROXY header", id="without a header"),
        pytest.param(BALANCERS, b"", "within header_timeout", id="silent"),
        pytest.param(BALANCERS, (LINE % 1)[:-1], "within header_timeout", id="half a header"),
    ],
)
async def test_who_is_not_introduced_is_turned_away(believes, sent, reason):
    async with accepting(believes=believes, header_timeout=0.1) as acceptor:
        assert await acceptor.answer(sent) == ""

    [(address, why)] = acceptor.turned
    assert address == HOST
    assert reason in why


async def test_who_is_not_introduced_takes_up_no_room():
    async with accepting(believes=BALANCERS) as acceptor:
        answers = [await acceptor.answer(NO_REQUEST) for _ in range(20)]

        assert set(answers) == {""}
        assert await acceptor.answer(LINE % 1 + NO_REQUEST) == "from 2001:db8::1"


async def test_connections_are_counted_by_whom_the_balancer_names():
    async with (
        accepting(believes=BALANCERS, max_per_address=1) as acceptor,
        asyncio.timeout(PATIENCE_S),
    ):
        _, first = await asyncio.open_connection(HOST, acceptor.port)
        first.write(LINE % 1)
        _, second = await asyncio.open_connection(HOST, acceptor.port)
        second.write(b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n")

        # Whatever address of the same /64.
        assert await acceptor.answer(LINE % 2 + NO_REQUEST) == ""
        assert await acceptor.answer(b"PROXY UNKNOWN\r\n" + NO_REQUEST) == f"from {HOST}"
        first.close()
        second.close()
