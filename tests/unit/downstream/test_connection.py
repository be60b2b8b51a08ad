"""The client's connection with a transport that is told what the client reads, and a clock."""

import asyncio

import pytest

from pyproxy.downstream.connection import ClientConnection
from pyproxy.downstream.port import Port

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEADER_TIMEOUT = 10.0
IDLE_TIMEOUT = 75.0


class Clock:
    """A loop's clock that stands still until it is moved."""

    def __init__(self):
        self._now = 100.0
        self._timers = []

    def time(self):
        return self._now

    def create_future(self):
        return asyncio.get_running_loop().create_future()

    def call_at(self, when, callback):
        timer = Timer(when, callback)
        self._timers.append(timer)
        return timer

    def advance(self, seconds):
        self._now += seconds
        due = [timer for timer in self._timers if timer.when() <= self._now]
        self._timers = [timer for timer in self._timers if timer not in due]
        for timer in due:
            timer.ring()


class Timer:
    """One call at its time, unless cancelled."""

    def __init__(self, when, callback):
        self._when, self._callback = when, callback

    def when(self):
        return self._when

    def cancel(self):
        self._callback = None

    def ring(self):
        if self._callback is not None:
            self._callback()


class Transport:
    """Keeps what is written, and how it ended."""

    def __init__(self):
        self.written = b""
        self.end = ""
        self.is_reading = True

    def get_extra_info(self, name):
        return ("127.0.0.1", 40000) if name == "peername" else None

    def is_closing(self):
        return bool(self.end)

    def write(self, data):
        self.written += data

    def close(self):
        self.end = self.end or "closed"

    def abort(self):
        self.end = self.end or "aborted"

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True


class Client:
    """A connection as its client sees it."""

    def __init__(self):
        self.served = []
        self.clock = Clock()
        self.transport = Transport()
        self.is_slow = False  # reads nothing
        self.is_busy = False  # gets no answer
        port = Port(
            serve=self._serve,
            reject=lambda refusal, _: refusal.code.encode(),
            spawn=lambda work, _: asyncio.get_running_loop().create_task(work),
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
            max_header_size=16384,
        )
        self.connection = ClientConnection(port, self.clock.time(), self.clock, lambda: None)
        self.connection.connection_made(self.transport)

    async def _serve(self, exchange):
        self.served.append(exchange)
        if self.is_busy:
            await asyncio.get_running_loop().create_future()
        exchange.answer(b"HTTP/1.1 200 OK\r\n", b"answer")
        if self.is_slow:
            self.connection.pause_writing()

    async def sends(self, data):
        self.connection.data_received(data)
        await turns()

    async def reads(self):
        self.connection.resume_writing()
        await turns()


async def turns():
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def client():
    client = Client()
    await turns()
    yield client
    client.connection.connection_lost(None)
    await turns()


async def test_pipelined_requests_are_answered_in_turn(client):
    await client.sends(REQUEST * 3)

    assert len(client.served) == 3


async def test_next_answer_waits_until_the_last_one_is_read(client):
    client.is_slow = True

    await client.sends(REQUEST * 2)
    before = len(client.served)
    await client.reads()

    assert (before, len(client.served)) == (1, 2)


async def test_client_that_reads_no_answer_is_cut(client):
    client.is_slow = True

    await client.sends(REQUEST * 2)
    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "aborted"


async def test_requests_behind_an_unread_answer_are_bounded(client):
    client.is_slow = True

    await client.sends(REQUEST)
    await client.sends(REQUEST * 5000)

    assert not client.transport.is_reading


async def test_idle_time_counts_after_a_slow_client_has_read(client):
    client.is_slow = True
    await client.sends(REQUEST)
    await client.reads()

    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "closed"


async def test_upload_that_stalls_after_a_slow_download_is_given_up(client):
    client.is_busy = True
    await client.sends(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
    client.connection.pause_writing()
    await client.reads()

    client.clock.advance(HEADER_TIMEOUT)

    assert client.served[0].broken.code == "request_timeout"
