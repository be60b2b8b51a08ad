"""The house itself: without these, what the others find means nothing."""

import pytest

from tests.fuzz.configuration import ALICE

GET = f"GET /a?b=c HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {ALICE}\r\n\r\n".encode()


def test_request_goes_up_and_its_answer_down(house):
    client = house.client()
    client.send(GET)

    assert client.got.startswith(b"HTTP/1.1 200 OK\r\nX-Answer: 1\r\n")
    assert client.got.endswith(b"\r\n\r\nanswer 1")
    assert [message.start[1] for _, message in house.asked] == [b"/a?b=c"]
    assert [(each["status"], each["user"]) for each in house.records] == [(200, "alice")]


def test_time_that_passes_ends_a_silent_connection(house):
    client = house.client()
    house.loop.advance(11.0)

    assert client.transport.end == "close"
    assert client.transport.is_over


def test_it_convicts_who_writes_after_the_end(house):
    client = house.client()
    client.transport.close()
    client.transport.write(b"x")

    with pytest.raises(AssertionError):
        house.judge()
    client.transport.misdeeds.clear()
