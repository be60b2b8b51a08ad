import errno
import os
import re
import socket

import pytest

from pyproxy.telemetry.messages import MessageOutlet
from pyproxy.telemetry.syslog import LocalSyslog, RemoteSyslog

LINE = b'{"event":"auth.failed","result":"invalid_token"}'
WARNING = b"<84>"  # authpriv is 10: 10 * 8 + 4


@pytest.fixture
def dev_log(tmp_path):
    """A socket like /dev/log."""
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        bound.settimeout(5.0)
        yield path, bound


def test_the_local_syslog_gets_priority_name_and_process(dev_log):
    path, bound = dev_log
    syslog = LocalSyslog(str(path))
    syslog.send(LINE, 4)

    assert bound.recv(65536) == WARNING + b"pyproxy[%d]: " % os.getpid() + LINE
    syslog.close()


def test_a_local_syslog_that_was_started_anew_gets_the_line(dev_log):
    path, bound = dev_log
    outlet = MessageOutlet(lambda: LocalSyslog(str(path)))
    outlet.write(LINE + b"\n")
    bound.close()
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as another:
        another.bind(str(path))
        another.settimeout(5.0)

        assert outlet.write(LINE + b"\n") == len(LINE) + 1
        assert another.recv(65536).endswith(LINE)
    assert outlet.write(LINE + b"\n") == 0
    assert outlet.problem == "Connection refused"
    outlet.close()


def test_a_local_syslog_that_does_not_read_holds_a_line_up_for_a_moment_only(dev_log):
    path, bound = dev_log
    outlet = MessageOutlet(lambda: LocalSyslog(str(path)))
    lines = b"".join(b"%0900d\n" % n for n in range(20_000))

    written = outlet.write(lines)

    assert 0 < written < len(lines)
    assert written % 901 == 0
    assert outlet.problem
    assert bound.recv(65536).endswith(b"%0900d" % 0)
    outlet.close()


def test_a_line_longer_than_a_datagram_may_be_is_refused(dev_log):
    path, _ = dev_log
    outlet = MessageOutlet(lambda: LocalSyslog(str(path)))

    assert outlet.write(b"x" * 10_000_000 + b"\n") == 10_000_001
    assert outlet.refused == 1
    outlet.close()


RFC_5424 = re.compile(
    rb"<84>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]{1,255} pyproxy \d+ audit - (.*)",
    re.DOTALL,
)


def test_over_udp_a_message_is_of_rfc_5424():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5.0)
        syslog = RemoteSyslog("localhost", bound.getsockname()[1], is_stream=False)
        syslog.send(LINE, 4)

        assert RFC_5424.fullmatch(bound.recv(65536))[1] == LINE
        with pytest.raises(OSError, match=os.strerror(errno.EMSGSIZE)):
            syslog.send(b"x" * 70_000, 4)
        syslog.close()


def test_over_tcp_octets_are_counted():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        syslog = RemoteSyslog("127.0.0.1", listening.getsockname()[1], is_stream=True)
        accepted, _ = listening.accept()
        syslog.send(LINE, 4)
        syslog.send(LINE, 4)
        syslog.close()
        with accepted, accepted.makefile("rb") as stream:
            text = stream.read()

    for _ in range(2):
        count, _, text = text.partition(b" ")
        message, text = text[: int(count)], text[int(count) :]
        assert RFC_5424.fullmatch(message)[1] == LINE
    assert text == b""


def test_over_tcp_a_line_after_the_other_side_went_goes_over_a_new_connection():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        outlet = MessageOutlet(lambda: RemoteSyslog("127.0.0.1", port, is_stream=True))
        assert outlet.try_open() == ""
        first, _ = listening.accept()
        first.close()
        outlet.write(LINE + b"\n")
        second, _ = listening.accept()
        outlet.close()
        with second, second.makefile("rb") as stream:
            assert stream.read().endswith(LINE)


def test_a_host_that_nobody_knows_is_an_error():
    with pytest.raises(socket.gaierror):
        RemoteSyslog("no-such-host.invalid", 514, is_stream=False)
