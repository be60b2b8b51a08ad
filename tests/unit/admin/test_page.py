import base64
import hashlib
import re

from pyproxy.admin.page import load_page

MOST_BYTES = 35_000
EVENT_HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE)
STYLE_ATTRIBUTE = re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE)
ELSEWHERE = re.compile(
    r"""(?:src|href|url|import)\s*[=(]\s*["']?\s*(?:https?:)?//""", re.IGNORECASE
)
WRITES_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|Function\("
)


def test_policy_allows_the_page_alone():
    page = load_page()

    assert page.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert page.policy.endswith(
        "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
    assert "unsafe" not in page.policy


def test_policy_names_the_one_script_by_its_digest():
    page = load_page()
    (script,) = re.findall(rb"<script>(.*?)</script>", page.content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()

    assert f"script-src 'sha256-{digest}';" in page.policy


def test_policy_names_the_one_style_by_its_digest():
    page = load_page()
    (style,) = re.findall(rb"<style>(.*?)</style>", page.content, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()

    assert f"style-src 'sha256-{digest}';" in page.policy


def test_page_has_nothing_that_its_policy_forbids():
    text = load_page().content.decode()

    assert not EVENT_HANDLER.search(text)
    assert not STYLE_ATTRIBUTE.search(text)


def test_page_takes_nothing_from_elsewhere():
    assert not ELSEWHERE.search(load_page().content.decode())


def test_page_writes_text_and_never_html():
    assert not WRITES_HTML.search(load_page().content.decode())


def test_page_stays_small():
    assert len(load_page().content) < MOST_BYTES
