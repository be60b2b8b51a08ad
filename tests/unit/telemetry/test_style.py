import pytest

from pyproxy.telemetry.style import RED, Timestamp, is_coloured, painted, shown


class Stream:
    def __init__(self, is_terminal):
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


@pytest.mark.parametrize(
    ("stream", "environ", "expected"),
    [
        pytest.param(Stream(True), {}, True, id="terminal"),
        pytest.param(Stream(True), {"NO_COLOR": ""}, True, id="NO_COLOR empty"),
        pytest.param(Stream(True), {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param(Stream(True), {"TERM": "dumb"}, False, id="dumb terminal"),
        pytest.param(Stream(False), {}, False, id="pipe"),
        pytest.param(None, {}, False, id="closed"),
    ],
)
def test_colours_are_for_people_who_want_them(stream, environ, expected):
    assert is_coloured(stream, environ) is expected


def test_painted_text_ends_its_colour():
    assert painted("x", RED, is_coloured=True) == "\x1b[31mx\x1b[0m"
    assert painted("x", RED, is_coloured=False) == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\nb", "a\\nb", id="line feed"),
        pytest.param("\x1b[2J", "\\u001b[2J", id="escape sequence"),
        pytest.param("\x9b2J", "\\u009b2J", id="C1 escape sequence"),
        pytest.param("\u202eevil", "\\u202eev", id="right to left, and cut"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_strangers_text_cannot_talk_to_the_terminal(text, expected):
    assert shown(text, 5 if text.startswith("\x1b") else 3) == expected


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        pytest.param(0.0, "1970-01-01T00:00:00.000Z", id="epoch"),
        pytest.param(1767225600.125, "2026-01-01T00:00:00.125Z", id="milliseconds"),
        pytest.param(1767225600.9999, "2026-01-01T00:00:00.999Z", id="never rounded up"),
    ],
)
def test_moments_are_written_in_utc(wall, expected):
    stamp = Timestamp()

    assert stamp(wall) == expected
    assert stamp(wall) == expected


def test_a_clock_that_goes_back_is_followed():
    stamp = Timestamp()
    stamp(1767225601.0)

    assert stamp(1767225600.5) == "2026-01-01T00:00:00.500Z"
