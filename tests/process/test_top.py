"""``pyproxy top`` in a terminal of its own, with somebody before it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager

import pytest

from tests.desk import Desk, route
from tests.process.served import KEPT, PATIENCE_S

TAKE = "\x1b[?1049h\x1b[?25l\x1b[2J"
GIVE_BACK = "\x1b[?25h\x1b[?1049l"
COLOUR = re.compile("\x1b\\[[0-9;]*m")


class Terminal:
    """A terminal of 80 columns and 24 rows, unless it is changed, and a program in it.

    Attributes:
        process: The program.
        written: All that it wrote.
    """

    def __init__(self, command, environ):
        self._person, program = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(program)
        self._program, self._is_open = program, True
        # A session of its own, whose terminal this is: Ctrl-C and changes of size arrive.
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LEAD, *command],
            stdin=program, stdout=program, stderr=program, env=environ, start_new_session=True,
        )  # fmt: skip
        self.written = ""

    @property
    def screen(self):
        """The last whole picture, as lines without colours."""
        before, _, _ = self.written.rpartition("\x1b[J")
        picture = before.rpartition("\x1b[H")[2]
        return COLOUR.sub("", picture).replace("\x1b[K", "").split("\r\n")

    @property
    def settings(self):
        """How the terminal is set now."""
        return termios.tcgetattr(self._program)

    def until(self, is_so):
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            left = deadline - time.monotonic()
            assert left > 0, self.written
            if select.select([self._person], [], [], left)[0]:
                self.written += os.read(self._person, 65536).decode()

    def shows(self, text):
        """Wait until a line of the picture has this."""
        self.until(lambda: any(text in line for line in self.screen))

    def type(self, keys):
        os.write(self._person, keys)

    def resize(self, columns, rows):
        """As a window's edge is drawn: the kernel tells the program (SIGWINCH)."""
        termios.tcsetwinsize(self._person, (rows, columns))

    def hang_up(self):
        """As a window's closing does."""
        os.close(self._person)
        os.close(self._program)
        self._is_open = False

    def ends(self):
        """Wait for the program's end; its exit code."""
        self.until(lambda: self.written.endswith(GIVE_BACK))
        return self.process.wait(PATIENCE_S)

    def close(self):
        self.process.kill()
        self.process.wait()
        if self._is_open:
            self.hang_up()


# Makes the terminal the session's own, and becomes the program.
_LEAD = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'pyproxy', *sys.argv[1:]])"
)


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.leave()


@pytest.fixture
def top(desk, tmp_path):
    """Run ``pyproxy top`` on the desk."""

    @contextmanager
    def top_(*arguments, **environ):
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        around = kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(tmp_path)}
        command = ["top", "--url", desk.url, "--interval", "100ms", *arguments]
        terminal = Terminal(command, around | environ)
        try:
            yield terminal
        finally:
            terminal.close()

    return top_


def test_figures_are_alive_until_q(top, desk):
    with top() as terminal:
        terminal.shows("0 requests/s")
        desk.status["requests"]["per_second"] = 41.0
        terminal.shows("41 requests/s")
        assert terminal.screen[-1] == "q ends"

        terminal.type(b"q")

        assert terminal.ends() == 0
        assert terminal.written.startswith(TAKE)
        assert terminal.settings == terminal.before


def test_ctrl_c_ends_it_and_gives_the_terminal_back(top):
    with top() as terminal:
        terminal.shows("q ends")

        terminal.type(b"\x03")

        assert terminal.ends() == 0
        assert terminal.settings == terminal.before


def test_sigterm_gives_the_terminal_back(top):
    with top() as terminal:
        terminal.shows("q ends")

        terminal.process.send_signal(signal.SIGTERM)

        assert terminal.ends() == 0
        assert terminal.settings == terminal.before


def test_window_that_is_closed_ends_it(top):
    with top() as terminal:
        terminal.shows("q ends")

        terminal.hang_up()

        # 120 is Python's word for an output that is gone when it ends; nobody is there to see it.
        assert terminal.process.wait(PATIENCE_S) in {0, 120}


def test_ctrl_z_leaves_the_terminal_to_the_shell_meanwhile(top):
    with top() as terminal:
        terminal.shows("q ends")

        terminal.process.send_signal(signal.SIGTSTP)
        terminal.until(lambda: terminal.written.endswith(GIVE_BACK))
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert terminal.settings == terminal.before
        terminal.process.send_signal(signal.SIGCONT)

        terminal.until(lambda: GIVE_BACK + TAKE in terminal.written)
        terminal.type(b"q")
        assert terminal.ends() == 0


def test_window_that_changes_its_size_is_filled_at_once(top, desk):
    desk.status["routes"] = [
        route(f"route-{i:02}", ("http://a-long-name.example", "up")) for i in range(30)
    ]
    with top("--interval", "1h") as terminal:
        terminal.shows("more lines: a higher window")
        assert len(terminal.screen) == 24
        assert max(map(len, terminal.screen)) <= 80

        terminal.resize(40, 10)
        terminal.until(lambda: len(terminal.screen) == 10)
        assert max(map(len, terminal.screen)) <= 40

        terminal.resize(200, 60)
        terminal.shows("q ends")
        terminal.shows("http://a-long-name.example")


def test_gateway_that_falls_silent_is_told_and_the_last_figures_stay(top, desk):
    with top() as terminal:
        terminal.shows("0 requests/s")

        desk.code = 503

        terminal.shows("NO ANSWER for")
        terminal.shows("0 requests/s")
        desk.code = 200
        terminal.until(lambda: "NO ANSWER" not in "".join(terminal.screen))


def test_no_color_is_honoured(top, desk):
    desk.status["ready"] = False
    with top(NO_COLOR="1") as terminal:
        terminal.shows("not ready")

        assert COLOUR.search(terminal.written) is None
    with top() as terminal:
        terminal.shows("not ready")

        assert COLOUR.search(terminal.written)


def test_hostile_names_cannot_talk_to_the_terminal(top, desk):
    desk.status["routes"] = [route("a\x1b[31m", ("\x1b]0;owned\x07", "up"))]
    with top(NO_COLOR="1") as terminal:
        terminal.shows("a\\u001b[31m")

        assert "\x1b[31m" not in terminal.written
        assert "\x1b]" not in terminal.written


def test_once_prints_and_leaves_the_screen_alone(top):
    with top("--once") as terminal:
        terminal.until(lambda: "last reload" in terminal.written)

        assert terminal.process.wait(PATIENCE_S) == 0
        assert "\x1b[?1049h" not in terminal.written
