import os
import pty
import select
import signal
import termios

import pytest

from pyproxy.cli.live_terminal import LiveTerminal

TAKE = "\x1b[?1049h\x1b[?25l\x1b[2J"
GIVE_BACK = "\x1b[?25h\x1b[?1049l"


@pytest.fixture
def ends():
    """A person's end of a terminal, and the program's as a stream."""
    person, program = pty.openpty()
    with os.fdopen(program, "w") as stream:
        yield person, stream
    os.close(person)


def read(person, end):
    """What was written, up to an end that is waited for."""
    written = ""
    while not written.endswith(end):
        assert select.select([person], [], [], 10.0)[0], written
        written += os.read(person, 65536).decode()
    return written


def test_terminal_is_given_back_as_it_was(ends):
    person, stream = ends
    before = termios.tcgetattr(stream)
    with LiveTerminal(stream, stream):
        assert termios.tcgetattr(stream) != before

    assert termios.tcgetattr(stream) == before
    assert read(person, GIVE_BACK) == TAKE + GIVE_BACK


def test_terminal_is_given_back_after_a_fault(ends):
    person, stream = ends
    before = termios.tcgetattr(stream)
    with pytest.raises(KeyError), LiveTerminal(stream, stream):
        raise KeyError

    assert termios.tcgetattr(stream) == before
    assert read(person, GIVE_BACK).endswith(GIVE_BACK)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_that_ends_the_process_gives_it_back(ends, number):
    person, stream = ends
    handler = signal.getsignal(number)
    with pytest.raises(SystemExit), LiveTerminal(stream, stream):
        os.kill(os.getpid(), number)

    assert read(person, GIVE_BACK).endswith(GIVE_BACK)
    assert signal.getsignal(number) is handler


def test_keys_are_heard_without_a_line_end(ends):
    person, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        os.write(person, b"q")

        assert terminal.wait(5.0) == "q"


def test_terminal_that_is_gone_says_the_end(ends):
    person, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        os.write(person, b"\x04")

        assert terminal.wait(5.0) == "\x04"


def test_time_passes_without_keys(ends):
    _, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        assert terminal.wait(0.0) == ""


def test_change_of_size_ends_the_wait(ends):
    person, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        termios.tcsetwinsize(person, (50, 120))
        os.kill(os.getpid(), signal.SIGWINCH)

        assert terminal.wait(5.0) == ""
        assert terminal.size == (120, 50)


def test_size_that_nobody_knows_is_the_usual(ends):
    _, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        assert terminal.size == (80, 24)


def test_size_of_what_is_no_terminal_is_the_usual(ends, tmp_path):
    _, stream = ends
    with (tmp_path / "file").open("w") as file, LiveTerminal(stream, file) as terminal:
        assert terminal.size == (80, 24)


def test_lines_replace_those_before(ends):
    person, stream = ends
    with LiveTerminal(stream, stream) as terminal:
        read(person, TAKE)
        terminal.draw(["one", "two"])

        assert read(person, "\x1b[J") == "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J"
