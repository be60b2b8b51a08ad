"""Upstreams on loopback: real sockets, and both loops where it matters which."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
import trustme
import uvloop

from tests.unit.upstream.reached import NAME, serving

_ON_BOTH = {"test_dial", "test_endpoint", "test_health", "test_endpoint_ways", "test_tunnel"}


def pytest_asyncio_loop_factories(config, item):
    """uvloop and asyncio treat a socket that is handed over differently."""
    del config
    loops = {"asyncio": asyncio.new_event_loop}
    return loops | {"uvloop": uvloop.new_event_loop} if item.path.stem in _ON_BOTH else loops


@pytest.fixture
def dead():
    """A port that nobody listens on, for as long as the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent():
    """A port whose connections stay unanswered: its queue is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield port
        for sock in waiting:
            sock.close()


@pytest.fixture
def sockets():
    """How many sockets this process has open."""

    def count():
        return sum(_is_socket(link) for link in Path("/proc/self/fd").iterdir())

    return count


def _is_socket(link):
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:  # the one that listed them
        return False


@pytest.fixture
async def port():
    async with serving() as port:
        yield port


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    return context


@pytest.fixture(scope="session")
def client_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context
