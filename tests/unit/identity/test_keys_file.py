import hashlib

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.keys_file import KeyEntry, parse_keys_file, parse_plain_keys, weak_keys

BCRYPT = "$2b$04$/ktiB3ATfMjZpV./Vwk0Ru05TCYTlBLY2iMsXur4lOTsVsiriKljC"
DIGEST = hashlib.sha256(b"pyp_secret").hexdigest()
PLAIN = "a-plain-key-of-24-letter"
PLAIN_DIGEST = hashlib.sha256(PLAIN.encode()).digest()


def faults_of(text):
    with pytest.raises(ConfigurationError) as caught:
        parse_keys_file(text, "keys.txt")
    return [(fault.path, fault.problem) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        pytest.param(
            f"alice:{BCRYPT}", KeyEntry("bcrypt", BCRYPT.encode(), "alice"), id="named bcrypt"
        ),
        pytest.param(BCRYPT, KeyEntry("bcrypt", BCRYPT.encode()), id="bare bcrypt"),
        pytest.param(
            f"bob:sha256:{DIGEST}",
            KeyEntry("sha256", bytes.fromhex(DIGEST), "bob"),
            id="named sha256",
        ),
        pytest.param(
            f"sha256:{DIGEST.upper()}", KeyEntry("sha256", bytes.fromhex(DIGEST)), id="bare sha256"
        ),
        pytest.param(PLAIN, KeyEntry("plain", PLAIN_DIGEST), id="plain"),
        pytest.param(f"  {PLAIN}\t\r", KeyEntry("plain", PLAIN_DIGEST), id="white space around"),
        pytest.param(f"{PLAIN} # my own", KeyEntry("plain", PLAIN_DIGEST), id="comment behind"),
        pytest.param(
            f"team/alice+1@x.org:{BCRYPT}",
            KeyEntry("bcrypt", BCRYPT.encode(), "team/alice+1@x.org"),
            id="name with marks",
        ),
        pytest.param(
            f"a:sha256:{DIGEST} limit=20r/s routes=openai,anthropic expires=2027-01-31",
            KeyEntry(
                "sha256",
                bytes.fromhex(DIGEST),
                "a",
                # date -d 2027-02-01T00:00Z +%s
                expires_at=1801440000.0,
                routes=frozenset({"openai", "anthropic"}),
                limit=Rate(20.0, 1.0),
            ),
            id="options in any order",
        ),
    ],
)
def test_line(line, entry):
    (parsed,) = parse_keys_file(line, "")

    assert parsed.origin == ":1"
    assert {name: getattr(parsed, name) for name in KeyEntry.__slots__ if name != "origin"} == {
        name: getattr(entry, name) for name in KeyEntry.__slots__ if name != "origin"
    }


def test_comments_blank_lines_and_byte_order_mark_are_left_out():
    entries = parse_keys_file(f"\ufeff# keys\n\n   \n #x\n{PLAIN}\n", "keys.txt")

    assert [entry.origin for entry in entries] == ["keys.txt:5"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("alice:$2b$12$short", "bcrypt", id="short bcrypt"),
        pytest.param(f"alice:{BCRYPT}x", "bcrypt", id="long bcrypt"),
        pytest.param(BCRYPT.replace("$04$", "$03$"), "bcrypt", id="bcrypt cost too low"),
        pytest.param(BCRYPT.replace("$04$", "$32$"), "bcrypt", id="bcrypt cost too high"),
        pytest.param(BCRYPT.replace("$2b$", "$2x$"), "bcrypt", id="bcrypt of the broken kind"),
        pytest.param(BCRYPT.replace("Ru05", "Ra05"), "bcrypt", id="stray bits in the salt"),
        pytest.param("alice:sha256:abc", "64 hex digits", id="short sha256"),
        pytest.param(f"alice:sha256:{'g' * 64}", "64 hex digits", id="sha256 not hex"),
        pytest.param("alice:opensesame", "after 'name:'", id="named plain key"),
        pytest.param("alice:", "after 'name:'", id="name alone"),
        pytest.param(f":{BCRYPT}", "a name is", id="empty name"),
        pytest.param(f"al\u00edce:{BCRYPT}", "a name is", id="name not ASCII"),
        pytest.param(f"{'a' * 129}:{BCRYPT}", "a name is", id="long name"),
        pytest.param("k" * 4097, "4096 bytes", id="plain key over 4 KiB"),
        pytest.param("cl\u00e9-of-some-length", "visible ASCII", id="plain key not ASCII"),
        pytest.param("header.payload.signature", "two dots", id="plain key like a JWT"),
        pytest.param(f"{PLAIN} opensesame", "only expires=", id="stray word"),
        pytest.param(f"{PLAIN} colour=red", "only expires=", id="unknown option"),
        pytest.param(f"{PLAIN} routes=", "only expires=", id="option without a value"),
        pytest.param(f"{PLAIN} routes=a routes=b", "there twice", id="option twice"),
        pytest.param(f"{PLAIN} routes=a,,b", "routes= wants", id="empty route"),
        pytest.param(f"{PLAIN} limit=fast", "limit= wants", id="no rate"),
        pytest.param(f"{PLAIN} expires=tomorrow", "expires= wants", id="no date"),
        pytest.param(f"{PLAIN} expires=2027-02-29", "expires= wants", id="no leap year"),
        pytest.param(f"{PLAIN} expires=2027-13-01", "expires= wants", id="no such month"),
        pytest.param(f"{PLAIN} expires=0000-01-01", "expires= wants", id="year nought"),
        pytest.param(f"{PLAIN} expires=2027-01-00", "expires= wants", id="day nought"),
    ],
)
def test_malformed_line_is_named_and_never_quoted(line, problem):
    ((path, text),) = faults_of(f"# first\n{line}\n")

    assert path == "keys.txt:2"
    assert problem in text
    for secret in ("opensesame", "$2b$12$short", DIGEST, PLAIN, "kkkk"):
        assert secret not in text


def test_every_malformed_line_is_reported_at_once():
    found = faults_of(f"alice:nothing\n{PLAIN}\nbob:sha256:0\n")

    assert [path for path, _ in found] == ["keys.txt:1", "keys.txt:3"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(f"a:{BCRYPT}\na:sha256:{DIGEST}", "same name", id="name twice"),
        pytest.param(f"a:sha256:{DIGEST}\nb:sha256:{DIGEST}", "same key", id="digest twice"),
        pytest.param(f"{BCRYPT}\nb:{BCRYPT}", "same key", id="hash twice"),
        pytest.param(f"{PLAIN}\n{PLAIN}", "same key", id="plain key twice"),
        pytest.param(
            f"{PLAIN}\nb:sha256:{PLAIN_DIGEST.hex()}", "same key", id="plain key and its digest"
        ),
    ],
)
def test_repeated_line_is_a_fault(text, problem):
    ((path, found),) = faults_of(text)

    assert path == "keys.txt:2"
    assert problem in found
    assert "keys.txt:1" in found


def test_material_never_prints():
    (entry,) = parse_keys_file(f"a:{BCRYPT}", "keys.txt")

    assert "$2b$" not in repr(entry)


def test_plain_keys_of_the_configuration_count_once_each():
    entries = parse_plain_keys([PLAIN, "another-key-of-length", PLAIN], "auth.keys")

    assert [entry.origin for entry in entries] == ["auth.keys[0]", "auth.keys[1]"]


def test_plain_keys_that_no_client_could_send_are_faults():
    with pytest.raises(ConfigurationError) as caught:
        parse_plain_keys(["", PLAIN, "a key"], "auth.keys")

    assert [fault.path for fault in caught.value.faults] == ["auth.keys[0]", "auth.keys[2]"]


def test_weak_keys_are_remarked_on():
    costly = BCRYPT.replace("$04$", "$16$")
    sound = BCRYPT.replace("$04$", "$12$")
    entries = parse_keys_file(f"short\n{PLAIN}\na:{BCRYPT}\nb:{costly}\nc:{sound}", "k")

    remarks = weak_keys(entries)

    assert [remark.path for remark in remarks] == ["k:1", "k:3", "k:4"]
