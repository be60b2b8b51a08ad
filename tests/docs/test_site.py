"""The site: it builds strictly, every page is found, nothing in it comes from elsewhere."""

import os
import re
import runpy
import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.chromium import chromium
from tests.browser.conftest import program

ROOT = Path(__file__).parents[2]
BUILDING = ROOT / "docs" / "building"
HOOKS = runpy.run_path(str(BUILDING / "pages.py"))
FETCHED = {("link", "href"), ("a", "ping"), ("form", "action"), ("object", "data")}
# What browsers do not fetch until somebody clicks, and what names a page for search engines.
NOT_FETCHED = {"canonical", "prev", "next", "author", "license"}
RATIO = 4.5
"""WCAG 2.2, success criterion 1.4.3."""


class Page(HTMLParser):
    """What a built page links to, fetches and shows."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.ids, self.links, self.fetches, self.pictures = set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "img":
            self.pictures.append(found)
        if found.get("rel", "") not in NOT_FETCHED:
            for name, value in attrs:
                if name in {"src", "srcset", "poster"} or (tag, name) in FETCHED:
                    self.fetches.append(value)


def build(root, folder):
    """Build as ``make docs`` does; ``--quiet`` would let warnings pass, strict or not."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_links_that_lead_nowhere_fail_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in HOOKS["FROM_ROOT"]:
        (tmp_path / name).write_text("# A page of the root\n")
    links = ["../nothing.toml", "nothing.md", "#nothing", "../SECURITY.md#nothing"]
    text = "\n".join(f"[a]({link})" for link in links)
    (tmp_path / "docs" / "index.md").write_text(f"# A page\n\n{text}\n")
    parts = (ROOT / "mkdocs.yml").read_text().replace("docs/building", str(BUILDING))
    bare = re.sub(r"(?ms)^(theme|extra_css|markdown_extensions|nav):.*?(?=^\S|\Z)", "", parts)
    (tmp_path / "mkdocs.yml").write_text(bare)

    done = build(tmp_path, tmp_path / "site")

    assert done.returncode == 1
    assert f"{len(links)} warnings in strict mode" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(site):
    """Every page, by its path."""
    return {path.relative_to(site): Page(path) for path in site.rglob("*.html")}


def test_every_page_of_the_folder_is_in_the_site_and_in_its_navigation(built):
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    linked = {
        os.path.normpath(path.parent / urlsplit(link).path)
        for path, page in built.items()
        if path.name == "index.html" and path.parent == Path()
        for link in page.links
    }

    assert {path.with_suffix(".html") for path in written} <= built.keys()
    assert {str(path.with_suffix(".html")) for path in written} <= linked | {"index.html"}


def test_nothing_is_fetched_from_elsewhere(site, built):
    foreign = [
        (str(path), fetched)
        for path, page in built.items()
        for fetched in page.fetches
        if urlsplit(fetched).netloc
    ]
    styles = "".join(path.read_text() for path in site.rglob("*.css"))

    assert foreign == []
    assert re.findall(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", styles) == []


def test_every_link_within_leads_to_a_page_and_a_place_on_it(built):
    dead = []
    for path, page in built.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            there = Path(os.path.normpath(path.parent / parts.path)) if parts.path else path
            target = built.get(there / "index.html" if there.suffix == "" else there)
            place = unquote(parts.fragment)
            if target is None or (place and place not in target.ids | {"__search", "__drawer"}):
                dead.append((str(path), link))

    assert dead == []


def test_every_picture_says_what_it_shows(built):
    silent = [
        (str(path), picture.get("src"))
        for path, page in built.items()
        for picture in page.pictures
        if len(picture.get("alt") or "") < len("a picture")
    ]

    assert any(page.pictures for page in built.values())
    assert silent == []


def test_links_to_the_repository_are_to_files_that_are_there(built):
    config = (ROOT / "mkdocs.yml").read_text()
    repository = re.search(r"repository: (\S+)", config)[1]
    named = {
        link.removeprefix(repository).partition("#")[0].split("/main/")[1]
        for page in built.values()
        for link in page.links
        if link.startswith(repository) and "/main/" in link
    }

    assert "config.example.toml" in named
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.fixture(scope="module")
def served(site):
    """Where a browser finds it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with closing(server.socket):
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the tests of the site."""
    with chromium(program()) as browser:
        yield browser


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_a_browser_asks_nobody_else_and_complains_of_nothing(browser, served, is_dark):
    with browser.page(1280, 900, is_dark=is_dark) as page:
        page.open(f"{served}/index.html")
        page.click("[data-md-component=search-query]")
        page.write("heartbeat")
        page.until("document.querySelectorAll('.md-search-result__link').length > 0")
        page.open(f"{served}/request.html")
        page.ask("1")

        assert page.complaints == []
        assert page.failures == []
        assert page.origins == {served}


@pytest.mark.parametrize("name", ["index", "configuration", "operations", "request"])
def test_no_page_is_wider_than_a_phone(browser, served, name):
    with browser.page(390, 800) as page:
        page.open(f"{served}/{name}.html")

        assert page.ask("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read_against_its_ground(browser, served, is_dark):
    with browser.page(1280, 900, is_dark=is_dark) as page:
        page.open(f"{served}/request.html")
        faint = page.ask(CONTRAST)

        assert [each for each in faint if each["ratio"] < RATIO] == []


CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
  const light = rgb => { const [r, g, b] = rgb.map(c => c / 255).map(
    c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = element => {
    const layers = [];
    for (let at = element; at; at = at.parentElement)
      layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]); };
  const looked = ['h1', 'h2', 'p', 'td', 'td code', 'article td a', '.md-nav__link',
    '.md-tabs__link'];
  return looked.map(selector => {
    const element = document.querySelector(`.md-content ${selector}, ${selector}`);
    const below = ground(element), text = over(rgba(getComputedStyle(element).color), below);
    const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
    return {selector, ratio: (a + 0.05) / (b + 0.05)}; });
})()
"""
