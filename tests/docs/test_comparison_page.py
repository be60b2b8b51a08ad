"""docs/comparison.md repeats docs/performance.md, and must not fall behind it."""

import re

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "comparison.md").read_text()
MEASURED = (ROOT / "docs" / "performance.md").read_text()


def row(scenario, figure):
    """Figures of one line of the measurements, by contender."""
    _, _, table = MEASURED.partition("| Scenario | Figure |")
    names = [cell.strip() for cell in table.split("\n", 1)[0].strip("| ").split("|")]
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n")[2:]]
    where = ""
    for line in lines:
        where = line[0] or where if line else where
        if line and (where, line[1]) == (scenario, figure):
            return dict(zip(names, line[2:], strict=True))
    raise AssertionError((scenario, figure))


@pytest.mark.parametrize("contender", ["pyproxy", "nginx-verifier", "nginx-bare"])
def test_requests_a_second_are_those_that_were_measured(contender):
    assert row("key", "requests/s")[contender] in PAGE


def test_cpu_of_a_request_is_what_was_measured():
    (line,) = re.findall(r"^\| CPU of a request .*$", PAGE, re.MULTILINE)
    measured = row("key", "CPU per request, µs")

    for contender in ("pyproxy", "nginx-verifier", "nginx-bare", "envoy"):
        assert f"{float(measured[contender]):.0f} µs" in line
