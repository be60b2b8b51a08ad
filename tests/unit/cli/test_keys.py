import hashlib
import io
import sys

import bcrypt
import pytest

from pyproxy.cli.keys import key_line, new_key


def test_new_key_is_random_and_long():
    assert new_key() != new_key()
    assert new_key().startswith("pyp_")
    assert len(new_key()) == len("pyp_") + 43


def test_new_key_is_shown_once_and_kept_as_hash(pyproxy, here):
    code, (key,), _ = pyproxy("keys", "new", "alice", "--file", "k.txt")

    assert code == 0
    assert (here / "k.txt").read_text() == key_line("alice", key) + "\n"
    assert key not in (here / "k.txt").read_text()
    assert hashlib.sha256(key.encode()).hexdigest() in (here / "k.txt").read_text()


def test_keys_file_is_the_owners_alone(pyproxy, here):
    pyproxy("keys", "new", "alice")

    assert (here / "api_keys.txt").stat().st_mode & 0o777 == 0o600


def test_file_is_the_configurations(pyproxy, here):
    (here / "pyproxy.toml").write_text('auth.keys_file = "mine.txt"')

    pyproxy("keys", "new", "alice")

    assert (here / "mine.txt").exists()


def test_name_that_is_none_is_refused(pyproxy, here):
    code, out, err = pyproxy("keys", "new", "a b")

    assert (code, out) == (2, [])
    assert "are accepted" in err[0]
    assert not (here / "api_keys.txt").exists()


def test_taken_name_is_refused(pyproxy):
    pyproxy("keys", "new", "alice")

    code, out, err = pyproxy("keys", "new", "alice")

    assert (code, out) == (2, [])
    assert "named alice already" in err[0]


def test_folder_is_no_keys_file(pyproxy, here):
    (here / "api_keys.txt").mkdir()

    code, _, err = pyproxy("keys", "new", "alice")

    assert code == 2
    assert "api_keys.txt" in err[0]


def test_file_that_is_not_text_is_left_alone(pyproxy, here):
    (here / "api_keys.txt").write_bytes(b"\xff")

    code, _, err = pyproxy("keys", "list")
    code_new, _, _ = pyproxy("keys", "new", "alice")

    assert (code, code_new) == (2, 2)
    assert "UTF-8" in err[0]
    assert (here / "api_keys.txt").read_bytes() == b"\xff"


def test_list_names_kinds_and_options(pyproxy):
    pyproxy("keys", "new", "alice")
    pyproxy("keys", "new", "bob")

    assert pyproxy("keys", "list") == (0, ["alice  sha256", "bob  sha256"], [])


def test_list_of_no_file_is_a_fault(pyproxy):
    code, _, err = pyproxy("keys", "list")

    assert code == 2
    assert err == ["pyproxy: api_keys.txt: no such file; 'pyproxy keys new NAME' makes it"]


def test_list_names_malformed_lines(pyproxy, here):
    (here / "api_keys.txt").write_text("alice:sha256:short\n")

    code, _, err = pyproxy("keys", "list")

    assert code == 2
    assert "api_keys.txt:1" in err[0]


def test_revoked_key_is_gone(pyproxy):
    pyproxy("keys", "new", "alice")
    pyproxy("keys", "new", "bob")

    code, _, _ = pyproxy("keys", "revoke", "alice")

    assert code == 0
    assert pyproxy("keys", "list")[1] == ["bob  sha256"]


def test_revoking_nobody_finds_something_wrong(pyproxy):
    pyproxy("keys", "new", "alice")

    code, _, err = pyproxy("keys", "revoke", "bob")

    assert code == 1
    assert "no key is named bob" in err[0]


def test_revoking_without_file_is_a_fault(pyproxy):
    assert pyproxy("keys", "revoke", "bob")[0] == 2


def test_hash_reads_standard_input(pyproxy, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret of mine\n"))

    code, (line,), _ = pyproxy("keys", "hash", "--name", "alice")

    assert code == 0
    assert line.startswith("alice:$2b$12$")
    assert bcrypt.checkpw(b"secret of mine", line.removeprefix("alice:").encode())


@pytest.mark.parametrize("text", [pytest.param("", id="empty"), pytest.param("a" * 73, id="73")])
def test_key_that_bcrypt_cannot_take_is_refused(pyproxy, monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    code, out, err = pyproxy("keys", "hash")

    assert (code, out) == (2, [])
    assert "1 to 72 bytes" in err[0]


@pytest.mark.parametrize("command", [("keys", "new", "alice"), ("jwks", "new")])
def test_folder_is_not_made(pyproxy, here, command):
    code, out, err = pyproxy(*command, "-f", "nope/file")

    assert (code, out, err) == (2, [], ["pyproxy: nope/file: no such folder"])
    assert not (here / "nope").exists()


@pytest.mark.parametrize("name", ["carol x", "", "a:b", "-x"])
def test_name_that_is_none_gets_no_hash(pyproxy, monkeypatch, name):
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret of mine\n"))

    code, out, err = pyproxy("keys", "hash", f"--name={name}")

    assert (code, out) == (2, [])
    assert "are accepted" in err[0]
