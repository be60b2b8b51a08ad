"""An endpoint that is asked whether it is well, over real sockets."""

import asyncio

import pytest

from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.health import HealthCheck
from pyproxy.upstream.news import silent as tell_nobody
from tests.unit.upstream.asked import HOST, UNWELL, WELL, Server, Told, rules
from tests.unit.upstream.reached import PATIENCE_S


@pytest.fixture
async def server():
    async with Server() as server:
        yield server


def check_of(endpoint, tell=tell_nobody, **changes):
    return HealthCheck(endpoint, rules(**changes), tell, lambda: 0.0)


async def verdict(endpoint, **changes):
    """What one question finds wrong."""
    async with asyncio.timeout(PATIENCE_S):
        return await check_of(endpoint, **changes)._ask()


# --- One question


async def test_it_is_asked_by_its_name(server):
    await verdict(server.endpoint)

    assert server.asked == [
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        b"X-Key: secret\r\nConnection: close\r\n\r\n" % server.port
    ]


def test_credential_is_not_shown():
    assert "secret" not in repr(rules())


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        pytest.param(WELL, "", id="204"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "", id="200"),
        pytest.param(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "", id="elsewhere"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n" + WELL, "", id="after a hint"),
        pytest.param(UNWELL, "answered 503", id="503"),
        pytest.param(
            b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "answered 401", id="no credential"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000, "", id="too long"
        ),
        pytest.param(b"SSH-2.0-x\r\n\r\n", "status line is malformed", id="no HTTP"),
    ],
)
async def test_answer_tells_whether_it_is_well(server, answer, trouble):
    server.answer = answer
    found = await verdict(server.endpoint)

    assert found == trouble or trouble in found != ""


async def test_nobody_there_is_trouble(dead):
    endpoint = Endpoint(Address(HOST, dead), asyncio.get_running_loop())

    assert await verdict(endpoint) == "connecting failed: connection refused"


async def test_slow_connect_is_trouble(silent):
    endpoint = Endpoint(Address(HOST, silent), asyncio.get_running_loop())

    assert await verdict(endpoint, timeout_s=0.02) == "connecting took too long"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_answer_that_does_not_end_is_trouble_and_leaves_no_connection(server, answer):
    server.answer = answer

    assert await verdict(server.endpoint, timeout_s=0.05) == "no whole answer in time"
    async with asyncio.timeout(PATIENCE_S):
        await server.ended.wait()


# --- What follows


@pytest.mark.parametrize(
    ("answers", "states"),
    [
        pytest.param("++++", "++++", id="well"),
        pytest.param("--+--+", "++++++", id="not often enough in a row"),
        pytest.param("---", "++-", id="unwell"),
        pytest.param("----+-++", "++-----+", id="well again"),
        pytest.param("---++---", "++--+++-", id="up and down"),
    ],
)
def test_several_answers_in_a_row_change_the_verdict(answers, states):
    check = check_of(Endpoint(Address(HOST, 80), None))
    found = ""
    for answer in answers:
        check.take("" if answer == "+" else "answered 503")
        found += "+" if check.is_healthy else "-"

    assert found == states


async def test_changes_are_told_once_each(server):
    told = Told()
    check = check_of(server.endpoint, told)
    running = asyncio.ensure_future(check.run())
    await server.asked_again(2)
    server.answer = UNWELL
    await told.next(1)
    while_unwell = check.is_healthy
    await server.asked_again(5)
    server.answer = WELL
    await told.next(2)
    await server.asked_again(3)
    running.cancel()
    await asyncio.wait({running})

    assert not while_unwell
    assert check.is_healthy
    assert told.news == [("unhealthy", "answered 503"), ("healthy", "")]


async def test_without_questions_it_is_taken_to_be_well(server):
    server.answer = UNWELL
    told = Told()
    check = check_of(server.endpoint, told)
    running = asyncio.ensure_future(check.run())
    await told.next(1)
    running.cancel()
    await asyncio.wait({running})

    assert check.is_healthy
