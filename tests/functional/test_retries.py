"""What is tried again, what is not, and who is asked no more after failures."""

import asyncio
from collections import Counter

from tests.functional.scripted import HOST, NUMBER, Upstream, answers

REQUESTS, CLIENTS = 2000, 20


async def test_none_of_many_is_lost_while_one_comes_and_goes(start, three):
    gateway = await start(three, route="rate_limits = []")
    asking = [asyncio.ensure_future(answers(gateway, REQUESTS // CLIENTS)) for _ in range(CLIENTS)]
    while not all(task.done() for task in asking):
        await three[0].leave()
        await asyncio.wait(asking, timeout=0.03)
        await three[0].come_back()
        await asyncio.wait(asking, timeout=0.03)
    found = sum((task.result() for task in asking), Counter())

    assert found.total() == REQUESTS
    assert found.keys() <= {0, 1, 2}


async def test_one_that_keeps_failing_is_left_out_and_told_once(start, three):
    gateway = await start(three)
    await three[0].leave()
    found = await answers(gateway, 30)
    line = await gateway.lines.next("upstream.ejected")

    assert found.keys() == {1, 2}
    assert found.total() == 30
    assert (line["level"], line["upstream"]) == ("warning", f"{HOST}:{three[0].port}")
    assert len(gateway.lines.of("upstream.ejected")) == 1
    assert len(gateway.lines.of("upstream.failed")) <= 3


async def test_get_whose_connection_ends_before_an_answer_is_tried_elsewhere(start):
    async with Upstream() as silent, Upstream(NUMBER % 1) as other:
        gateway = await start([silent, other])
        asking = asyncio.ensure_future(answers(gateway, 1))
        connection, _ = await silent.asked()
        connection.close()

        assert await asking == {1: 1}


async def test_post_whose_connection_ends_before_an_answer_is_not_sent_twice(start):
    async with Upstream() as silent, Upstream(NUMBER % 1) as other:
        gateway = await start([silent, other])
        asking = asyncio.ensure_future(answers(gateway, 1, method="POST"))
        connection, _ = await silent.asked()
        connection.close()

        assert await asking == {502: 1}
        assert not other.received


async def test_silence_is_a_failure_and_no_reason_to_ask_another(start):
    async with Upstream() as silent, Upstream(NUMBER % 1) as other:
        gateway = await start([silent, other], route='read_timeout = "50ms"')

        assert await answers(gateway, 1) == {504: 1}
        assert not other.received
