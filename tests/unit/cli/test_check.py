import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from pyproxy.config.load import load
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.startup import prepare

CONFIG = """
[[listeners]]
bind = "127.0.0.1:5000"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
[auth]
keys_file = "keys.txt"
[auth.jwt]
jwks_file = "public.json"
signing_keys_file = "signing.json"
issuer = "me"
audience = "me"
[[routes]]
name = "one"
upstream = "http://127.0.0.1:{port}"
"""


@pytest.fixture
def sound(here, certificates, pyproxy):
    """A configuration whose files are all there."""
    assert certificates

    def configure(port=1, extra=""):
        (here / "pyproxy.toml").write_text(CONFIG.format(port=port) + extra)

    configure()
    pyproxy("keys", "new", "alice")
    pyproxy("jwks", "new")
    (here / "public.json").write_text("\n".join(pyproxy("jwks", "public")[1]))
    return configure


@pytest.mark.usefixtures("sound")
def test_sound_configuration_is_printed(pyproxy):
    code, out, err = pyproxy("check", "--strict")

    assert (code, err) == (0, [])
    assert out[0].startswith("configuration ")
    assert "route one" in out


def test_environment_alone_is_checked(pyproxy, certificates, monkeypatch):
    assert certificates
    monkeypatch.setenv("API_KEY", "a-plain-key-of-somebody")

    code, out, err = pyproxy("check")

    assert code == 0, err
    assert out[0] == "configuration from the environment"


@pytest.mark.usefixtures("sound")
def test_warning_counts_when_strict(pyproxy, here):
    (here / "keys.txt").write_text("short\n")

    assert pyproxy("check")[0] == 0
    code, _, err = pyproxy("check", "--strict")
    assert code == 1
    assert err[0].startswith("warning: ")
    assert "short" not in err[0]


@pytest.mark.parametrize(
    ("name", "key", "remedy"),
    [
        ("keys.txt", "auth.keys_file", "'pyproxy keys new NAME' makes it"),
        ("signing.json", "auth.jwt.signing_keys_file", "'pyproxy jwks new' makes it"),
        ("public.json", "auth.jwt.jwks_file", "put the key set there"),
        ("certs/copilot.crt", "listeners[0].certificate", "'pyproxy cert --dir "),
        ("certs/copilot.key", "listeners[0].private_key", "'pyproxy cert --dir "),
    ],
)
@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.usefixtures("sound")
def test_missing_file_is_named_with_its_key_and_its_remedy(
    pyproxy, here, command, name, key, remedy
):
    (here / name).unlink()

    code, _, (line,) = pyproxy(command)

    assert code == 2
    assert line.startswith(f"pyproxy: {key}: {here / name}: cannot be read: no such file")
    assert remedy in line


@pytest.mark.parametrize(
    ("name", "content", "extra", "remark"),
    [
        pytest.param("keys.txt", "", "", "holds no key", id="no key"),
        pytest.param("public.json", '{"keys": []}', "", "holds no usable key", id="no key in set"),
        pytest.param(
            "keys.txt",
            "a-plain-key-of-somebody routes=noe",
            "",
            'keys.txt:1: routes=noe: no route has this name; did you mean "one"?',
            id="key for no route",
        ),
        pytest.param(
            "keys.txt",
            f"alice:sha256:{'0' * 64}",
            'auth = ["key"]\nusers = ["alice", "alcie"]',
            'routes[0].users[1]: no key has this name; did you mean "alice"? (route one)',
            id="user without a key",
        ),
    ],
)
def test_what_leads_nowhere_is_a_warning(pyproxy, here, sound, name, content, extra, remark):
    sound(extra=extra)
    (here / name).write_text(content)
    (here / name).chmod(0o600)

    code, _, err = pyproxy("check")

    assert code == 0
    assert any(remark in line for line in err), err


@pytest.fixture
def open_folder(sound, here, monkeypatch):
    """The same configuration in a folder that every user of the machine may enter."""
    sound()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(here, name, dirs_exist_ok=True))
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        yield folder
        monkeypatch.chdir(here)


def test_exposed_hashes_are_a_warning(pyproxy, open_folder):
    (open_folder / "keys.txt").chmod(0o644)

    code, _, err = pyproxy("check")

    assert code == 0
    assert "keys.txt" in err[0]


@pytest.mark.parametrize("name", ["signing.json", "certs/copilot.key"])
def test_exposed_file_is_unusable(pyproxy, open_folder, name):
    (open_folder / name).chmod(0o644)

    code, _, err = pyproxy("check")

    assert code == 2
    assert name in "".join(err)


@pytest.mark.usefixtures("sound")
def test_every_broken_file_is_named_at_once(pyproxy, here):
    (here / "keys.txt").write_text("alice:sha256:short\n")
    (here / "signing.json").write_text("{}")
    (here / "public.json").write_text("[]")

    code, _, err = pyproxy("check")

    assert code == 2
    assert [name in "".join(err) for name in ("keys.txt:1", "signing.json", "public.json")]


@pytest.mark.usefixtures("sound")
def test_private_key_in_the_public_set_is_a_warning(pyproxy, here):
    (here / "public.json").write_text(json.dumps(generate_key_set("ES256")))

    code, _, err = pyproxy("check")

    assert code == 0
    assert "signing_keys_file" in err[0]


def test_upstream_that_answers_is_reached(pyproxy, sound, answering):
    sound(answering(status=404))

    code, out, _ = pyproxy("check", "--connect")

    assert code == 0
    assert any(line.startswith("reached one: ") for line in out)


def test_upstream_that_does_not_is_something_wrong(pyproxy, sound, unused_port):
    sound(unused_port)

    code, _, err = pyproxy("check", "--connect")

    assert code == 1
    assert "no connection" in err[-1]


def test_upstreams_are_reached_through_the_proxy(pyproxy, sound, answering, monkeypatch):
    proxy = f"127.0.0.1:{answering()}"  # it knows GET alone
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:proxys-secret@{proxy}")
    sound(extra='[[routes]]\nname = "two"\npath = "/2"\nupstream = "https://api.invalid"\n')

    code, out, err = pyproxy("check", "--connect")

    assert code == 1
    assert f"  proxy        http://***@{proxy} (env HTTPS_PROXY), for TLS" in out
    assert err[-1] == (
        f"pyproxy: two: https://api.invalid: no connection: the proxy {proxy} answered 501"
    )
    assert "proxys-secret" not in "\n".join(out + err)


def test_route_beyond_the_allow_list_cannot_be_served(pyproxy, sound):
    sound(extra='[egress]\nallow = ["*.example.com"]\n')

    code, _, err = pyproxy("check")

    assert code == 2
    assert "routes[0].upstream: leads to http://127.0.0.1:1, and egress.allow names" in err[0]


def test_clients_side_is_checked(pyproxy, answering):
    code, out, _ = pyproxy("check", "--client", f"http://127.0.0.1:{answering()}")

    assert (code, out) == (0, ["client: fine"])


def test_clients_faults_are_something_wrong(pyproxy, unused_port):
    code, out, err = pyproxy("check", "--client", f"http://127.0.0.1:{unused_port}")

    assert code == 1
    assert "refused" in err[0]
    assert out == ["client: 1 fault"]


def test_providers_key_that_is_left_over_is_a_warning(pyproxy, sound, answering, monkeypatch):
    sound(answering())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-" + "aB3dE5gH" * 6)

    code, _, err = pyproxy("check", "--connect")

    assert code == 0
    assert any(line.startswith("warning: OPENAI_API_KEY: is set, and no route") for line in err)
    assert pyproxy("check", "--connect", "--strict")[0] == 1
    assert pyproxy("check", "--strict")[0] == 0


@pytest.mark.parametrize(("count", "is_much"), [(10, False), (11, True)])
def test_many_keys_that_are_slow_to_look_up_are_a_warning(pyproxy, here, sound, count, is_much):
    sound()
    digest = "$2b$04$" + "abcdefghijklmnopqrstuu" + "1234567890123456789012345678901"
    lines = [f"user{number}:{digest[:-2]}{number:02}\n" for number in range(count)]
    (here / "keys.txt").write_text("".join(lines))

    _, _, err = pyproxy("check")

    assert any(f"holds {count} bcrypt keys" in line for line in err) is is_much


# --- check says what serve would say


def _without(name):
    return lambda folder: (folder / name).unlink()


def _holding(name, content):
    def spoil(folder):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)

    return spoil


def _pipe(name):
    def spoil(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name, 0o600)

    return spoil


def _nothing(_):
    """Everything is in the configuration."""


SECOND = """
[[routes]]
name = "two"
path = "/two"
"""
TLS = SECOND + 'upstream = "https://127.0.0.1:1"\n'


@pytest.mark.parametrize(
    ("spoil", "extra"),
    [
        pytest.param(_nothing, "", id="nothing is wrong"),
        pytest.param(
            _nothing,
            SECOND + 'upstream = ["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"]',
            id="upstreams that differ in path",
        ),
        pytest.param(_nothing, TLS + 'tls = { ca = "none" }', id="no CA of an upstream"),
        pytest.param(
            _holding("ca", "x"), TLS + 'tls = { ca = "ca" }', id="broken CA of an upstream"
        ),
        pytest.param(
            _nothing,
            TLS + 'tls = { certificate = "none", private_key = "none" }',
            id="no certificate for an upstream",
        ),
        pytest.param(
            _nothing,
            SECOND + 'upstream = "http://127.0.0.1:1"\ntls = { ca = "none" }',
            id="CA that nobody needs",
        ),
        pytest.param(_without("keys.txt"), "", id="no keys"),
        pytest.param(_holding("keys.txt", "alice:sha256:short"), "", id="broken keys"),
        pytest.param(
            _holding("keys.txt", f"alice:sha256:{'0' * 64}\nalice:sha256:{'1' * 64}\n"),
            "",
            id="two keys of one name",
        ),
        pytest.param(_pipe("keys.txt"), "", id="keys in a pipe"),
        pytest.param(_without("signing.json"), "", id="no signing keys"),
        pytest.param(_holding("signing.json", "{}"), "", id="broken signing keys"),
        pytest.param(_pipe("signing.json"), "", id="signing keys in a pipe"),
        pytest.param(_holding("public.json", "[]"), "", id="broken key set"),
        pytest.param(_holding("public.json", "x" * (2**20 + 1)), "", id="endless key set"),
        pytest.param(_without("certs/copilot.crt"), "", id="no certificate"),
        pytest.param(_holding("certs/copilot.key", ""), "", id="empty private key"),
        pytest.param(_pipe("certs/copilot.key"), "", id="private key in a pipe"),
        pytest.param(
            _nothing, '[[listeners]]\nbind = "127.0.0.1:5000"\n', id="an address taken twice"
        ),
    ],
)
def test_verdict_is_that_of_the_start(pyproxy, here, sound, spoil, extra):
    sound(extra=extra)
    spoil(here)

    code, _, err = pyproxy("check")

    try:
        loaded = load(here / "pyproxy.toml", {}, here)
        faults = ()
        prepare(loaded, time.time())
    except ConfigurationError as error:
        faults = error.faults
    assert code == (2 if faults else 0)
    assert len(err) == len(faults)
    # A missing file is said by the key that names it.
    assert all(fault.path in "".join(err) for fault in faults)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e20"])
def test_time_that_nobody_can_wait_is_refused(pyproxy, seconds):
    code, _, err = pyproxy("check", "--client", "http://localhost:1", "--timeout", seconds)

    assert code == 2
    assert "must be more than 0" in str(err)
