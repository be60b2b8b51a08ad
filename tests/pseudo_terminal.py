"""A terminal with a program in it, and somebody before it."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from contextlib import suppress

PATIENCE_S = 20.0
# Makes the terminal the session's own, and becomes the program.
_LEAD = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class PseudoTerminal:
    """Runs a program with a terminal as its three streams, while a block lasts.

    Args:
        command: The program and its arguments.
        environ: Its environment.
        cwd: Its folder.
        columns: The terminal's width.
        output: Standard output goes here instead; standard error stays with the terminal.

    Attributes:
        written: All that it wrote.
    """

    def __init__(self, command, environ, cwd, *, columns=80, output=None):
        self._person, program = pty.openpty()
        termios.tcsetwinsize(self._person, (24, columns))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LEAD, *command],
            stdin=program, stdout=output or program, stderr=program, env=environ, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
        os.close(program)
        self.written = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._person)

    def until(self, text):
        """Read until it wrote this, since it was last waited for."""
        begun, deadline = len(self.written), time.monotonic() + PATIENCE_S
        while text not in self.written[begun:]:
            left = deadline - time.monotonic()
            assert left > 0, self.written
            assert self._read(left), self.written

    def type(self, keys):
        os.write(self._person, keys.encode())

    def ends(self):
        """Read to the end; the exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(max(0.0, deadline - time.monotonic())):
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self, seconds):
        if not select.select([self._person], [], [], seconds)[0]:
            return False
        data = b""
        with suppress(OSError):  # nobody has the other end
            data = os.read(self._person, 65536)
        self.written += data.decode()
        return bool(data)
