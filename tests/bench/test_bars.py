from itertools import pairwise

import pytest

from bench.bars import Group, draw_ratios, shown
from bench.svg import WIDTH
from tests.bench.drawn import bars, elements, words


def test_a_bar_goes_right_for_ours_and_left_for_the_other():
    svg = draw_ratios([Group("key", "requests/s", {"worse": 2.0, "better": 0.5})], "t")

    ((middle, right),) = bars(svg, "c0")
    ((left, also_middle),) = bars(svg, "c1")
    assert left < middle < right
    assert middle == also_middle
    assert right - middle == pytest.approx(middle - left)  # twice and half are as far


def test_what_is_off_the_scale_ends_there_and_says_so():
    svg = draw_ratios([Group("bcrypt", "requests/s", {"slow": 2600.0, "fast": 0.01})], "t")

    assert "2,600 \N{RIGHTWARDS ARROW}" in words(svg)
    assert "\N{LEFTWARDS ARROW} 0.01" in words(svg)
    assert all(
        0 <= start < end <= WIDTH for colour in ("c0", "c1") for start, end in bars(svg, colour)
    )


def test_a_contender_keeps_its_colour_where_another_is_missing():
    svg = draw_ratios(
        [Group("key", "requests/s", {"a": 2.0, "b": 3.0}), Group("jwt", "requests/s", {"b": 4.0})],
        "t",
    )

    assert len(bars(svg, "c0")) == 1
    assert len(bars(svg, "c1")) == 2


def test_numbers_of_bars_do_not_overlap():
    ratios = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}

    svg = draw_ratios([Group("key", "f", ratios), Group("jwt", "f", ratios)], "t")

    heights = [float(each.get("y")) for each in elements(svg, "text") if each.text == "1.00"]
    assert len(heights) == 8
    assert all(b - a >= 12 for a, b in pairwise(heights))


def test_who_does_not_see_it_hears_the_ratios():
    svg = draw_ratios([Group("sse", "CPU per event", {"envoy": 0.73})], "t")

    (said,) = elements(svg, "desc")
    assert "sse, CPU per event: 0.73 against envoy" in said.text


@pytest.mark.parametrize(
    ("ratio", "words_"),
    [
        pytest.param(0.354, "0.35", id="two digits"),
        pytest.param(12.34, "12.3", id="one digit"),
        pytest.param(2600.4, "2,600", id="none"),
    ],
)
def test_digits_that_say_something(ratio, words_):
    assert shown(ratio) == words_
