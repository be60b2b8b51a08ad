import json

import pytest

from pyproxy.telemetry.log import Log

WALL = 1767225600.125


@pytest.fixture
def lines():
    return []


def log_to(lines, **options):
    return Log(lines.append, lambda: WALL, **options)


def test_a_message_is_one_json_line(lines):
    log_to(lines).info("listener.ready", "Listening.", bind="0.0.0.0:5000", tls=True)

    assert [json.loads(line) for line in lines] == [
        {
            "time": "2026-01-01T00:00:00.125Z",
            "level": "info",
            "event": "listener.ready",
            "message": "Listening.",
            "bind": "0.0.0.0:5000",
            "tls": True,
        },
    ]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        pytest.param("debug", ["debug", "info", "warning", "error"], id="debug"),
        pytest.param("info", ["info", "warning", "error"], id="info"),
        pytest.param("warning", ["warning", "error"], id="warning"),
        pytest.param("error", ["error"], id="error"),
    ],
)
def test_less_than_the_level_is_not_written(lines, level, expected):
    log = log_to(lines, level=level)
    log.debug("x")
    log.info("x")
    log.warning("x")
    log.error("x")

    assert [json.loads(line)["level"] for line in lines] == expected
    assert log.is_debug is (level == "debug")


def test_a_value_cannot_replace_the_lines_own(lines):
    log_to(lines).info("x", "y", level="error", event="forged", time="never", message="forged")

    line = json.loads(lines[0])
    assert (line["level"], line["event"], line["message"]) == ("info", "x", "y")
    assert line["time"] == "2026-01-01T00:00:00.125Z"


@pytest.mark.parametrize("style", ["json", "console"])
def test_texts_are_cut_and_escaped(lines, style):
    log_to(lines, style=style).info("x", "m\n" * 9000, value="v\x1b" * 9000)

    assert lines[0].isprintable()
    assert len(lines[0]) < 10_000


def test_a_failure_has_its_traceback(lines):
    try:
        {}["pyp_secret"]
    except KeyError as exc:
        log_to(lines).failure("reload.failed", exc, "", what="keys")

    line = json.loads(lines[0])
    assert line["level"] == "error"
    assert line["message"] == "KeyError"
    assert "test_log.py" in line["traceback"]
    assert "pyp_secret" not in lines[0]


def test_people_get_a_sentence(lines):
    log_to(lines, style="console").warning("key.short", "A key is short.", name="alice", n=3)

    assert lines == ["00:00:00.125 warning key.short A key is short. name=alice n=3"]


def test_people_get_a_traceback_below_it(lines):
    log_to(lines, style="console").failure("x", ValueError("secret"), "Oh.")

    assert lines == ["00:00:00.125 error   x Oh.\nValueError"]


def test_colours_go_by_level(lines):
    log_to(lines, style="console", is_coloured=True).error("x")

    assert "\x1b[31merror  \x1b[0m" in lines[0]


def test_lost_lines_are_owned_up_to(lines):
    line = json.loads(log_to(lines).lost_line(3))

    assert (line["level"], line["event"], line["lost"]) == ("warning", "log.lost", 3)
