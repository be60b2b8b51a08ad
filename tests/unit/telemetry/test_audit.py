import json
from typing import get_args

import pytest

from pyproxy.telemetry.audit import MAX_BURST, MAX_DETAILS, MAX_LINE, AuditEvent, AuditLog

WALL = 1767225600.0


@pytest.fixture
def lines():
    return []


@pytest.fixture
def audit(lines):
    return AuditLog(lambda line: lines.append(json.loads(line)))


@pytest.mark.parametrize("event", get_args(AuditEvent))
def test_every_event_can_be_written(audit, lines, event):
    audit.put(event, WALL)

    assert lines[0]["event"] == event


def test_a_line_says_who_from_where_and_how_it_ended(audit, lines):
    audit.put(
        "auth.failed",
        WALL,
        user="alice",
        ip="192.0.2.1",
        result="invalid_token",
        details={"reason": "expired", "route": "copilot", "tries": 3},
        request_id="req-1",
    )

    assert lines == [
        {
            "time": "2026-01-01T00:00:00.000Z",
            "event": "auth.failed",
            "user": "alice",
            "ip": "192.0.2.1",
            "result": "invalid_token",
            "details": {"reason": "expired", "route": "copilot", "tries": 3},
            "request_id": "req-1",
        },
    ]


def test_a_line_stays_small_whatever_is_in_it():
    written = []
    AuditLog(written.append).put(
        "access.denied",
        WALL,
        user="u\n" * 9000,
        details={f"{n}" + "k" * 9000: "v" * 9000 for n in range(100)},
    )

    (line,) = written
    assert "\n" not in line
    assert len(json.loads(line)["details"]) == MAX_DETAILS
    assert len(line) < 12_000


def test_a_flood_is_counted_and_not_written(audit, lines):
    for _ in range(MAX_BURST + 1000):
        audit.put("auth.failed", WALL)

    assert len(lines) == MAX_BURST

    audit.put("auth.failed", WALL + 1.0)

    assert lines[-1]["suppressed"] == 1000
    assert len(lines) == MAX_BURST + 1

    audit.put("auth.failed", WALL + 1.0)

    assert "suppressed" not in lines[-1]


def test_a_flood_of_one_event_leaves_the_others_alone(audit, lines):
    for _ in range(MAX_BURST + 1):
        audit.put("auth.failed", WALL)
    audit.put("auth.ok", WALL)

    assert lines[-1]["event"] == "auth.ok"


def test_a_flood_without_end_is_a_trickle(audit, lines):
    for second in range(100):
        for _ in range(50):
            audit.put("auth.failed", WALL + second)

    assert len(lines) < MAX_BURST + 5 * 100


def test_a_clock_that_goes_back_gives_nothing(audit, lines):
    for _ in range(MAX_BURST):
        audit.put("auth.failed", WALL)
    audit.put("auth.failed", WALL - 3600.0)

    assert len(lines) == MAX_BURST


def test_what_was_left_out_is_said_at_the_end(audit, lines):
    for _ in range(MAX_BURST + 7):
        audit.put("limit.exceeded", WALL)
    audit.close(WALL)

    assert lines[-1]["event"] == "limit.exceeded"
    assert lines[-1]["result"] == "suppressed"
    assert lines[-1]["suppressed"] == 7


def test_closing_says_nothing_if_nothing_was_left_out(audit, lines):
    audit.put("auth.ok", WALL)
    audit.close(WALL)

    assert len(lines) == 1


HOSTILE = [
    pytest.param("a\nb\r\n\u2028\u2029\x85c", id="line ends"),
    pytest.param("\x00\x07\x1b[2J\x1b]0;title\x07\x9b31m", id="terminal sequences"),
    pytest.param("\udfff\ud800 x \udc80", id="lone surrogates"),
    pytest.param("\u202egnp.exe\u2066", id="text that runs backwards"),
    pytest.param("\U0001f600" * 300, id="beyond the basic plane"),
    pytest.param('","event":"auth.ok","x":"\\', id="JSON in JSON"),
    pytest.param("x" * 1_000_000, id="a megabyte"),
    pytest.param("\U0010ffff" * 1_000_000, id="a megabyte of the longest letters"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_the_text_a_line_is_one_line_of_ascii_and_bounded(text):
    written = []
    AuditLog(written.append).put(
        "access.denied",
        WALL,
        user=text,
        ip=text,
        result=text,
        details={f"{n}{text}": text for n in range(100)},
        request_id=text,
    )
    (line,) = written
    said = json.loads(line)

    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= MAX_LINE
    assert said["event"] == "access.denied"
    assert text.startswith(said["user"])
    assert said["user"]
    assert said["details"]


def test_a_request_id_is_whole_however_long_the_rest_is(audit, lines):
    audit.put("auth.failed", WALL, user="\U0010ffff" * 999, request_id="i" * 128)

    assert lines[0]["request_id"] == "i" * 128


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_has_no_word_for_is_a_text(audit, lines, number):
    audit.put("config.reloaded", WALL, details={"n": number, "m": 0.5, "t": True, "z": None})

    assert lines[0]["details"] == {"n": str(number), "m": 0.5, "t": True, "z": None}


def test_what_was_left_out_is_counted_for_good(audit):
    for _ in range(MAX_BURST + 7):
        audit.put("auth.failed", WALL)
    audit.put("auth.failed", WALL + 60.0)

    assert audit.suppressed_total == 7
