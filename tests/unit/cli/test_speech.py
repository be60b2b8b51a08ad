import io
import os

import pytest

from pyproxy.cli.speech import Progress, bad, fault, good, warning


class Terminal(io.StringIO):
    """A stream that is a terminal, of unknown size."""

    def isatty(self):
        return True

    def fileno(self):
        raise OSError


@pytest.mark.parametrize(
    ("say", "text", "is_error"),
    [
        (lambda: fault("x"), "pyproxy: x\n", True),
        (lambda: warning("x"), "warning: x\n", True),
        (lambda: good("ok"), "ok\n", False),
        (lambda: bad("answers", 503), "answers 503\n", False),
    ],
    ids=["fault", "warning", "good", "bad"],
)
def test_words_say_it_too(capsys, say, text, is_error):
    say()

    captured = capsys.readouterr()
    assert (captured.err if is_error else captured.out) == text


def test_progress_is_for_terminals(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()

    progress.show("asking")
    progress.clear()

    assert terminal.getvalue() == "\r\x1b[Kasking\r\x1b[K"


def test_progress_is_cut_to_a_line(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    terminal.fileno = lambda: 2
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((5, 24)))

    Progress().show("asking")

    assert terminal.getvalue() == "\r\x1b[Kaski"


def test_progress_is_silent_elsewhere(capsys):
    Progress().show("asking")

    assert capsys.readouterr().err == ""
