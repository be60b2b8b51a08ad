import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.routing.pattern import LONGEST_REMEMBERED, MOST_VERDICTS, DeniedPaths, Patterns

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
        pytest.param("*-4*", "gpt-4o", True, id="stars at both ends"),
        pytest.param("*-4*", "gpt-3", False, id="stars at both ends and another name"),
        pytest.param("gpt*mini", "gpt-4o-mini", True, id="star in between"),
        pytest.param("gpt*mini", "gpt-4o-minimal", False, id="star in between and more behind"),
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


@pytest.mark.parametrize(
    "patterns",
    [
        pytest.param(["gpt-4o", "claude-sonnet"], id="names"),
        pytest.param(["gpt-*", "claude-*"], id="star at the end"),
        pytest.param(["*-4o", "*-sonnet"], id="star at the start"),
        pytest.param(["*t-*", "*e-*"], id="stars at both ends"),
        pytest.param(["g*-*o", "c*-*t"], id="stars in between"),
        pytest.param(["*-4*", "claude-*"], id="of different forms"),
    ],
)
def test_any_of_several_patterns_will_do(patterns):
    several = Patterns.of(patterns)

    assert several.matches("claude-sonnet")
    assert several.matches("gpt-4o")
    assert not several.matches("gemini")


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
        pytest.param(b"/v1/%252e%252e/token", id="dots escaped twice"),
        pytest.param(b"/v1/%2e./token", id="dots that nobody resolved"),
        pytest.param(b"/v1/..%3bx/token", id="dots with parameters"),
        pytest.param(b"/./token", id="a dot segment"),
        pytest.param(b"/v1/%252e%252e%255ctoken", id="dots and backslash escaped twice"),
        pytest.param(b"/v1;x/..;y/token", id="parameters and dots"),
        pytest.param(b"/token;x/y", id="parameters that hide a segment"),
        pytest.param(b"/token.", id="dot at the end"),
        pytest.param(b"/token.%20.", id="dots and spaces at the end"),
        pytest.param(b"/token%20", id="space at the end"),
        pytest.param(b"/%20token", id="space in front"),
        pytest.param(b"/%C2%A0token", id="no-break space in front"),
        pytest.param(b"/token%00", id="NUL"),
        pytest.param(b"/token%2500.json", id="NUL escaped twice"),
        pytest.param(b"/to%0Aken", id="line feed"),
        pytest.param(b"/to%7Fken", id="DEL"),
        pytest.param(b"/%C1%B4oken", id="overlong letter, two octets"),
        pytest.param(b"/%E0%81%B4oken", id="overlong letter, three octets"),
        pytest.param(b"/%F0%80%81%B4oken", id="overlong letter, four octets"),
        pytest.param(b"/%25C0%25AFtoken", id="overlong slash escaped twice"),
        pytest.param(b"/to%FFken", id="octet that may be left out"),
        pytest.param(b"/%EF%BD%94oken", id="full-width letter"),
        pytest.param(b"%EF%BC%8Ftoken", id="full-width slash"),
        pytest.param(b"/%EF%BC%8574oken", id="full-width percent sign"),
        pytest.param(b"/x/%E2%80%A5/token", id="two dot leader"),
        pytest.param(b"/token%EF%BC%9Bx", id="full-width semicolon"),
        pytest.param(b"/%u0074oken", id="Microsoft's escape"),
        pytest.param(b"/%25u0074oken", id="Microsoft's escape, escaped"),
        pytest.param(b"/token%3Fx=1", id="escaped question mark"),
        pytest.param(b"/token%3B%3Fx", id="escaped question mark behind parameters"),
        pytest.param(b"/token%2523", id="hash escaped twice"),
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
        pytest.param(b"/v1/files/a.b.txt", id="dots within"),
        pytest.param(b"/.well-known/x", id="a dot in front"),
        pytest.param(b"/v1/files/a;v=1", id="parameters"),
        pytest.param(b"/proxy/https%253A%252F%252Fx.example%252Ftoken", id="a URL, encoded twice"),
        pytest.param("/v1/files/Zoë".encode(), id="no ASCII"),
        pytest.param(b"/v1/x%3F/token", id="escaped question mark before"),
        pytest.param(b"*", id="asterisk-form"),
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


def test_verdicts_are_remembered_up_to_a_bound():
    denied = DeniedPaths.of(["/token"])

    for number in range(3 * MOST_VERDICTS):
        assert not denied.denies(b"/%d" % number)
    assert denied.denies(b"/token")
    assert denied.denies(b"/token")
    assert not denied.denies(b"/" + b"x" * LONGEST_REMEMBERED)
    assert denied.remembered <= MOST_VERDICTS


# --- any composition of spellings


def _letter_spellings(letter):
    wide = chr(ord(letter) + 0xFEE0)
    return [
        letter, letter.upper(), quote(letter), f"%{ord(letter):02x}", f"%{ord(letter):02X}", wide,
        f"%u{ord(letter):04x}", f"{letter}\udcff",
    ]  # fmt: skip


def _quoted(text):
    return "".join(
        f"%{octet:02X}" for octet in text.encode("utf-8", "surrogateescape")
    )  # the whole of it, so that each layer hides the one before


SEPARATORS = ["/", "//", "\\", "%2f", "%5C", "/ /", "/%20/", "\uff0f", "/;x/", ";a=b/", ". /"]
TAILS = ["", "/", "//", ";x", ";x=1/", ".", ". .", "%20", "?a", "#a", ";x?b", "%00", "/."]


@st.composite
def spellings_of(draw, path):
    """A denied path, each letter and separator in one of its spellings, then escaped anew."""
    text = ""
    for letter in path:
        others = SEPARATORS if letter == "/" else _letter_spellings(letter)
        text += draw(st.sampled_from(others))
    text += draw(st.sampled_from(TAILS))
    layers = draw(st.integers(0, 2))
    for _ in range(layers):
        first = draw(st.integers(0, len(text)))
        last = draw(st.integers(first, len(text)))
        text = text[:first] + _quoted(text[first:last]) + text[last:]
    return text.encode("utf-8", "surrogateescape")


@settings(deadline=None)
@given(spellings_of("/token") | spellings_of("/usage") | spellings_of("/usage/x"))
def test_any_composition_of_spellings_is_denied(path):
    assert COPILOT.denies(path)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("abv1") | st.sampled_from(["%41", "%2561", "B", "."]), min_size=1),
    st.sampled_from(["", "/", ";x", "%20"]),
)
def test_an_unrelated_path_is_never_denied(letters, tail):
    assert not COPILOT.denies(f"/x{''.join(letters)}/y{tail}".encode())


@given(st.text("abcd/", max_size=20))
def test_of_plain_paths_nothing_but_the_pattern_is_denied(path):
    assert DeniedPaths.of(["/a", "/b/*"]).denies(b"/" + path.encode()) is (
        re.fullmatch(r"/*a/*|/*b//*[^/].*", "/" + path) is not None
    )
