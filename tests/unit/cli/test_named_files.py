from pathlib import Path

import pytest

from pyproxy.cli.named_files import NamedFiles, named_files

SEED = (Path("certs/copilot.crt"), Path("certs/copilot.key"))


def test_no_configuration_names_the_default_certificate():
    assert named_files(None, {}) == NamedFiles(certificates=(SEED,))


def test_environment_names_files():
    environ = {"API_KEYS_FILE": "keys.txt", "JWT_SIGNING_KEYS": "/run/signing.json"}

    named = named_files(None, environ)

    assert named.keys_file == Path("keys.txt")
    assert named.signing_keys_file == Path("/run/signing.json")


def test_file_names_files_beside_itself(tmp_path):
    config = tmp_path / "pyproxy.toml"
    config.write_text("""
        auth.keys_file = "keys.txt"
        auth.jwt.signing_keys_file = "/run/signing.json"
        [[listeners]]
        certificate = "a.crt"
        private_key = "a.key"
        [[listeners]]
        bind = "unix:x"
        [[routes]]
        name = "a"
    """)

    named = named_files(config, {"API_KEYS_FILE": "other.txt"})

    assert named.certificates == ((tmp_path / "a.crt", tmp_path / "a.key"),)
    assert named.keys_file == tmp_path / "keys.txt"
    assert named.signing_keys_file == Path("/run/signing.json")
    assert named.has_routes


@pytest.mark.parametrize(
    ("environ", "text", "has_keys"),
    [
        pytest.param({}, "", False, id="none"),
        pytest.param({"API_KEY": "k"}, "", True, id="API_KEY"),
        pytest.param({"API_KEYS": "k,l"}, "", True, id="API_KEYS"),
        pytest.param({}, 'auth.keys = ["k"]', True, id="in the file"),
    ],
)
def test_plain_keys_are_seen(tmp_path, environ, text, has_keys):
    config = tmp_path / "pyproxy.toml"
    config.write_text(text)

    assert named_files(config, environ).has_keys is has_keys


def test_path_from_the_environment_is_not_guessed(tmp_path):
    config = tmp_path / "pyproxy.toml"
    config.write_text('auth.keys_file = "${HOME}/keys"')

    assert named_files(config, {}).keys_file is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("= broken", id="no TOML"),
        pytest.param("listeners = [1]\nauth = 2", id="wrong types"),
    ],
)
def test_faulty_file_names_nothing(tmp_path, text):
    config = tmp_path / "pyproxy.toml"
    config.write_text(text)

    assert named_files(config, {}) == NamedFiles()


def test_missing_file_names_nothing(tmp_path):
    assert named_files(tmp_path / "none.toml", {}) == NamedFiles()
