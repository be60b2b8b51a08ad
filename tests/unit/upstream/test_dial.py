"""The first address to answer wins, over real sockets."""

import asyncio
import errno
import socket

import pytest

from pyproxy.upstream.dial import _Race, dial, interleaved
from pyproxy.upstream.names import Place
from tests.clock import Clock
from tests.unit.upstream.reached import PATIENCE_S
from tests.waiting import turns, until

NEVER_S = 60.0  # longer than any test: what happens does not wait for the next attempt
HOST = "127.0.0.1"


def v4(port, host=HOST):
    return Place(socket.AF_INET, (host, port))


def v6(port):
    return Place(socket.AF_INET6, ("::1", port, 0, 0))


@pytest.fixture
async def listening():
    async def hold(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def dialled(places, delay_s=NEVER_S):
    """Where a connection was made to, and whom it beat."""
    async with asyncio.timeout(PATIENCE_S):
        sock, place, beaten = await dial(asyncio.get_running_loop(), places, delay_s)
    with sock:
        assert sock.getpeername() == place.address
        return place.address[:2], beaten


async def test_first_place_is_taken_if_it_answers(listening, dead):
    assert await dialled([v4(listening), v4(dead)]) == ((HOST, listening), ())


async def test_refused_attempt_is_followed_by_the_next_at_once(listening, dead):
    assert await dialled([v4(dead), v4(listening)]) == ((HOST, listening), (v4(dead),))


async def test_silent_place_is_overtaken_by_the_next(listening, silent):
    found = await dialled([v4(silent), v4(listening)], delay_s=0.01)

    assert found == ((HOST, listening), (v4(silent),))


async def test_every_place_gets_its_turn(listening, silent, dead):
    found, beaten = await dialled([v4(silent), v4(dead), v4(silent), v4(listening)], delay_s=0.01)

    assert found == (HOST, listening)
    assert set(beaten) == {v4(silent), v4(dead)}


@pytest.mark.parametrize("is_first", [True, False])
async def test_both_families_are_tried(is_first):
    async def leave(_reader, writer):
        writer.close()

    async with await asyncio.start_server(leave, "::1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        places = [v6(port), v4(port)] if is_first else [v4(port), v6(port)]

        assert (await dialled(places))[0] == ("::1", port)


@pytest.mark.parametrize("count", [1, 3])
async def test_one_reason_of_all_is_told_once(dead, count):
    with pytest.raises(ConnectionRefusedError):
        await dialled([v4(dead)] * count)


async def test_several_reasons_are_told_in_words(dead):
    unusable = Place(socket.AF_UNIX, ("", 0))
    with pytest.raises(OSError, match=r"^protocol not supported, connection refused$"):
        await dialled([unusable, v4(dead)])


async def test_place_that_no_socket_can_reach_is_passed_over(listening):
    unusable = Place(socket.AF_UNIX, ("", 0))

    assert await dialled([unusable, v4(listening)]) == ((HOST, listening), (unusable,))


async def test_connection_does_not_wait_to_send_little(listening):
    sock, *_ = await dial(asyncio.get_running_loop(), [v4(listening)])
    with sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not sock.getblocking()


class Standing(Clock):
    """The running loop, whose time stands still."""

    def __init__(self):
        super().__init__()
        loop = asyncio.get_running_loop()
        self.add_writer, self.remove_writer = loop.add_writer, loop.remove_writer


async def test_delay_counts_from_the_last_attempt_and_ends_with_the_race(dead, silent):
    clock = Standing()
    race = _Race(clock, iter([v4(dead), v4(silent), v4(silent), v4(silent)]), 1.0)
    race.next()
    await until(lambda: len(clock.started) == 2)
    first = len(race._running)
    clock.advance(1.0)
    second = len(race._running)
    race.end()

    assert (first, second) == (1, 2)
    assert clock.waiting == []


async def test_place_that_is_out_of_reach_at_once_is_passed_over(listening):
    far = v4(listening, "255.255.255.255")

    assert await dialled([far, v4(listening)]) == ((HOST, listening), (far,))
    with pytest.raises(OSError, match="unreachable"):
        await dialled([far])


# --- Nothing is left behind


async def test_losers_are_closed(listening, silent, sockets):
    before = sockets()
    sock, *_ = await dial(
        asyncio.get_running_loop(), [v4(silent), v4(silent), v4(listening)], delay_s=0.01
    )

    assert sockets() == before + 1 + 1  # the server's end
    sock.close()


async def test_cancellation_closes_what_is_under_way(silent, sockets):
    before = sockets()
    dialling = asyncio.ensure_future(dialled([v4(silent), v4(silent)]))
    await turns(1)
    during = sockets()
    dialling.cancel()
    await asyncio.wait({dialling})

    assert (during, sockets()) == (before + 1, before)
    assert dialling.cancelled()


async def test_cancellation_closes_a_winner_that_nobody_took(listening):
    race = _Race(asyncio.get_running_loop(), iter([v4(listening)]), NEVER_S)
    race.next()
    winner = await race.over
    race.end()

    assert winner.fileno() == -1


async def test_cancellation_lets_a_failure_go_that_nobody_heard(dead):
    race = _Race(asyncio.get_running_loop(), iter([v4(dead)]), NEVER_S)
    race.next()
    await asyncio.wait({race.over})
    race.end()

    assert race.over.exception().errno == errno.ECONNREFUSED


async def test_second_winner_is_closed_with_the_losers(listening):
    race = _Race(asyncio.get_running_loop(), iter([v4(listening), v4(listening)]), NEVER_S)
    race.next()
    race.next()
    first, second = race._running
    await race.over
    race._answered(second)
    race.end()

    assert {first.fileno(), second.fileno()} == {-1}


# --- The order


@pytest.mark.parametrize(
    ("families", "order"),
    [
        pytest.param("6", "6", id="one"),
        pytest.param("4444", "4444", id="one family"),
        pytest.param("6644", "6464", id="in turn"),
        pytest.param("44446", "46444", id="the first one's first"),
        pytest.param("46666", "46666", id="one of them alone"),
    ],
)
def test_families_are_tried_in_turn(families, order):
    made = [v6(i) if family == "6" else v4(i) for i, family in enumerate(families)]
    found = list(interleaved(made))

    assert "".join("6" if each.family == socket.AF_INET6 else "4" for each in found) == order
    assert sorted(each.address[1] for each in found) == list(range(len(families)))
