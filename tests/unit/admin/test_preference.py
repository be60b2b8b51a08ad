import pytest

from pyproxy.admin.preference import prefers_html

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", [CHROME, "text/html", "TEXT/HTML", "text/*", "text/html, application/json;q=0.9"]
)
def test_a_browser_prefers_html(accept):
    assert prefers_html(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "", "*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0",
        "text/html;q=0.5, */*", ",;q=", "text/html;q=nan", "text/html, application/json",
    ],
)  # fmt: skip
def test_a_program_gets_json(accept):
    assert not prefers_html(accept)


def test_a_weight_that_is_none_counts_as_whole():
    assert prefers_html("text/html;q=many")
