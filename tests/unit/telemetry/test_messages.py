import errno
import json

import pytest

from pyproxy.telemetry.messages import ERROR, INFO, NOTICE, WARNING, MessageOutlet, severity_of


class Way:
    """Takes messages until it breaks, as told."""

    def __init__(self, taken, failures):
        self._taken = taken
        self._failures = failures
        self.is_closed = False

    def send(self, line, severity):
        if self._failures:
            failure = self._failures.pop(0)
            if failure is not None:
                raise failure
        self._taken.append((line, severity))

    def close(self):
        self.is_closed = True


class Ways:
    """Opens ways that share what they take and how they fail."""

    def __init__(self, *failures, unopened=0):
        self.taken = []
        self.opened = []
        self.failures = list(failures)
        self.unopened = unopened

    def __call__(self):
        if self.unopened:
            self.unopened -= 1
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.opened.append(Way(self.taken, self.failures))
        return self.opened[-1]

    @property
    def lines(self):
        return [line for line, _ in self.taken]


def test_each_line_is_a_message():
    ways = Ways()
    outlet = MessageOutlet(ways)

    assert outlet.write(b"one\ntwo\n") == 8
    assert ways.lines == [b"one", b"two"]
    assert len(ways.opened) == 1
    outlet.close()
    assert ways.opened[0].is_closed


def test_what_broke_is_opened_anew_and_the_line_sent_again():
    ways = Ways(None, ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    outlet = MessageOutlet(ways)

    assert outlet.write(b"one\ntwo\n") == 8
    assert ways.lines == [b"one", b"two"]
    assert [each.is_closed for each in ways.opened] == [True, False]


def test_what_stays_broken_leaves_the_lines_to_who_writes():
    gone = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    ways = Ways(None, gone, gone)
    outlet = MessageOutlet(ways)

    assert outlet.write(b"one\ntwo\nthree\n") == 4
    assert outlet.problem == "Connection refused"
    assert outlet.write(b"two\nthree\n") == 10
    assert outlet.problem == ""
    assert ways.lines == [b"one", b"two", b"three"]


def test_nobody_there_is_a_problem_until_somebody_is():
    ways = Ways(unopened=2)
    outlet = MessageOutlet(ways)

    assert outlet.try_open() == "No such file or directory"
    assert outlet.write(b"one\n") == 0
    assert outlet.problem == "No such file or directory"
    assert outlet.write(b"one\n") == 4


def test_a_line_too_long_for_the_way_is_refused_and_the_next_goes():
    ways = Ways(OSError(errno.EMSGSIZE, "Message too long"))
    outlet = MessageOutlet(ways)

    assert outlet.write(b"long\nshort\n") == 11
    assert (outlet.refused, outlet.problem) == (1, "")
    assert ways.lines == [b"short"]


def test_a_timeout_has_no_words_of_the_system_and_gets_ours():
    outlet = MessageOutlet(Ways(TimeoutError(), TimeoutError()))

    assert outlet.write(b"one\n") == 0
    assert outlet.problem == "TimeoutError"


def test_reopening_closes_what_is_open():
    ways = Ways()
    outlet = MessageOutlet(ways)
    outlet.write(b"one\n")
    outlet.reopen()
    outlet.reopen()
    outlet.write(b"two\n")

    assert len(ways.opened) == 2


@pytest.mark.parametrize(
    ("event", "result", "severity"),
    [
        ("auth.ok", "ok", INFO),
        ("auth.failed", "invalid_token", WARNING),
        ("auth.banned", "banned", WARNING),
        ("access.denied", "path_denied", WARNING),
        ("limit.exceeded", "rate_limited", WARNING),
        ("token.minted", "ok", NOTICE),
        ("config.reloaded", "ok", NOTICE),
        ("config.reloaded", "failed", ERROR),
        ("log.lost", "lost", ERROR),
    ],
)
def test_the_event_decides_how_much_a_line_matters(event, result, severity):
    line = json.dumps({"event": event, "result": result}).encode()

    assert severity_of(line) == severity


@pytest.mark.parametrize("line", [b"", b"no json", b"[]", b"{}", b"1"])
def test_what_is_no_audit_line_matters_little(line):
    assert severity_of(line) == INFO
