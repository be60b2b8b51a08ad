import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, strategies as st

from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.record import Record

WALL = 1767225600.125
RECORD = Record(
    request_id="req-1",
    ip="192.0.2.1",
    user="alice",
    route="copilot",
    method="POST",
    path="/v1/chat/completions",
    status=200,
    bytes_in=12,
    bytes_out=345,
    ms=6.25,
    upstream_ms=5.5,
    upstream="127.0.0.1:4141",
)


def lines_of(record, style="json", *, is_coloured=False):
    lines = []
    AccessLog(lines.append, style, is_coloured=is_coloured).put(record, WALL)
    return lines


def test_a_record_is_one_json_line():
    (line,) = lines_of(RECORD)

    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.125Z",
        "level": "info",
        "event": "request",
        "request_id": "req-1",
        "ip": "192.0.2.1",
        "user": "alice",
        "route": "copilot",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "bytes_in": 12,
        "bytes_out": 345,
        "ms": 6.2,
        "upstream_ms": 5.5,
        "upstream": "127.0.0.1:4141",
        "aborted": False,
        "code": "",
    }


def test_the_keys_come_in_the_order_of_the_contract():
    names = [name for name in json.loads(lines_of(RECORD)[0]) if name != "code"]

    assert " ".join(names) == (
        "time level event request_id ip user route method path status bytes_in bytes_out"
        " ms upstream_ms upstream aborted"
    )


def test_a_model_is_named_where_one_was_looked_for():
    (line,) = lines_of(replace(RECORD, model="gpt-4o"))

    assert json.loads(line)["model"] == "gpt-4o"
    assert "model=gpt-4o" in lines_of(replace(RECORD, model="gpt-4o"), "console")[0]


def test_an_upstream_that_was_not_asked_took_no_time():
    (line,) = lines_of(replace(RECORD, upstream_ms=-1.0, is_aborted=True, code="banned"))

    assert json.loads(line)["upstream_ms"] is None
    assert json.loads(line)["aborted"] is True
    assert json.loads(line)["code"] == "banned"


@given(st.data())
def test_any_text_stays_one_line_of_json(data):
    texts = {
        field.name: data.draw(st.text(max_size=20)) for field in fields(Record) if field.type is str
    }

    (line,) = lines_of(replace(RECORD, **texts))

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == texts["path"]


@pytest.mark.parametrize("style", ["json", "console"])
def test_long_paths_and_methods_are_cut(style):
    (line,) = lines_of(replace(RECORD, path="/" + "x" * 60_000, method="M" * 9_000), style)

    assert len(line) < 1000


def test_people_see_what_matters_first():
    (line,) = lines_of(RECORD, "console")

    assert line == (
        "00:00:00.125 200 POST /v1/chat/completions 6.2ms user=alice route=copilot"
        " ip=192.0.2.1 upstream=127.0.0.1:4141 upstream_ms=5.5 in=12 out=345 id=req-1"
    )


def test_people_see_why_a_request_was_refused():
    record = Record(request_id="req-1", status=400, code="bad_request", is_aborted=True)

    (line,) = lines_of(record, "console")

    assert line == "00:00:00.125 400 - - 0.0ms code=bad_request aborted=yes id=req-1"


@pytest.mark.parametrize(
    ("status", "colour"),
    [
        pytest.param(200, "\x1b[32m", id="good"),
        pytest.param(304, "\x1b[34m", id="elsewhere"),
        pytest.param(429, "\x1b[33m", id="refused"),
        pytest.param(502, "\x1b[31m", id="failed"),
        pytest.param(0, "\x1b[31m", id="none"),
    ],
)
def test_colours_go_by_status(status, colour):
    (line,) = lines_of(replace(RECORD, status=status), "console", is_coloured=True)

    assert f"{colour}{status}\x1b[0m" in line


def test_a_path_cannot_talk_to_the_terminal():
    (line,) = lines_of(replace(RECORD, path="/\x1b[2J\x9b\r\nforged"), "console")

    assert line.isprintable()
