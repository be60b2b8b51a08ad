"""Messages and descriptors between two processes of ours."""

import os
import socket
import threading

import pytest

from pyproxy.runtime.link import Link


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Link(ours), Link(theirs)


def exchange(ends, message, descriptors=()):
    sending = threading.Thread(target=ends[0].send, args=(message, descriptors))
    sending.start()
    try:
        return ends[1].receive()
    finally:
        sending.join()


def test_a_message_of_any_length_arrives_whole(ends):
    message = {"text": "x" * 1_000_000}

    assert exchange(ends, message) == (message, [])
    assert exchange(ends, ()) == ((), [])


@pytest.mark.parametrize("count", [1, 250, 251, 600])
def test_descriptors_arrive_in_order_and_are_not_inherited(ends, tmp_path, count):
    files = [(tmp_path / str(number)).open("w") for number in range(count)]
    message, received = exchange(ends, "files", [each.fileno() for each in files])

    assert message == "files"
    assert [os.fstat(fd).st_ino for fd in received] == [os.fstat(f.fileno()).st_ino for f in files]
    assert not any(os.get_inheritable(fd) for fd in received)
    for fd in received:
        os.close(fd)
    for each in files:
        each.close()


def test_the_end_of_the_other_is_an_end(ends):
    ends[0].hang_up()

    with pytest.raises(EOFError):
        ends[1].receive()
    with pytest.raises(EOFError):
        ends[0].receive()


def test_half_a_message_is_none():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"\x00\x00\x00\x09\x00\x00half")
        ours.shutdown(socket.SHUT_WR)

        with pytest.raises(EOFError):
            Link(theirs).receive()


def test_descriptors_that_never_come_are_missed():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"\x00\x00\x00\x01\x00\x01\x00x")

        with pytest.raises(OSError, match="were lost"):
            Link(theirs).receive()
