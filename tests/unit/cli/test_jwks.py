import json

import pytest

SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k"}


def keys_of(path):
    return json.loads(path.read_text())["keys"]


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_new_set_signs(pyproxy, here, alg):
    code, _, _ = pyproxy("jwks", "new", "--alg", alg)

    (key,) = keys_of(here / "signing_keys.json")
    assert code == 0
    assert key["alg"] == alg
    assert "d" in key
    assert (here / "signing_keys.json").stat().st_mode & 0o777 == 0o600


def test_symmetric_keys_are_not_made(pyproxy):
    code, _, err = pyproxy("jwks", "new", "--alg", "HS256")

    assert code == 2
    assert "HS256" in "".join(err)


def test_set_that_is_there_is_not_replaced(pyproxy, here):
    pyproxy("jwks", "new")
    before = keys_of(here / "signing_keys.json")

    code, _, err = pyproxy("jwks", "new")

    assert code == 2
    assert "rotate" in err[0]
    assert keys_of(here / "signing_keys.json") == before


def test_public_half_has_nothing_private(pyproxy):
    pyproxy("jwks", "new", "--file", "s.json")

    code, out, _ = pyproxy("jwks", "public", "--file", "s.json")

    (key,) = json.loads("\n".join(out))["keys"]
    assert code == 0
    assert not SECRET_MEMBERS & key.keys()


def test_rotation_puts_a_new_key_in_front(pyproxy, here):
    pyproxy("jwks", "new", "--alg", "EdDSA")
    (old,) = keys_of(here / "signing_keys.json")

    code, _, _ = pyproxy("jwks", "rotate")

    new, kept = keys_of(here / "signing_keys.json")
    assert code == 0
    assert new["kid"] != old["kid"]
    assert new["alg"] == "EdDSA"
    assert kept["kid"] == old["kid"]


def test_rotation_may_change_the_algorithm(pyproxy, here):
    pyproxy("jwks", "new")

    pyproxy("jwks", "rotate", "--alg", "EdDSA")

    assert [key["alg"] for key in keys_of(here / "signing_keys.json")] == ["EdDSA", "ES256"]


@pytest.mark.parametrize("command", ["public", "rotate"])
def test_missing_file_is_a_fault(pyproxy, command):
    code, _, err = pyproxy("jwks", command)

    assert code == 2
    assert "signing_keys.json" in err[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"keys": []}', id="empty"),
        pytest.param("[]", id="no set"),
        pytest.param('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', id="symmetric"),
    ],
)
def test_set_without_a_key_is_not_rotated_blindly(pyproxy, here, text):
    (here / "signing_keys.json").write_text(text)

    code, _, _ = pyproxy("jwks", "rotate")

    assert code == 2
    assert (here / "signing_keys.json").read_text() == text


def test_file_that_is_not_text_is_left_alone(pyproxy, here):
    (here / "signing_keys.json").write_bytes(b"\xff")

    assert pyproxy("jwks", "rotate")[0] == 2
    assert (here / "signing_keys.json").read_bytes() == b"\xff"


def test_folder_that_cannot_be_made_is_a_fault(pyproxy, here):
    (here / "file").write_text("")

    assert pyproxy("jwks", "new", "--file", "file/s.json")[0] == 2
