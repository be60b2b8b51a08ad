import pytest

from pyproxy.cli.status import Status
from pyproxy.cli.status_lines import Span, fitted, status_lines
from pyproxy.telemetry.style import RED, RESET
from tests.desk import QUIET, route, status

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\N{RIGHT-TO-LEFT OVERRIDE}"


def shown(columns=80, rows=None, *, is_coloured=False, is_unicode=True, **values):
    lines = status_lines(Status.model_validate(status(**values)), is_unicode=is_unicode)
    return list(fitted(lines, columns, rows, is_coloured=is_coloured))


def busy(**values):
    return {"requests": QUIET["requests"] | values}


def test_quiet_gateway_is_told_in_few_lines():
    assert shown() == [
        "pyproxy 0.1.0  serving  up 12 s, workers 1 of 1",
        "",
        "0 requests/s, 0 errors/s, 0 in flight, 0 streams, 0 connections",
        "latency p50 -, p90 -, p99 -; first byte p50 -, p99 -",
        "\N{LOWER ONE EIGHTH BLOCK}" * 60 + " 1 min, peak 0/s",
        "nothing was answered yet; 0 B in, 0 B out",
        "",
        "route   req/s     all  errors      p50      p99  upstreams",
        "",
        "refused       nobody",
        "limits        none",
        "bans          0 in force, 0 begun",
        "store         memory, 0 failures",
        "last reload   none",
    ]


def test_route_is_one_line_with_the_state_of_what_is_down_before_its_name():
    lines = shown(120, routes=[route("openai", ("http://a", "up"), ("http://b", "out"), errors=3)])

    assert "openai      12    1000       3   1.2 ms   9.1 ms  http://a  out http://b" in lines


def test_answers_are_told_by_class():
    lines = shown(120, **busy(by_status={"2xx": 75, "5xx": 25, "4xx": 0}))

    assert "2xx 75 (75.0 %), 5xx 25 (25.0 %); 0 B in, 0 B out" in lines


def test_errors_are_those_of_the_last_minute_as_requests_are():
    lines = shown(120, **busy(per_second=20.0, errors_per_second=0.5))

    assert "20 requests/s, 0.5 errors/s, 0 in flight, 0 streams, 0 connections" in lines


def test_refusals_are_told_by_how_many():
    assert "refused       b 9; a 1; c 1" in shown(refusals={"a": 1, "b": 9, "c": 1, "d": 0})


def test_last_minute_is_a_line_of_blocks():
    history = QUIET["history"] | {"per_second": [0.0, 4.0, 8.0], "step_s": 2}

    assert shown(history=history)[4] == "▁▄█ 6 s, peak 8.0/s"
    assert shown(history=history, is_unicode=False)[4] == ".=@ 6 s, peak 8.0/s"


def test_state_is_said_in_the_title():
    assert shown(draining=True)[0].startswith("pyproxy 0.1.0  draining  ")
    assert shown(ready=False)[0].startswith("pyproxy 0.1.0  not ready  ")


@pytest.mark.parametrize("columns", [1, 20, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns):
    lines = shown(columns, routes=[route("x" * 300, ("http://" + "y" * 300, "out"))])

    assert max(len(line) for line in lines) <= columns


def test_what_does_not_fit_in_height_is_counted():
    lines = shown(rows=5)

    assert len(lines) == 5
    assert lines[-1] == "and 10 more lines: a higher window"


def test_colour_is_not_cut_in_two():
    line = (Span("ab"), Span("cd", RED), Span("ef", RED))

    assert list(fitted([line], 3, None, is_coloured=True)) == [f"ab{RED}c{RESET}{RED}{RESET}"]
    assert list(fitted([line], 3, None, is_coloured=False)) == ["abc"]


def test_strangers_names_cannot_talk_to_the_terminal():
    lines = shown(
        200,
        is_coloured=False,
        version=HOSTILE,
        ready=False,
        reasons=[HOSTILE],
        routes=[route(HOSTILE, (HOSTILE, HOSTILE))],
        refusals={HOSTILE: 1},
        limits=[{"name": HOSTILE, "rate": HOSTILE, "burst": 1, "per": [], "refused": 1}],
        certificates=[{"bind": HOSTILE, "names": [HOSTILE], "days_left": 1.0}],
        key_sets=[{"source": HOSTILE, "keys": 1, "age_s": 1.0, "state": HOSTILE}],
        store={"kind": HOSTILE, "is_up": False, "on_failure": HOSTILE, "failures": 1},
        reload={"at": 1.0, "result": "failed", "faults": [HOSTILE]},
        **busy(by_status={HOSTILE: 1}),
    )

    text = "".join(lines)
    assert "\\u001b]0;owned\\u0007" in text
    assert {mark for mark in text if not " " <= mark <= "~"} == {"\N{LOWER ONE EIGHTH BLOCK}"}


def test_certificate_is_told_with_its_days():
    assert "certificate   a, b: 12 days left" in shown(
        certificates=[{"bind": "b", "names": ["a", "b"], "days_left": 12.9}]
    )


def test_key_set_is_told_with_its_age():
    assert "key set       https://i: 2 keys, stale, 1 h old" in shown(
        key_sets=[{"source": "https://i", "keys": 2, "age_s": 3600.0, "state": "stale"}]
    )
