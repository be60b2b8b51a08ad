import re
import time

import pytest
from hypothesis import given, strategies as st

from pyproxy.routing.pattern import DeniedPaths, Patterns

COPILOT = DeniedPaths.of(["/token", "/token/*", "/usage", "/usage/*"])


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("gpt-4o", "gpt-4o", True, id="literal"),
        pytest.param("gpt-4o", "gpt-4o-mini", False, id="the whole must match"),
        pytest.param("gpt-4o*", "gpt-4o-mini", True, id="star at the end"),
        pytest.param("gpt-4o*", "gpt-4o", True, id="star for nothing"),
        pytest.param("*mini", "gpt-4o-mini", True, id="star at the start"),
        pytest.param("*mini", "gpt-4o-minimal", False, id="star at the start and more behind"),
        pytest.param("*-4*-m*", "gpt-4o-mini", True, id="stars in between"),
        pytest.param("*-4*-m*", "gpt-4m", False, id="parts in order"),
        pytest.param("a*a", "a", False, id="parts do not overlap"),
        pytest.param("a*b*b", "ab", False, id="parts in between do not overlap"),
        pytest.param("**", "", True, id="two stars are one"),
        pytest.param("*", "a\nb", True, id="a star takes line feeds"),
        pytest.param("gpt-4?", "gpt-4o", False, id="no question marks"),
        pytest.param("gpt.4", "gpt-4", False, id="a dot is a dot"),
        pytest.param("[a]", "a", False, id="no classes"),
        pytest.param("GPT-4o", "gpt-4o", False, id="case matters"),
        pytest.param("gpt-4o", "gpt-4o\n", False, id="no line feed behind"),
        pytest.param("claude|gpt", "gpt", False, id="a bar is a bar"),
    ],
)
def test_patterns_match_whole_names(pattern, name, expected):
    assert Patterns.of([pattern]).matches(name) is expected


def test_any_of_several_patterns_will_do():
    patterns = Patterns.of(["gpt-*", "claude-*"])

    assert patterns.matches("claude-sonnet")
    assert patterns.matches("gpt-4o")
    assert not patterns.matches("gemini")


def test_of_no_patterns_nothing_matches():
    assert not Patterns.of([]).matches("")


@given(pattern=st.text("ab*", max_size=8), name=st.text("ab", max_size=12))
def test_patterns_agree_with_the_plain_regular_expression(pattern, name):
    expected = re.fullmatch(pattern.replace("*", ".*"), name) is not None

    assert Patterns.of([pattern]).matches(name) is expected


def test_a_hostile_name_does_not_take_long():
    patterns = Patterns.of(["*a" * 20 + "b"])
    started = time.process_time()

    assert not patterns.matches("a" * 20_000)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/token", id="plain"),
        pytest.param(b"/TOKEN", id="case"),
        pytest.param(b"/token/", id="slash at the end"),
        pytest.param(b"/token///", id="slashes at the end"),
        pytest.param(b"/token/x", id="below"),
        pytest.param(b"/%74oken", id="escape"),
        pytest.param(b"/%54OKEN%2f", id="escaped case and slash"),
        pytest.param(b"/%2574oken", id="escaped twice"),
        pytest.param(b"/%252574oken", id="escaped three times"),
        pytest.param(b"/" + b"%" + b"25" * 40 + b"74oken", id="escaped without end"),
        pytest.param(b"//token", id="empty segment"),
        pytest.param(b"/%2ftoken", id="escaped empty segment"),
        pytest.param(b"\\token", id="backslash"),
        pytest.param(b"/%5Ctoken", id="escaped backslash"),
        pytest.param(b"/token;a=b", id="parameters"),
        pytest.param(b"/token%3bjsessionid=1", id="escaped parameters"),
        pytest.param("/to\u212aen".encode(), id="KELVIN SIGN"),
        pytest.param(b"/to%E2%84%AAen", id="escaped KELVIN SIGN"),
        pytest.param(b"/u\xc5\xbfage", id="LATIN SMALL LETTER LONG S"),
    ],
)
def test_a_denied_path_is_denied_in_every_spelling(path):
    assert COPILOT.denies(path)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/", id="root"),
        pytest.param(b"/v1/chat/completions", id="the usual"),
        pytest.param(b"/tokens", id="longer"),
        pytest.param(b"/v1/token", id="deeper"),
        pytest.param(b"/toke%6", id="broken escape"),
        pytest.param(b"/v1/files/50%25", id="an honest escape"),
        pytest.param(b"/v1/files/a%20b", id="an escaped space"),
        pytest.param(b"/\xff", id="no UTF-8"),
        pytest.param(b"/" + b"%25" * 40 + b"74oken", id="many honest escapes"),
    ],
)
def test_other_paths_are_not_denied(path):
    assert not COPILOT.denies(path)


def test_patterns_are_compared_in_the_plain_spelling_too():
    assert DeniedPaths.of(["/Admin/"]).denies(b"/admin")


def test_the_root_can_be_denied():
    assert DeniedPaths.of(["/"]).denies(b"/")
    assert not DeniedPaths.of(["/"]).denies(b"/x")


def test_without_patterns_nothing_is_denied():
    assert not DeniedPaths.of([]).denies(b"/%25252525252525token")
