"""Trouble that repeats costs a line a second."""

import json

import pytest

from pyproxy.telemetry.log import Log
from pyproxy.telemetry.sparing import MAX_KINDS, SparingLog


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines):
    return SparingLog(Log(lambda text: lines.append(json.loads(text)), lambda: 0.0))


def counts(lines):
    return [line.get("suppressed", 0) for line in lines]


def test_the_first_is_written_as_it_is(log, lines):
    log.put("warning", "upstream.failed", 100.0, "a", reason="refused")

    [line] = lines
    del line["time"]
    assert line == {"level": "warning", "event": "upstream.failed", "reason": "refused"}


@pytest.mark.parametrize(
    ("moments", "suppressed"),
    [
        pytest.param([0.0, 0.25, 0.5], [0], id="within a second"),
        pytest.param([0.0, 0.25, 0.5, 1.0], [0, 2], id="the count comes with the next"),
        pytest.param([0.0, 0.5, 1.0, 1.5, 2.0], [0, 1, 1], id="counted anew"),
        pytest.param([0.0, 1.0, 2.0], [0, 0, 0], id="a second between"),
        pytest.param([5.0, 1.0], [0, 0], id="clock went backwards"),
    ],
)
def test_the_same_is_written_once_a_second(log, lines, moments, suppressed):
    for now in moments:
        log.put("warning", "upstream.failed", now, "a")

    assert counts(lines) == suppressed


def test_another_kind_or_event_is_written_at_once(log, lines):
    log.put("warning", "upstream.failed", 0.0, "a")
    log.put("warning", "upstream.failed", 0.0, "b")
    log.put("info", "handshake.failed", 0.0, "a")

    assert len(lines) == 3


def test_kinds_without_end_are_forgotten(log, lines):
    for number in range(MAX_KINDS):
        log.put("warning", "upstream.failed", 0.0, number)
    log.put("warning", "upstream.failed", 1.0, 0)  # the oldest, written again
    log.put("warning", "upstream.failed", 1.0, "one too many")
    log.put("warning", "upstream.failed", 1.0, 0)
    log.put("warning", "upstream.failed", 1.0, 1)

    assert len(log._kinds) == MAX_KINDS
    assert len(lines) == MAX_KINDS + 3
