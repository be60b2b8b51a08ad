import hashlib

import pytest

from pyproxy.cli.key_lines import describe, is_name, with_line, without_key
from pyproxy.identity.keys_file import parse_keys_file

HASH = hashlib.sha256(b"k").hexdigest()
OTHER = hashlib.sha256(b"l").hexdigest()
BCRYPT = "$2b$12$abcdefghijklmnopqrstuuNc9ChvpNSZSIXSXoTRQCvS6JUF/9EIa"
ALICE = f"alice:sha256:{HASH}"
BOB = f"bob:sha256:{OTHER} expires=2027-01-31 routes=openai,anthropic limit=20r/s"


@pytest.mark.parametrize(
    ("name", "good"),
    [
        pytest.param("alice", True, id="plain"),
        pytest.param("alice@example.com", True, id="address"),
        pytest.param("ci-2.build_3+x", True, id="signs"),
        pytest.param("a" * 128, True, id="longest"),
        pytest.param("", False, id="empty"),
        pytest.param("a" * 129, False, id="too long"),
        pytest.param("-f", False, id="option"),
        pytest.param("a:b", False, id="colon"),
        pytest.param("a b", False, id="space"),
        pytest.param("a\n", False, id="line end"),
        pytest.param("#a", False, id="comment"),
        pytest.param("ä", False, id="not ASCII"),
    ],
)
def test_name(name, good):
    assert is_name(name) is good


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"{ALICE}\n", id="empty file"),
        pytest.param("# keys\n", f"# keys\n{ALICE}\n", id="comment"),
        pytest.param(BOB, f"{BOB}\n{ALICE}\n", id="no line end"),
        pytest.param("alice\n", f"alice\n{ALICE}\n", id="plain key that reads like the name"),
        pytest.param("not a key: at all\n", f"not a key: at all\n{ALICE}\n", id="malformed line"),
    ],
)
def test_line_is_added_at_the_end(before, after):
    assert with_line(before, ALICE) == after


def test_name_is_taken_once():
    with pytest.raises(ValueError, match="named alice already"):
        with_line(f"{ALICE}\n", f"alice:sha256:{OTHER}")


def test_key_is_removed_and_nothing_else():
    text = f"# alice: of sales\n{ALICE}\n\n{BOB}\n"

    assert without_key(text, "alice") == f"# alice: of sales\n\n{BOB}\n"


def test_key_without_name_is_removed_by_its_digits():
    assert without_key(f"plain-key-of-somebody\n{ALICE}\n", plain_label()) == f"{ALICE}\n"


def plain_label():
    return hashlib.sha256(b"plain-key-of-somebody").hexdigest()[:8]


def test_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        without_key(f"{ALICE}\nmalformed line: x\n", "bob")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(ALICE, "alice  sha256", id="generated"),
        pytest.param(
            BOB,
            "bob  sha256  until=2027-02-01T00:00Z  routes=anthropic,openai  limit=20r/s",
            id="options",
        ),
        pytest.param(f"carol:{BCRYPT}", "carol  bcrypt", id="bcrypt"),
        pytest.param(
            BCRYPT, f"{hashlib.sha256(BCRYPT.encode()).hexdigest()[:8]}  bcrypt", id="bare bcrypt"
        ),
        pytest.param("plain-key-of-somebody", f"{plain_label()}  plain", id="plain"),
    ],
)
def test_description_gives_no_key_away(line, shown):
    (entry,) = parse_keys_file(line, "keys")

    described = describe(entry, 1_800_000_000.0)

    assert described == shown
    assert line.split()[0] not in described


@pytest.mark.parametrize(
    ("seconds", "end"),
    [(-1.0, "until=2027-02-01T00:00Z"), (0.0, "until=2027-02-01T00:00Z  expired")],
)
def test_key_is_expired_from_its_end_on(seconds, end):
    (entry,) = parse_keys_file(f"{ALICE} expires=2027-01-31", "keys")

    assert describe(entry, entry.expires_at + seconds) == f"alice  sha256  {end}"
