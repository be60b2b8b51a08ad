import pytest

from bench import page

TEXT = "before\n<!-- bench: growth -->\nold\n<!-- bench: end of growth -->\nafter\n"


def test_what_is_between_the_markers_is_replaced_again_and_again():
    once = page.replace_part(TEXT, "growth", "new")

    assert once.startswith("before\n<!-- bench: growth -->\n\nnew\n\n<!--")
    assert once.endswith("-->\nafter\n")
    assert page.replace_part(once, "growth", "new") == once


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("nothing", id="no markers"),
        pytest.param("<!-- bench: growth -->", id="no end"),
        pytest.param("<!-- bench: end of growth --><!-- bench: growth -->", id="end first"),
        pytest.param(TEXT + TEXT, id="twice"),
        pytest.param("<!-- bench: end of growth -->" + TEXT, id="an end too many"),
    ],
)
def test_a_page_without_its_markers_is_left_alone(tmp_path, text):
    file = tmp_path / "performance.md"
    file.write_text(text)

    with pytest.raises(page.NoMarkers, match="growth"):
        page.write(file, "growth", "new", "<svg/>", "caption")
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_the_picture_lies_in_the_pages_folder_and_is_shown(tmp_path):
    file = tmp_path / "performance.md"
    file.write_text(TEXT)

    page.write(file, "growth", "table", "<svg/>", "what grows")

    assert "table\n\n![what grows](performance/growth.svg)\n" in file.read_text()
    assert (tmp_path / "performance" / "growth.svg").read_text() == "<svg/>"


def test_a_page_that_is_not_there_is_found_out_before(tmp_path):
    with pytest.raises(page.NoMarkers, match="No such file"):
        page.demand_place(tmp_path / "nowhere.md", "growth")


@pytest.mark.parametrize("name", ["comparison", "growth"])
def test_the_documentation_has_a_place_for_each_part(name):
    text = page.PAGE.read_text(encoding="utf-8")

    assert "found just now" in page.replace_part(text, name, "found just now")
