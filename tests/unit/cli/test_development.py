import shutil
import socket
import tomllib
from contextlib import suppress
from pathlib import Path

import openai
import pytest
import trustme

from pyproxy.cli.development import CONFIG, KEYS, PLAIN_KEY, SIGNING_KEYS, prepare
from pyproxy.cli.keys import key_line
from pyproxy.config.load import load


@pytest.fixture
def developing(here):
    """Prepare the folder; demonstrations end with the test."""
    assert not list(here.iterdir())
    started = []

    def start(config=None, environ=None):
        development = prepare(config, {} if environ is None else environ)
        started.append(development.demonstration)
        return development

    yield start
    for demonstration in started:
        if demonstration is not None:
            demonstration.stop()


def test_empty_folder_gets_everything(developing, here):
    development = developing()

    assert {path.name for path in (here / "certs").iterdir()} == {
        *("ca.crt", "ca.key", "copilot.crt", "copilot.key", "dev.key", "dev.toml")
    }
    assert development.config == CONFIG
    assert str(development.ca) == "certs/ca.crt"
    assert len(development.made) == 3
    assert SIGNING_KEYS.exists()


def test_what_was_made_can_be_served(developing, here):
    development = developing()

    loaded = load(development.config, {}, here)

    assert Path(loaded.settings.auth.keys_file).resolve() == here / KEYS
    assert loaded.settings.routes[0].upstream[0].port == development.demonstration.port


def test_demonstration_answers(developing):
    port = developing().demonstration.port

    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="k") as client:
        assert client.models.list().data


def test_key_is_let_in_and_kept_to_the_owner(developing):
    key = developing().key

    assert key_line("dev", key) in KEYS.read_text().splitlines()
    assert PLAIN_KEY.stat().st_mode & 0o777 == 0o600


def test_second_start_makes_nothing(developing):
    key = developing().key

    again = developing()

    assert again.key == key
    assert again.made == []


def test_revoked_key_is_replaced(developing):
    key = developing().key
    KEYS.write_text("")

    assert developing().key != key
    assert KEYS.read_text().count("dev:") == 1


def test_lost_key_is_replaced(developing):
    key = developing().key
    PLAIN_KEY.unlink()

    assert developing().key != key
    assert KEYS.read_text().count("dev:") == 1


def test_configuration_of_ones_own_gets_what_it_names(developing, here):
    (here / "pyproxy.toml").write_text("""
        auth.keys_file = "mine.txt"
        auth.jwt.signing_keys_file = "sign/mine.json"
        [[listeners]]
        bind = "127.0.0.1:5000"
        certificate = "tls/a.crt"
        private_key = "tls/a.key"
        [[routes]]
        name = "mine"
        upstream = "http://127.0.0.1:1"
    """)

    development = developing(here / "pyproxy.toml")

    assert development.demonstration is None
    assert development.ca == Path("certs/ca.crt")
    assert not (here / "tls" / "ca.key").exists()
    assert (here / "tls" / "a.key").exists()
    assert (here / "sign" / "mine.json").exists()
    assert key_line("dev", development.key) in (here / "mine.txt").read_text()
    assert development.config == here / "pyproxy.toml"


def test_keys_file_of_ones_own_is_left_alone(developing, here):
    (here / "mine.txt").write_text("a-plain-key-of-somebody\n")
    (here / "pyproxy.toml").write_text('auth.keys_file = "mine.txt"\nroutes = [{ name = "a" }]')

    development = developing(here / "pyproxy.toml")

    assert development.key == ""
    assert (here / "mine.txt").read_text() == "a-plain-key-of-somebody\n"


def test_plain_keys_of_ones_own_are_enough(developing, here):
    (here / "pyproxy.toml").write_text('auth.keys = ["k"]\nroutes = [{ name = "a" }]')

    assert developing(here / "pyproxy.toml").key == ""


def test_what_the_file_leaves_out_goes_into_the_environment(developing, here):
    (here / "pyproxy.toml").write_text('routes = [{ name = "a" }]')
    environ = {}

    developing(here / "pyproxy.toml", environ)

    assert environ == {
        "API_KEYS_FILE": str(here / KEYS),
        "JWT_SIGNING_KEYS": str(here / SIGNING_KEYS),
    }


def test_certificate_of_ones_own_is_left_alone(developing, here):
    (here / "certs").mkdir()
    theirs = trustme.CA().issue_cert("localhost")
    theirs.private_key_pem.write_to_path(here / "certs" / "copilot.key")
    theirs.cert_chain_pems[0].write_to_path(here / "certs" / "copilot.crt")

    development = developing()

    assert development.ca is None
    assert (here / "certs" / "copilot.crt").read_bytes() == theirs.cert_chain_pems[0].bytes()


def test_configuration_without_routes_gets_a_stand_in_where_it_looks(developing, here):
    (here / "pyproxy.toml").write_text("")
    with socket.socket() as probe:
        is_free = probe.connect_ex(("127.0.0.1", 4141)) != 0

    development = developing(here / "pyproxy.toml")

    if is_free:
        assert development.demonstration.port == 4141


def test_stand_in_gives_way_to_who_is_there(developing, here):
    (here / "pyproxy.toml").write_text("")
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody else is there already: just as good
            somebody.bind(("127.0.0.1", 4141))
            somebody.listen()

        assert developing(here / "pyproxy.toml").demonstration is None


def test_development_configuration_is_toml(developing):
    developing()

    assert tomllib.loads(CONFIG.read_text())["listeners"][0]["bind"] == "127.0.0.1:5000"


def test_copied_configuration_works_where_it_went(developing, here):
    developing()
    shutil.copy(CONFIG, here / "pyproxy.toml")

    settings = load(Path("pyproxy.toml"), {}, here).settings

    assert settings.listeners[0].certificate == str(here / "certs" / "copilot.crt")
    assert Path(settings.listeners[0].private_key).exists()
    assert settings.auth.keys_file == str(here / KEYS)
    assert settings.auth.jwt.signing_keys_file == str(here / SIGNING_KEYS)


def test_folder_of_any_name_will_do(developing, here, monkeypatch):
    odd = here / 'quo"te ${x} back\\slash'
    here.joinpath(odd).mkdir()
    monkeypatch.chdir(odd)
    developing()

    settings = load(CONFIG, {}, odd).settings

    assert settings.auth.keys_file == str(odd / KEYS)


def test_nothing_secret_is_made_beside_the_configuration(developing, here):
    (here / "pyproxy.toml").write_text("""
        routes = [{ name = "a", upstream = "http://127.0.0.1:1" }]
        [[listeners]]
        certificate = "gateway.crt"
        private_key = "gateway.key"
    """)

    developing(here / "pyproxy.toml")

    assert (here / "certs" / "ca.key").exists()
    assert {path.name for path in here.iterdir()} == {
        *("pyproxy.toml", "certs", "gateway.crt", "gateway.key"),
        *("api_keys.dev", "signing_keys.json"),
    }


def test_one_of_two_certificates_may_be_ones_own(developing, here):
    theirs = trustme.CA().issue_cert("localhost")
    theirs.private_key_pem.write_to_path(here / "theirs.key")
    theirs.cert_chain_pems[0].write_to_path(here / "theirs.crt")
    (here / "pyproxy.toml").write_text("""
        routes = [{ name = "a", upstream = "http://127.0.0.1:1" }]
        listeners = [
            { bind = "[::1]:1", certificate = "theirs.crt", private_key = "theirs.key" },
            { bind = "[::1]:2", certificate = "ours.crt", private_key = "ours.key" },
        ]
    """)
    developing(here / "pyproxy.toml")

    again = developing(here / "pyproxy.toml")

    assert again.made == []
    assert again.ca == Path("certs/ca.crt")
    assert (here / "theirs.crt").read_bytes() == theirs.cert_chain_pems[0].bytes()


@pytest.mark.parametrize(
    ("config", "option"),
    [
        pytest.param('auth.keys_file = "mine.txt"', "-c pyproxy.toml", id="named"),
        pytest.param("", "-f api_keys.dev", id="left to us"),
    ],
)
def test_keys_command_knows_the_file_in_force(developing, here, pyproxy, config, option):
    (here / "pyproxy.toml").write_text(f'{config}\nroutes = [{{ name = "a" }}]')
    development = developing(Path("pyproxy.toml"))
    pyproxy("keys", "new", "bob", *development.keys_option.split())

    in_force = here / ("mine.txt" if config else KEYS)
    assert development.keys_option == option
    assert "bob:sha256:" in in_force.read_text()
