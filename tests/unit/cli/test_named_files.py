from pathlib import Path

import pytest

from pyproxy.cli.named_files import NamedFiles, named_files
from pyproxy.errors.fault import ConfigurationError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The folder that paths of the environment begin at."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_configuration_names_the_default_certificate(here):
    seed = (here / "certs/copilot.crt", here / "certs/copilot.key")

    assert named_files(None, {}) == NamedFiles(certificates=(seed,))


@pytest.mark.parametrize("name", ["JWT_SIGNING_KEYS", "JWT_SIGNING_KEYS_FILE"])
def test_environment_names_files(here, name):
    environ = {"API_KEYS_FILE": "keys.txt", name: "/run/signing.json"}

    named = named_files(None, environ)

    assert named.keys_file == here / "keys.txt"
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


def test_path_from_the_environment_is_filled_in_and_not_guessed(tmp_path):
    config = tmp_path / "pyproxy.toml"
    config.write_text('auth.keys_file = "${PLACE}/keys"')

    assert named_files(config, {"PLACE": "/run"}).keys_file == Path("/run/keys")
    with pytest.raises(ConfigurationError, match=r"auth\.keys_file: .*PLACE"):
        named_files(config, {})


def test_a_variable_that_is_not_set_elsewhere_is_for_the_loading_to_say(tmp_path):
    config = tmp_path / "pyproxy.toml"
    config.write_text('auth.keys_file = "keys"\nauth.keys = ["${NOT_SET}"]')

    assert named_files(config, {}).keys_file == tmp_path / "keys"


def test_keys_in_a_file_are_seen_though_it_is_missing(tmp_path):
    config = tmp_path / "pyproxy.toml"
    config.write_text('auth.keys = [{ file = "none" }]\nauth.keys_file = "keys.txt"')

    named = named_files(config, {})

    assert (named.has_keys, named.keys_file) == (True, tmp_path / "keys.txt")


@pytest.mark.parametrize("text", ["listeners = [1]\nauth = 2", "listeners = 1\nauth.jwt = []"])
def test_wrong_types_name_nothing(tmp_path, text):
    config = tmp_path / "pyproxy.toml"
    config.write_text(text)

    assert named_files(config, {}) == NamedFiles()


@pytest.mark.parametrize("text", ["= broken", None], ids=["no TOML", "missing"])
def test_a_file_that_cannot_be_read_is_a_fault_and_no_other_is_taken(tmp_path, text):
    config = tmp_path / "pyproxy.toml"
    if text is not None:
        config.write_text(text)

    with pytest.raises(ConfigurationError, match=r"pyproxy\.toml"):
        named_files(config, {})
