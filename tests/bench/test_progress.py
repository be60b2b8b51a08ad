import io

from bench.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_stays_on_its_line_and_is_taken_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    progress = Progress(2, terminal)

    progress.step("key, pyproxy")
    progress.step("key, nginx")
    progress.clear()

    assert terminal.getvalue() == "\r\x1b[K1 of 2: key, pyproxy\r\x1b[K2 of 2: key, nginx\r\x1b[K"


def test_nothing_is_said_where_nobody_watches():
    pipe = io.StringIO()

    Progress(1, pipe).step("key, pyproxy")

    assert pipe.getvalue() == ""
