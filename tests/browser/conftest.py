"""A browser for all tests, and for each a page of its own that must not complain."""

import shutil
from contextlib import ExitStack

import pytest

from tests.browser.chromium import chromium
from tests.desk import Desk
from tests.programs import demand


def program():
    """The browser's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    demand("" if found else "chromium is not installed")
    return found


@pytest.fixture(scope="session")
def browser():
    """One Chromium for every test."""
    with chromium(program()) as browser:
        yield browser


@pytest.fixture
def desk():
    """What the page asks; it leaves with the test, if it has not before."""
    desk = Desk()
    yield desk
    desk.leave()


@pytest.fixture
def opened(browser, desk):
    """Open the page: whatever it does, it complains of nothing and asks nobody else."""
    with ExitStack() as stack:
        pages = []

        def open_(width=1280, height=900, *, is_dark=False, is_shown=True):
            page = stack.enter_context(browser.page(width, height, is_dark=is_dark))
            pages.append(page)
            page.open(desk.url)
            if is_shown:
                page.until("!document.getElementById('main').hidden")
            return page

        yield open_
        for page in pages:
            page.ask("1")  # events that came before this answer are heard with it
            assert page.complaints == []
            assert page.origins == {desk.url.rstrip("/")}
