import pytest

from pyproxy.store.roll_page import LATEST, Entry, entry_of, moment_of, name_of, page_of


@pytest.mark.parametrize("text", [b"inf", b"-inf", b"nan", b"1e308", b"-1", b"x", b"", b"9.1e15"])
def test_what_no_clock_shows_is_no_time(text):
    with pytest.raises(ValueError, match=r"time|convert"):
        moment_of(text)


def test_the_latest_time_is_one():
    assert entry_of(str(LATEST).encode(), b"0") == Entry(LATEST, 0.0)


@pytest.mark.parametrize("text", [b"\xff", 513 * b"x"], ids=["no text", "too long"])
def test_what_cannot_be_one_of_ours_is_no_name(text):
    with pytest.raises(ValueError, match=r"name|decode"):
        name_of(text)


@pytest.mark.parametrize(
    "answer",
    [
        7,
        [],
        [b"1", b"rubbish", [], [], []],
        [b"nan", b"1", [], [], []],
        [1, b"1", [], [], []],
        [b"1", b"1", b"", [], []],
    ],
    ids=str,
)
def test_nonsense_is_no_page(answer):
    assert page_of(answer) is None


def test_a_page_has_what_can_be_ours_and_says_how_much_there_was():
    names = [b"one", b"5", b"two", b"inf", b"odd"]
    page = page_of([b"1", b"7", names, [b"3", b"3"], [b"off", b"4", b"bad", b"-1"]])

    assert page is not None
    assert (page.now, page.version, page.most) == (1.0, 7, 2)
    assert (page.entries, page.lifted) == ({"one": Entry(5.0, 3.0)}, {"off": 4.0})
