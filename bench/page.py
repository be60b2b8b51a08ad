"""What a run found, written into the documentation: a marked part of a page, and a picture."""

from pathlib import Path

from bench.stage import ROOT

PAGE = ROOT / "docs" / "performance.md"


class NoMarkers(Exception):
    """The page does not say where a part begins and ends."""


def replace_part(text: str, name: str, part: str) -> str:
    """A page's text with everything between the markers of ``name`` replaced.

    Raises:
        NoMarkers: One of them is missing, is there twice, or they are in the wrong order.
    """
    begin, end = f"<!-- bench: {name} -->", f"<!-- bench: end of {name} -->"
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found or begin in rest or end in before + after:
        raise NoMarkers(f"needs one line '{begin}', and one line '{end}' after it")
    return f"{before}{begin}\n\n{part.strip()}\n\n{end}{after}"


def demand_place(page: Path, name: str) -> None:
    """See that a part could be written, before measuring for minutes.

    Raises:
        NoMarkers: See ``replace_part``; also when the page cannot be read.
    """
    try:
        replace_part(page.read_text(encoding="utf-8"), name, "")
    except OSError as exc:
        raise NoMarkers(f"{page}: {exc.strerror}") from exc


def write(page: Path, name: str, part: str, picture: str, caption: str) -> None:
    """Put a part with its picture into a page; the picture goes into the page's own folder.

    Raises:
        NoMarkers: See ``replace_part``; nothing is written then.
    """
    file = page.with_suffix("") / f"{name}.svg"
    shown = f"![{caption}]({file.relative_to(page.parent)})"
    text = replace_part(page.read_text(encoding="utf-8"), name, f"{part}\n\n{shown}")
    file.parent.mkdir(exist_ok=True)
    file.write_text(picture, encoding="utf-8")
    page.write_text(text, encoding="utf-8")
