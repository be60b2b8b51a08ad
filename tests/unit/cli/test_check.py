import json
import shutil
import tempfile
from pathlib import Path

import pytest

from pyproxy.identity.signing_keys import generate_key_set

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


def test_clients_side_is_checked(pyproxy, answering):
    code, out, _ = pyproxy("check", "--client", f"http://127.0.0.1:{answering()}")

    assert (code, out) == (0, ["client: fine"])


def test_clients_faults_are_something_wrong(pyproxy, unused_port):
    code, out, err = pyproxy("check", "--client", f"http://127.0.0.1:{unused_port}")

    assert code == 1
    assert "refused" in err[0]
    assert out == ["client: 1 fault"]
