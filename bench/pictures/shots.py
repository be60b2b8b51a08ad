"""What Chromium sees."""

from pathlib import Path
from typing import Final

from tests.browser.chromium import chromium

_SIZE: Final = (1280, 900)
_SHOWN: Final = "!document.getElementById('main').hidden"


def pictures_of_page(admin: str, folder: Path) -> None:
    """The status page of a gateway, in light and dark.

    Args:
        admin: The admin listener's origin.
        folder: Gets ``status.png`` and ``status-dark.png``.
    """
    with chromium() as browser:
        for name, is_dark in (("status", False), ("status-dark", True)):
            with browser.page(*_SIZE, is_dark=is_dark) as page:
                page.open(f"{admin}/")
                page.until(_SHOWN)
                page.until("document.getElementById('bans').rows.length > 0")
                page.says("#refusals", "+")  # it has been open for a while
                page.picture(folder / f"{name}.png")


def picture_of_file(html: Path, path: Path) -> None:
    """A page of our own."""
    with chromium() as browser, browser.page(*_SIZE) as page:
        page.open(html.resolve().as_uri())
        page.picture(path)
