import pytest

from pyproxy.cli.figures import count, milliseconds, rate, share, size, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 s"),
        (0.0, "0 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (61.0, "1 min 1 s"),
        (3661.0, "1 h 1 min"),
        (3601.0, "1 h"),
        (93784.0, "1 d 2 h"),
    ],
)
def test_span_has_two_neighbouring_units(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.25, "0.25 ms"), (1.5, "1.5 ms"), (212.0, "212 ms"), (4120.0, "4.12 s")],
)
def test_milliseconds(value, text):
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "10.0k"),
        (123_456, "123k"),
        (3e9, "3.0G"),
        (2e18, "2000P"),
    ],
)
def test_count(value, text):
    assert count(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.25, "0.2"), (9.5, "9.5"), (12.4, "12")])
def test_rate(value, text):
    assert rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (45_123_456_789, "45.1 GB")]
)
def test_size(value, text):
    assert size(value) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "-"),
        (0, 9, "0.0 %"),
        (1, 3, "33.3 %"),
        (1, 1, "100.0 %"),
        pytest.param(1, 100_000, "< 0.1 %", id="a single error is not nothing"),
        pytest.param(99_999, 100_000, "> 99.9 %", id="nor is all but one everything"),
    ],
)
def test_share(part, whole, text):
    assert share(part, whole) == text
