import socket

import pytest

from pyproxy.transports.unread import Unread


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_nothing_is_there_at_first_and_after_reading(ends):
    ours, theirs = ends
    unread = Unread(ours)
    before = unread.is_there()
    theirs.send(b"x")
    meanwhile = unread.is_there()
    ours.recv(1)

    assert [before, meanwhile, unread.is_there()] == [False, True, False]


def test_the_end_is_there_to_stay(ends):
    ours, theirs = ends
    theirs.close()
    unread = Unread(ours)
    ours.recv(1)

    assert unread.is_there()
