import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from pyproxy.config.load import Doors, load
from pyproxy.errors.fault import ConfigurationError

KEY = {"API_KEY": "k" * 20}
CANARY = "hunter2-hunter2-hunter2"


@pytest.fixture
def write(tmp_path):
    def write(text, name="etc/pyproxy.toml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def faults(path, environ, base):
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ, base)
    return {fault.path: fault.problem for fault in caught.value.faults}


def test_the_environment_alone_serves_copilot_api(tmp_path):
    loaded = load(None, KEY | {"ALLOWED_CIDR": "10.0.0.0/8"}, tmp_path)

    settings = loaded.settings
    assert loaded.path is None
    assert loaded.remarks == ()
    assert settings.listeners[0].certificate == str(tmp_path / "certs/copilot.crt")
    assert settings.listeners[0].private_key == str(tmp_path / "certs/copilot.key")
    assert settings.auth.keys[0].reveal() == "k" * 20
    assert [(route.name, route.allow_from) for route in settings.routes] == [
        ("copilot", (ip_network("10.0.0.0/8"),))
    ]


def test_without_a_way_in_nothing_is_served(tmp_path):
    assert "set API_KEY" in faults(None, {}, tmp_path)["routes[0].auth"]


def test_a_file_without_routes_and_listeners_has_the_usual_ones(write, tmp_path):
    path = write('[server]\ndrain = "1s"\n')

    settings = load(path, KEY, tmp_path).settings

    assert settings.server.drain == 1.0
    assert settings.routes[0].provider == "copilot-api"
    assert settings.listeners[0].certificate == str(tmp_path / "etc/certs/copilot.crt")


def test_paths_are_relative_to_the_file_and_those_of_variables_to_the_start(write, tmp_path):
    write('[auth.jwt]\njwks_file = "keys/../j.json"\n')

    loaded = load(Path("etc/pyproxy.toml"), {"API_KEYS_FILE": "keys.txt"}, tmp_path)

    assert loaded.path == tmp_path / "etc/pyproxy.toml"
    assert loaded.settings.auth.jwt.jwks_file == str(tmp_path / "etc/keys/../j.json")
    assert loaded.settings.auth.keys_file == str(tmp_path / "keys.txt")


def test_secrets_come_from_files_and_environment_and_are_watched(write, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/secret").write_bytes(b"s" * 20 + b"\r\n")
    (tmp_path / "key").write_text("k" * 20 + "\n")
    path = write(
        """
        [[routes]]
        name = "a"
        upstream = "http://a"
        auth = ["token"]
        token = { secret = { file = "secret" } }
        [[routes]]
        name = "b"
        upstream = "http://b"
        path = "/b"
        credential = { header = "Authorization", value = "Bearer ${UP}" }
        """
    )

    loaded = load(path, {"API_KEY_FILE": "key", "UP": "u" * 20}, tmp_path)

    first, second = loaded.settings.routes
    assert first.token.secret.reveal() == "s" * 20
    assert second.credential.value.reveal() == "Bearer " + "u" * 20
    assert second.credential.value.origin == "env UP"
    assert {tmp_path / "etc/secret", tmp_path / "key"} <= set(loaded.watched)
    assert loaded.remarks == ()


def test_every_fault_is_found_at_once(write, tmp_path):
    path = write(
        """
        [server]
        drain = 30
        trusted_proxies = ["0.0.0.0/0"]
        [[listeners]]
        bind = "[::1]:1"
        private_key = "k"
        [auth]
        keys = [{ file = "gone" }, "${NOPE}"]
        [endpoints]
        token = "/health"
        [rate_limits.mine]
        burst = 1
        [metrics]
        users = "some"
        """
    )

    found = faults(path, {"RATE_LIMIT_API": "fast", "JWT_TTL": "soon", "API_KEYS": ""}, tmp_path)

    assert list(found) == [
        "API_KEYS",
        "auth.keys[1]",
        "server.drain",
        "server.trusted_proxies[0]",
        "auth.keys[0]",
        "JWT_TTL",
        "RATE_LIMIT_API",
        "rate_limits.mine.rate",
        "metrics.users",
        "listeners[0].private_key",
        "endpoints.token",
        "endpoints.health",
    ]


def test_a_variable_that_fills_several_routes_is_reported_once_each_value(write, tmp_path):
    path = write(
        """
        [[routes]]
        name = "a"
        [[routes]]
        name = "b"
        """
    )

    with pytest.raises(ConfigurationError) as caught:
        load(path, KEY | {"ALLOWED_CIDR": "10.0.0.1/8"}, tmp_path)

    assert [fault.path for fault in caught.value.faults] == ["ALLOWED_CIDR"]


def test_a_preset_that_is_not_known_is_told_with_the_nearest(write, tmp_path):
    path = write('[[routes]]\nname = "a"\nprovider = "opnai"\n')

    assert 'did you mean "openai"' in faults(path, KEY, tmp_path)["routes[0].provider"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "no such file", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n", "is empty", id="newline alone"),
        pytest.param(b"\xff" + CANARY.encode(), "is not UTF-8 text", id="binary"),
        pytest.param(CANARY.encode() * 5000, "is longer than 64KiB", id="log"),
    ],
)
def test_a_secrets_file_that_cannot_be_used_is_a_fault(write, tmp_path, content, problem):
    path = write('[auth]\nkeys = [{ file = "secret" }]\n')
    if content is not None:
        (tmp_path / "etc/secret").write_bytes(content)

    found = faults(path, {}, tmp_path)

    assert problem in found["auth.keys[0]"]
    assert str(tmp_path / "etc/secret") in found["auth.keys[0]"]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda _: None, "no such file or directory", id="missing"),
        pytest.param(os.mkdir, "is a folder", id="folder"),
        pytest.param(os.mkfifo, "is a named pipe", id="pipe"),
        pytest.param(lambda path: path.write_text("#" * 2**20 + "\n"), "is longer", id="log"),
    ],
)
def test_a_configuration_that_is_no_file_is_a_fault(tmp_path, make, problem):
    path = tmp_path / "pyproxy.toml"
    make(path)

    ((where, sentence),) = faults(path, KEY, tmp_path).items()

    assert where == str(path)
    assert problem in sentence


def test_a_syntax_fault_names_file_line_and_column(write, tmp_path):
    path = write("a = 1\nb = = 2\n")

    assert list(faults(path, KEY, tmp_path)) == [f"{path}:2:5"]


def test_a_file_of_a_thousand_levels_is_a_fault(write, tmp_path):
    path = write(f"[{'.'.join('a' * 5000)}]\n")

    assert "unknown key" in faults(path, KEY, tmp_path)["a"]


def test_numbers_and_choices_can_come_from_the_environment(write, tmp_path):
    path = write(
        """
        [server]
        max_connections = "${N}"
        drain = "${D}"
        workers = "${N:-1}"
        [server.log]
        format = "${F}"
        access = "${NO}"
        [[routes]]
        name = "${F}"
        upstream = "${U}"
        auth = ["${K}"]
        """
    )
    environ = KEY | {
        "N": "1",
        "D": "5s",
        "F": "console",
        "NO": "false",
        "U": "http://a",
        "K": "key",
    }

    settings = load(path, environ, tmp_path).settings

    assert (settings.server.max_connections, settings.server.drain) == (1, 5.0)
    assert (settings.server.log.format, settings.server.log.access) == ("console", False)
    assert settings.server.workers == 1
    assert settings.routes[0].name == "console"
    assert settings.routes[0].auth == ("key",)
    assert settings.routes[0].upstream[0].host == "a"


def test_a_key_set_beside_the_file_is_found(write, tmp_path):
    path = write('[server]\ndrain = "1s"\n')

    without = load(path, KEY, tmp_path)
    write("{}", "etc/jwks.json")
    found = load(path, KEY, tmp_path)

    assert without.settings.auth.jwt.jwks_file == ""
    assert tmp_path / "etc/jwks.json" in without.watched
    assert found.settings.auth.jwt.jwks_file == str(tmp_path / "etc/jwks.json")
    assert tmp_path / "etc/jwks.json" not in found.watched


def test_a_key_set_that_is_named_is_not_looked_for(write, tmp_path):
    write("{}", "etc/jwks.json")

    named = load(write('[auth.jwt]\njwks_file = "x"\n'), KEY, tmp_path)
    refused = load(write('[auth.jwt]\njwks_file = ""\n'), KEY, tmp_path)

    assert named.settings.auth.jwt.jwks_file == str(tmp_path / "etc/x")
    assert refused.settings.auth.jwt.jwks_file == ""


@pytest.mark.parametrize("text", ["auth = 1", "[auth]\njwt = 1"], ids=["auth", "jwt"])
def test_a_section_that_is_no_table_is_a_fault(write, tmp_path, text):
    (sentence,) = faults(write(text), KEY, tmp_path).values()

    assert sentence == "must be a table of keys and values"


def test_the_second_key_set_is_taken_where_the_first_is_missing(tmp_path):
    (tmp_path / "b").write_text("{}")
    doors = Doors(tmp_path)

    assert doors.find(("a", "b")) == str(tmp_path / "b")
    assert list(doors.watched) == [tmp_path / "a"]


def test_what_is_unwise_is_remarked_on(write, tmp_path):
    path = write('[server]\nadmin = "0.0.0.0:9100"\n')
    environ = {"API_KEY": "short", "ADMIN_TOKEN": "short too"}

    remarks = load(path, environ, tmp_path).remarks

    places = ["server.admin", "ADMIN_TOKEN", "API_KEY"]
    assert [remark.path for remark in remarks] == places


def test_nothing_that_is_printed_holds_a_secret(write, tmp_path):
    path = write(
        f"""
        [auth]
        keys = ["{CANARY}"]
        [[routes]]
        name = "a"
        upstream = "http://a"
        credential = {{ header = "X-Key", value = "{CANARY}" }}
        """
    )

    loaded = load(path, {}, tmp_path)

    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in loaded.settings.model_dump_json()


def test_fault_of_a_route_names_it(tmp_path):
    path = tmp_path / "pyproxy.toml"
    path.write_text("""
        [[routes]]
        name = "first"
        upstream = "http://a"
        retries = 99
        [[routes]]
        name = "sec\\nond"
        retries = 99
        [[routes]]
        retries = 99
    """)

    found = faults(path, KEY, tmp_path)

    assert found["routes[0].retries"] == "must be at most 10 (route first)"
    assert found["routes[1].retries"] == "must be at most 10"
    assert found["routes[2].retries"] == "must be at most 10"


def test_table_for_a_list_of_tables_is_said(tmp_path):
    path = tmp_path / "pyproxy.toml"
    path.write_text("[routes]\nname = 'a'\n[listeners]\nbind = 'b'\n")

    found = faults(path, KEY, tmp_path)

    assert found["routes"] == "is a list of tables; write [[routes]], not [routes]"
    assert found["listeners"] == "is a list of tables; write [[listeners]], not [listeners]"
