import pytest
from hypothesis import given, strategies as st

from pyproxy.config.quantities import (
    Rate,
    bytes_text,
    parse_bytes,
    parse_positive_seconds,
    parse_seconds,
    seconds_text,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("250ms", 0.25, id="milliseconds"),
        pytest.param("30s", 30.0, id="seconds"),
        pytest.param("5m", 300.0, id="minutes"),
        pytest.param("1h", 3600.0, id="hours"),
        pytest.param("1.5s", 1.5, id="decimals"),
        pytest.param("5 m", 300.0, id="a space before the unit"),
        pytest.param("0s", 0.0, id="nothing"),
    ],
)
def test_a_duration_becomes_seconds(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("0B", 0, id="nothing"),
        pytest.param("512B", 512, id="bytes"),
        pytest.param("16KiB", 16384, id="binary"),
        pytest.param("10MB", 10_000_000, id="decimal"),
        pytest.param("1.5KiB", 1536, id="a fraction that is whole"),
        pytest.param("2kB", 2000, id="small k"),
        pytest.param("1GiB", 2**30, id="large"),
    ],
)
def test_a_size_becomes_bytes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("number", [0, 30, 1.5], ids=str)
@pytest.mark.parametrize("parse", [parse_seconds, parse_bytes])
def test_a_plain_number_is_told_to_take_a_unit(parse, number):
    with pytest.raises(ValueError, match="has no unit; write a"):
        parse(number)
    with pytest.raises(ValueError, match="has no unit; write a"):
        parse(str(number))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("s", id="unit alone"),
        pytest.param("-1s", id="negative"),
        pytest.param("1e3s", id="exponent"),
        pytest.param("1h30m", id="compound"),
        pytest.param("٣s", id="digits of another script"),
        pytest.param("1s\n", id="newline after"),
        pytest.param("9" * 13 + "s", id="too many digits"),
        pytest.param("nans", id="not a number"),
        pytest.param("1d", id="unknown unit"),
        pytest.param("1S", id="unit in the wrong case"),
        pytest.param(True, id="true"),
        pytest.param(None, id="nothing"),
        pytest.param(["1s"], id="list"),
    ],
)
@pytest.mark.parametrize("parse", [parse_seconds, parse_bytes])
def test_what_is_no_quantity_is_told_what_is(parse, value):
    with pytest.raises(ValueError, match=r"^must be a (duration|size) such as"):
        parse(value)


def test_an_unknown_unit_is_told_which_there_are():
    with pytest.raises(ValueError, match="the units are h, m, s, ms"):
        parse_seconds("1d")


@pytest.mark.parametrize("text", ["1h30m", "1m 30s", "1s500ms"])
def test_a_combined_duration_is_told_to_take_one_unit(text):
    with pytest.raises(ValueError, match="combinations are not accepted: 90m, not 1h30m"):
        parse_seconds(text)


def test_a_time_limit_is_not_nothing():
    assert parse_positive_seconds("1ms") == 0.001
    with pytest.raises(ValueError, match="longer than nothing"):
        parse_positive_seconds("0h")


def test_a_size_is_whole_bytes():
    with pytest.raises(ValueError, match="whole number of bytes"):
        parse_bytes("1.5B")


@pytest.mark.parametrize(
    ("text", "rate", "per_second"),
    [
        pytest.param("10r/s", Rate(10, 1), 10.0, id="a second"),
        pytest.param("30r/m", Rate(30, 60), 0.5, id="a minute"),
        pytest.param("900r/h", Rate(900, 3600), 0.25, id="an hour"),
        pytest.param("0.5r/s", Rate(0.5, 1), 0.5, id="decimals"),
    ],
)
def test_a_rate_is_so_many_in_so_much_time(text, rate, per_second):
    assert Rate.parse(text) == rate
    assert rate.per_second == per_second
    assert str(rate) == text


def test_a_rate_of_another_period_can_be_written():
    assert str(Rate(3, 10)) == "3r/10s"


@pytest.mark.parametrize(
    "value", ["", "10", "10/s", "10r", "10r/d", "-1r/s", "10 r/s", "1e3r/s", 10, None], ids=repr
)
def test_what_is_no_rate_is_told_what_is(value):
    with pytest.raises(ValueError, match=r'^must be a rate such as "10r/s"'):
        Rate.parse(value)


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="more than nothing"):
        Rate.parse("0r/s")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.25, "250ms"),
        (90.0, "90s"),
        (300.0, "5m"),
        (7200.0, "2h"),
        (1e-6, "0.000001s"),
    ],
    ids=str,
)
def test_a_duration_is_written_in_the_largest_unit_that_is_exact(seconds, text):
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1000, "1KB"), (1024, "1KiB"), (10**7, "10MB"), (999, "999B")]
)
def test_a_size_is_written_in_the_largest_unit_that_is_exact(size, text):
    assert bytes_text(size) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_survives_writing_and_reading(milliseconds):
    seconds = milliseconds / 1000

    assert parse_seconds(seconds_text(seconds)) == seconds


@given(st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,6})?(ms|s|m|h)", fullmatch=True))
def test_a_duration_that_was_read_is_finite_and_not_negative(text):
    assert 0 <= parse_seconds(text) < float("inf")


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_size_survives_writing_and_reading(size):
    assert parse_bytes(bytes_text(size)) == size


@given(st.integers(min_value=1, max_value=10**9), st.sampled_from([1.0, 60.0, 3600.0]))
def test_a_rate_survives_writing_and_reading(count, period_s):
    rate = Rate(float(count), period_s)

    assert Rate.parse(str(rate)) == rate
