"""A worker's reports arrive, and hold up nobody."""

import asyncio
import pickle
import socket
import struct

import pytest

from pyproxy.runtime.reports import PERIOD_S, ReportReceiver, ReportSender, pause_s
from pyproxy.telemetry.report import Report
from tests.waiting import turns, until


def report_of(count, size=0):
    return Report(counters={("n", ()): float(count), ("x" * size, ()): 0.0})


def framed(report):
    payload = pickle.dumps(report)
    return struct.pack("!I", len(payload)) + payload


@pytest.fixture
def pair():
    """Two connected sockets; who gets one closes it."""
    return socket.socketpair()


async def received(receiver, report):
    async with asyncio.timeout(5.0):
        await until(lambda: receiver.newest == report)


def test_each_report_replaces_the_one_before(runner, pair):

    async def push():
        receiver = await ReportReceiver.over(pair[0])
        sender = await ReportSender.over(pair[1])
        numbers = iter(range(1, 1_000_000))
        pushing = asyncio.ensure_future(sender.run(lambda: report_of(next(numbers)), 0.0))
        began_at = receiver.heard_at
        await received(receiver, report_of(1))
        heard_at = receiver.heard_at
        await received(receiver, report_of(3))
        pushing.cancel()
        await asyncio.wait([pushing])
        await sender.finish(report_of(0))
        await receiver.done.wait()

        assert receiver.newest == report_of(0)  # the last one arrives whatever comes after
        assert began_at <= heard_at <= receiver.heard_at

    runner.run(push())


def test_while_there_is_nothing_to_tell_nothing_is_told(runner, pair):

    async def push():
        receiver = await ReportReceiver.over(pair[0])
        sender = await ReportSender.over(pair[1])
        found = iter([None, None, report_of(1)])
        pushing = asyncio.ensure_future(sender.run(lambda: next(found, None), 0.0))
        await received(receiver, report_of(1))
        pushing.cancel()
        await asyncio.wait([pushing])
        await sender.finish(None)
        await receiver.done.wait()

        assert receiver.newest == report_of(1)

    runner.run(push())


def test_who_does_not_read_has_one_report_waiting_and_no_more(runner, pair):
    ours, theirs = pair

    async def push():
        sender = await ReportSender.over(theirs)
        made = []

        def make():
            made.append(None)
            return report_of(len(made), size=4_000_000)

        pushing = asyncio.ensure_future(sender.run(make, 0.0))
        await turns(200)

        assert len(made) == 1
        assert not pushing.done()
        pushing.cancel()
        await asyncio.wait([pushing])
        await sender.finish(report_of(9), 0.01)  # given up after its time

    runner.run(push())
    ours.close()


def test_who_has_gone_is_told_nothing(runner, pair):
    pair[0].close()

    async def push():
        sender = await ReportSender.over(pair[1])
        pushing = asyncio.ensure_future(sender.run(lambda: report_of(1), 0.0))
        async with asyncio.timeout(5.0):
            await until(lambda: sender._transport is None)
        await turns()

        assert not pushing.done()
        pushing.cancel()
        await asyncio.wait([pushing])
        await sender.finish(report_of(2))

    runner.run(push())


@pytest.mark.parametrize(
    ("took_s", "pause"),
    [
        pytest.param(0.0, 1.0, id="in no time"),
        pytest.param(0.005, 1.0, id="quick"),
        pytest.param(0.25, 25.0, id="slow"),
    ],
)
def test_what_takes_long_to_make_is_made_seldom(took_s, pause):
    assert pause_s(took_s, PERIOD_S) == pause


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_reports_arrive_in_pieces_of_any_size(runner, size):
    async def receive():
        receiver = ReportReceiver()
        text = b"".join(framed(report_of(number)) for number in (1, 2)) + framed(report_of(3))[:-1]
        for start in range(0, len(text), size):
            receiver.data_received(text[start : start + size])

        assert receiver.newest == report_of(2)  # of the third a byte is missing
        receiver.connection_lost(None)
        assert receiver.newest == report_of(2)
        assert receiver.done.is_set()

    runner.run(receive())


def test_what_is_no_report_is_left_alone(runner):
    async def receive():
        receiver = ReportReceiver()
        receiver.data_received(framed("no report"))

        assert receiver.newest == Report()

    runner.run(receive())
