from bench.svg import WIDTH, Drawing
from tests.bench.drawn import elements, words


def test_words_are_shown_as_they_are():
    drawing = Drawing("title", "description")

    drawing.text(1, 2, "<b> & 'c'")

    assert words(drawing.render(10)) == ["<b> & 'c'"]


def test_a_screen_reader_is_told_title_and_description():
    svg = Drawing("A < B", "A is less & B is more").render(10)

    (root,) = elements(svg, "svg")
    assert root.get("role") == "img"
    named = {
        each.get("id"): each.text for kind in ("title", "desc") for each in elements(svg, kind)
    }
    assert [named[name] for name in root.get("aria-labelledby").split()] == [
        "A < B",
        "A is less & B is more",
    ]


def test_it_is_as_wide_as_the_page_and_follows_the_readers_scheme():
    svg = Drawing("t", "d").render(321.4)

    (root,) = elements(svg, "svg")
    assert (root.get("width"), root.get("height")) == (str(WIDTH), "321")
    assert "prefers-color-scheme: dark" in svg


def test_a_bar_of_no_width_still_shows():
    drawing = Drawing("t", "d")

    drawing.rect(5, 5, 0.0, 10, "c0")

    (bar,) = elements(drawing.render(20), "rect")
    assert float(bar.get("width")) == 1
