"""The last look before the gateway starts."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from pyproxy.config.load import load
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime import startup
from pyproxy.runtime.startup import prepare

CONFIG = """
[[listeners]]
bind = "127.0.0.1:1"
certificate = "a.crt"
private_key = "a.key"
[[listeners]]
bind = "127.0.0.1:2"
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "one"
upstream = "http://a"
"""
WALL = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def loaded(open_folder, write):
    write("a", "gateway.example", until=datetime(2027, 1, 1, tzinfo=UTC))
    digest = hashlib.sha256(b"x").hexdigest()
    (open_folder / "keys.txt").write_text(f"alice:sha256:{digest}\n")
    (open_folder / "signing.json").write_text(json.dumps(generate_key_set("ES256")))
    for name in ("keys.txt", "signing.json"):
        (open_folder / name).chmod(0o600)
    (open_folder / "pyproxy.toml").write_text(CONFIG)
    return load(open_folder / "pyproxy.toml", {}, open_folder)


def problems(faults, folder):
    return [
        (fault.path.removeprefix(f"{folder}/"), fault.problem.split(" (")[0]) for fault in faults
    ]


def test_what_is_sound_is_prepared_without_a_word(loaded):
    prepared = prepare(loaded, WALL)

    assert [group.bind for group in prepared.groups] == ["127.0.0.1:1", "127.0.0.1:2"]
    assert [each is not None for each in prepared.tls] == [True, False]
    assert prepared.remarks == ()


def test_costly_key_exchanges_that_cannot_be_taken_back_are_a_remark(loaded, monkeypatch):
    monkeypatch.setattr(startup, "restrict", lambda: False)

    [remark] = prepare(loaded, WALL).remarks

    assert remark.path == "TLS"
    assert "0.2 s each" in remark.problem


def test_what_is_unwise_is_a_remark(loaded, open_folder):
    (open_folder / "keys.txt").chmod(0o644)
    weak = {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}
    document = generate_key_set("ES256")
    (open_folder / "signing.json").write_text(json.dumps({"keys": [*document["keys"], weak]}))

    remarks = problems(prepare(loaded, WALL + 360 * 86400.0).remarks, open_folder)

    assert remarks[:2] == [
        ("keys.txt", "may be opened by every user of this machine"),
        ("a.crt", "expires in 5.0 days"),
    ]
    assert remarks[2][0] == "signing.json"
    assert remarks[2][1].startswith("key weak: ")


@pytest.mark.parametrize("mode", [0o640, 0o644])
@pytest.mark.usefixtures("loaded")
def test_a_configuration_that_holds_a_secret_is_for_few(open_folder, mode):
    path = open_folder / "pyproxy.toml"
    path.write_text(f'{CONFIG}credential = {{ header = "X-Key", value = "a-secret" }}\n')
    path.chmod(mode)
    with_secret = load(path, {}, open_folder)
    remarked = [each.path for each in prepare(with_secret, WALL).remarks]

    assert remarked == ([str(path)] if mode == 0o644 else [])


def test_a_guessable_key_is_a_remark(loaded, open_folder):
    (open_folder / "keys.txt").write_text("short\n")

    [remark] = prepare(loaded, WALL).remarks

    assert remark.problem.startswith("a key under 16 characters")


def test_every_reason_is_told_at_once(loaded, open_folder):
    (open_folder / "keys.txt").write_text("a-plain-key-of-somebody\n")
    (open_folder / "keys.txt").chmod(0o644)
    (open_folder / "a.crt").write_text("")
    (open_folder / "signing.json").write_text("{}")

    with pytest.raises(ConfigurationError) as raised:
        prepare(loaded, WALL)

    assert [path for path, _ in problems(raised.value.faults, open_folder)] == [
        "keys.txt",
        "a.crt",
        "signing.json",
    ]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("[server]\nadmin_token", "a-token"),
        ("[store]\nurl", "redis://:secret@redis.example"),
    ],
)
def test_a_secrets_file_that_others_may_read_keeps_it_from_starting(open_folder, table, text):
    (open_folder / "secret").write_text(text)
    (open_folder / "secret").chmod(0o644)
    path = open_folder / "pyproxy.toml"
    path.write_text(f'{table} = {{ file = "secret" }}\n{CONFIG}')

    with pytest.raises(ConfigurationError, match="secret: may be opened by every user"):
        prepare(load(path, {}, open_folder), WALL)


def test_unix_sockets_that_cannot_be_made_keep_it_from_starting_but_not_from_going_on(
    loaded, open_folder
):
    path = open_folder / "pyproxy.toml"
    text = CONFIG.replace("127.0.0.1:2", "unix:none/a.sock")
    path.write_text(f'[server]\nadmin = "unix:{"x" * 200}"\n{text}')
    loaded = load(path, {}, open_folder)

    with pytest.raises(ConfigurationError) as caught:
        prepare(loaded, WALL)
    going_on = prepare(loaded, WALL, is_running=True)

    assert [fault.path for fault in caught.value.faults] == ["unix:none/a.sock", "server.admin"]
    assert [group.bind for group in going_on.groups] == ["127.0.0.1:1", "unix:none/a.sock"]
