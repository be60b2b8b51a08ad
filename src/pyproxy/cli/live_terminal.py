"""A terminal taken over for a while: drawn anew, listened to for keys, given back as it was."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType
from typing import Final, Self, TextIO

# The second screen, so that the person's own lines are there again afterwards; no cursor.
_TAKE: Final = "\x1b[?1049h\x1b[?25l\x1b[2J"
_GIVE_BACK: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_REST_OF_LINE: Final = "\x1b[K"
_REST_OF_SCREEN: Final = "\x1b[J"
_END: Final = "\x04"
_SIZE_UNKNOWN: Final = os.terminal_size((80, 24))

Handler = Callable[[int, FrameType | None], object] | int | None


class LiveTerminal:
    """Standard input and output, as long as a block lasts.

    Given back whatever ends the block: an exception, Ctrl-C, and SIGTERM or SIGHUP, which
    raise ``SystemExit`` meanwhile. While the process is stopped (Ctrl-Z) the shell has it.

    Args:
        source: Where keys are from, a terminal.
        target: What is drawn on, a terminal.
    """

    def __init__(self, source: TextIO = sys.stdin, target: TextIO = sys.stdout) -> None:
        self._source, self._target = source, target
        self._before = termios.tcgetattr(source)
        self._handlers: dict[int, Handler] = {}
        self._bell, self._ringer = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ringer, False)

    def __enter__(self) -> Self:
        """Take the terminal over."""
        for number, handler in (
            (signal.SIGWINCH, self._note),
            (signal.SIGCONT, self._resume),
            (signal.SIGTSTP, self._stop),
            (signal.SIGTERM, self._leave),
            (signal.SIGHUP, self._leave),
        ):
            self._handlers[number] = signal.signal(number, handler)
        self._wakeup = signal.set_wakeup_fd(self._ringer, warn_on_full_buffer=False)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._give_back()
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._bell)
        os.close(self._ringer)

    @property
    def size(self) -> os.terminal_size:
        """Columns and rows, as they are now."""
        try:
            size = os.get_terminal_size(self._target.fileno())
        except OSError:
            return _SIZE_UNKNOWN
        return size if size.columns and size.lines else _SIZE_UNKNOWN

    def draw(self, lines: Iterable[str]) -> None:
        """Show these lines instead of what was there, without a flicker.

        Args:
            lines: No more, and no longer, than the terminal takes.
        """
        text = (_REST_OF_LINE + "\n").join(lines)
        self._write(_HOME + text + _REST_OF_LINE + _REST_OF_SCREEN)

    def wait(self, seconds: float) -> str:
        """Wait for keys, a change of size or the time to pass; the keys, Ctrl-D if it is gone."""
        source = self._source.fileno()
        ready, _, _ = select.select([source, self._bell], [], [], seconds)
        if self._bell in ready:
            os.read(self._bell, select.PIPE_BUF)
        if source in ready:
            return self._read(source)
        return ""

    @staticmethod
    def _read(source: int) -> str:
        try:
            keys = os.read(source, select.PIPE_BUF)
        except OSError:
            return _END
        return keys.decode("ascii", "replace") if keys else _END

    def _take(self) -> None:
        tty.setcbreak(self._source, termios.TCSANOW)
        self._write(_TAKE)

    def _give_back(self) -> None:
        with suppress(OSError, termios.error):  # it may be gone: its window was closed
            self._write(_GIVE_BACK)
            termios.tcsetattr(self._source, termios.TCSANOW, self._before)

    def _write(self, text: str) -> None:
        # Past the stream's buffer, which a signal's handler may not enter while it is in use.
        left = text.encode(self._target.encoding, "replace")
        while left:
            left = left[os.write(self._target.fileno(), left) :]

    def _note(self, *_: object) -> None:
        """What is waited for meanwhile is woken by the pipe."""

    def _stop(self, *_: object) -> None:
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _resume(self, *_: object) -> None:
        self._take()

    def _leave(self, *_: object) -> None:
        raise SystemExit(0)
