"""What the site adds to mkdocs: pages of the repository's root, links that work in both places.

The pages of docs/ are read in the repository too. A relative link in them, or in a page of the
root, leads to a file of the repository; here it becomes a link to that file's page, or to the
repository where the site has none. What leads nowhere fails the build.
"""

import os.path
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

FROM_ROOT: Final = ("SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""Pages that are read in the repository's root first."""

_LINK: Final = re.compile(r'(\]\(|\b(?:href|src|srcset)=")([^)"\s]+)')
_CODE: Final = re.compile(r"(^```.*?^```[^\S\n]*$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_PICTURE: Final = re.compile(
    r'<picture>\s*<source [^>]*srcset="(?P<dark>[^"]+)">\s*'
    r'<img alt="(?P<alt>[^"]*)" src="(?P<light>[^"]+)">\s*</picture>'
)
_CELL: Final = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
_LONG_NAME: Final = re.compile(r"<code>[^<]{20,}</code>")
_BREAKABLE: Final = re.compile(r"(?<!<)([_/.:]+)(?=[^_/.:\s<>])")
_STATUS: Final = re.compile(r"\b([1-5]\d\d) (?=<code>)")
_FOLDER: Final = "/*"

_log: Final = get_plugin_logger("pages")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of folders into the navigation."""
    if config.nav is not None:
        named = frozenset(_named(config.nav))
        config.nav = list(_entries(config.nav, Path(config.docs_dir), named))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root."""
    root = Path(config.docs_dir).parent
    for name in FROM_ROOT:
        files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite what leads out of docs/, and pictures that have a light and a dark form."""
    links = _Links(page.file.src_uri, config, files)
    parts = _CODE.split(markdown)
    parts[::2] = [links.rewritten(_PICTURE.sub(_two_pictures, part)) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Say where long names in tables may break, and keep a status with its code."""
    del page, config, files
    return _CELL.sub(lambda cell: _cell(cell[0]), html)


class _Links:
    """The relative links of one page.

    Args:
        source: The page, as the site calls it.
        config: Of the site.
        files: All of the site's.
    """

    def __init__(self, source: str, config: MkDocsConfig, files: Files) -> None:
        self._root = Path(config.docs_dir).parent
        self._docs = Path(config.docs_dir).name
        self._repository = str(config.extra["repository"])
        self._files = files
        self._source = source
        self._folder = PurePosixPath(self._in_repository(source)).parent

    def rewritten(self, text: str) -> str:
        """A text that is no code, with its links as the site needs them."""
        return _LINK.sub(lambda found: found[1] + self._link(found[2]), text)

    def _link(self, link: str) -> str:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or not parts.path:
            return link
        target = os.path.normpath(self._folder / parts.path)
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        here = self._in_site(target)
        if here is not None:
            return os.path.relpath(here, PurePosixPath(self._source).parent) + fragment
        place = self._root / target
        if target.startswith("..") or not place.exists():
            _log.warning("%s: the link %s leads nowhere", self._source, link)
        kind = "tree" if place.is_dir() else "blob"
        return f"{self._repository}/{kind}/main/{target}{fragment}"

    def _in_repository(self, source: str) -> str:
        return source if source in FROM_ROOT else f"{self._docs}/{source}"

    def _in_site(self, target: str) -> str | None:
        """A file of the repository as the site calls it, if it has it."""
        if target in FROM_ROOT:
            return target
        if target == "README.md":
            return "index.md"
        name = target.removeprefix(f"{self._docs}/")
        if name == target:
            return None
        file = self._files.get_file_from_path(name)
        return name if file is not None and not file.inclusion.is_excluded() else None


def _cell(html: str) -> str:
    html = _STATUS.sub(r"\1&nbsp;", html)
    return _LONG_NAME.sub(lambda code: _BREAKABLE.sub(r"\1<wbr>", code[0]), html)


def _named(nav: list[Any]) -> Iterator[str]:
    """Pages that have an entry of their own."""
    for entry in nav:
        below = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(below, list):
            yield from _named(below)
        else:
            yield below


def _entries(nav: list[Any], docs: Path, named: frozenset[str]) -> Iterator[Any]:
    """Entries of a navigation, folders as their pages."""
    for entry in nav:
        match entry:
            case str() if entry.endswith(_FOLDER):
                folder = entry.removesuffix(_FOLDER)
                yield from (page for page in _pages(docs, folder) if page not in named)
            case dict():
                ((title, below),) = entry.items()
                is_list = isinstance(below, list)
                yield {title: list(_entries(below, docs, named))} if is_list else entry
            case _:
                yield entry


def _pages(docs: Path, folder: str) -> Iterator[str]:
    """The pages of a folder by name, its index first."""
    names = sorted(
        (path.name for path in (docs / folder).glob("*.md")),
        key=lambda name: (name != "index.md", name),
    )
    yield from (f"{folder}/{name}" for name in names)


def _two_pictures(found: re.Match[str]) -> str:
    """One for each scheme: the reader's choice on the page counts, not the system's alone."""
    return "".join(
        f'<img alt="{found["alt"]}" src="{found[form]}#only-{form}" loading="lazy">'
        for form in ("light", "dark")
    )
