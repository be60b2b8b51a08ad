from bench.lines import draw_growth
from bench.series import Series
from bench.svg import WIDTH
from tests.bench.drawn import elements, words

MEMORY = Series("connections", "memory, MiB", {1: 50.0, 1_000: 100.0})


def heights(svg):
    return [float(dot.get("cy")) for dot in elements(svg, "circle")]


def test_more_is_higher_and_the_scale_begins_at_zero():
    svg = draw_growth([MEMORY], "t")

    few, many = heights(svg)
    (base,) = [float(line.get("y1")) for line in elements(svg, "line")]
    assert many < few < base  # SVG counts from above
    assert round((base - many) / (base - few), 2) == 2.0


def test_a_point_says_its_number_and_its_figure():
    svg = draw_growth([MEMORY], "t")

    assert words(svg) == ["connections", "memory, MiB", "50.0", "1", "100.0", "1,000"]


def test_panels_beyond_a_row_go_below_and_nothing_is_cut_off():
    svg = draw_growth([MEMORY] * 4, "t")

    (root,) = elements(svg, "svg")
    dots = elements(svg, "circle")
    assert float(dots[6].get("cx")) == float(dots[0].get("cx"))
    assert float(dots[6].get("cy")) > float(dots[0].get("cy"))
    assert all(0 < float(dot.get("cx")) < WIDTH - 40 for dot in dots)
    assert max(float(text.get("y")) for text in elements(svg, "text")) < float(root.get("height"))


def test_figures_of_zero_and_single_points_are_drawn():
    svg = draw_growth([Series("nothing", "f", {1: 0.0}), Series("none", "f", {})], "t")

    assert len(heights(svg)) == 1
