"""The journal's socket, and what its native protocol says (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

import array
import os
import socket
import struct

import pytest

from pyproxy.telemetry.journald import Journald
from pyproxy.telemetry.messages import MessageOutlet

LINE = b'{"event":"auth.failed","result":"invalid_token"}'


def fields_of(text):
    """The fields of an entry in their order."""
    found = {}
    while text:
        first, _, text = text.partition(b"\n")
        name, is_short, value = first.partition(b"=")
        if not is_short:
            (length,) = struct.unpack_from("<Q", text)
            value, text = text[8 : 8 + length], text[9 + length :]
        found[name.decode()] = value
    return found


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        bound.settimeout(5.0)
        yield path, bound


def test_a_line_is_an_entry_that_journalctl_can_select(journal):
    path, bound = journal
    journald = Journald(str(path))
    journald.send(LINE, 4)

    assert fields_of(bound.recv(65536)) == {
        "MESSAGE": LINE,
        "PRIORITY": b"4",
        "SYSLOG_FACILITY": b"10",
        "SYSLOG_IDENTIFIER": b"pyproxy",
    }
    journald.close()


def test_a_line_longer_than_a_datagram_goes_as_a_sealed_file(journal):
    path, bound = journal
    journald = Journald(str(path))
    journald.send(b"x" * 1_000_000, 4)
    data, [(_, _, passed)], _, _ = bound.recvmsg(1, socket.CMSG_SPACE(4))
    descriptor = array.array("i", passed)[0]
    text = os.pread(descriptor, 2_000_000, 0)
    os.close(descriptor)

    assert data == b""
    assert fields_of(text)["MESSAGE"] == b"x" * 1_000_000
    journald.close()


def test_a_journal_that_is_not_there_is_an_error_and_one_that_comes_is_found(tmp_path):
    path = tmp_path / "socket"
    with pytest.raises(FileNotFoundError):
        Journald(str(path))
    outlet = MessageOutlet(lambda: Journald(str(path)))
    assert outlet.write(LINE + b"\n") == 0
    for _ in range(2):  # it comes, and comes again
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
            bound.bind(str(path))
            bound.settimeout(5.0)

            assert outlet.write(LINE + b"\n") == len(LINE) + 1
            assert fields_of(bound.recv(65536))["MESSAGE"] == LINE
        path.unlink()
    outlet.close()
