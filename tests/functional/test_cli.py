"""The command line as a process: exit codes, outputs, signals."""

import signal
import socket

import pytest

from tests.lab.gateway import run, serving

REFUSED = 401
UNREACHABLE = 502  # let in, and nobody stands behind
CONFIG = """
[[listeners]]
bind = "127.0.0.1:{port}"
[auth]
keys = ["a-plain-key-of-somebody"]
[[routes]]
name = "one"
upstream = "http://127.0.0.1:1"
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "pyproxy.toml").write_text(CONFIG.format(port=0))
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_well(here, number):
    with serving(here) as (gateway, _):
        code = gateway.stop(number)

    assert code == 0
    assert "Traceback" not in gateway.output()


def test_taken_port_is_one_clear_sentence(here):
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        (here / "pyproxy.toml").write_text(CONFIG.format(port=port))
        done = run(here, "serve")

    assert done.returncode in {1, 2}
    assert f"127.0.0.1:{port}" in done.stderr
    assert "taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_broken_configuration_is_unusable(here):
    (here / "pyproxy.toml").write_text("[[routes]]\nname = 1\n")

    for command in ("serve", "check", "health"):
        done = run(here, command)

        assert done.returncode == 2
        assert done.stdout == ""
        assert "routes[0].name" in done.stderr
        assert "Traceback" not in done.stderr


def test_health_asks_the_running_gateway(here):
    with serving(here) as (_, port):
        (here / "running.toml").write_text(CONFIG.format(port=port))
        alive = run(here, "health", "--config", "running.toml")
    dead = run(here, "health", "--config", "running.toml")

    assert (alive.returncode, alive.stdout) == (0, "ok\n")
    assert dead.returncode == 1


def test_health_asks_over_tls(here):
    assert run(here, "cert").returncode == 0
    tls = 'certificate = "certs/copilot.crt"\nprivate_key = "certs/copilot.key"\n[auth]'
    (here / "pyproxy.toml").write_text(CONFIG.format(port=0).replace("[auth]", tls))
    with serving(here) as (_, port):
        text = CONFIG.format(port=port).replace("[auth]", tls)
        (here / "running.toml").write_text(text)
        done = run(here, "health", "--config", "running.toml")

    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_health_asks_on_a_unix_socket(here):
    config = CONFIG.replace("127.0.0.1:{port}", "unix:gateway.sock")
    (here / "pyproxy.toml").write_text(config)
    with serving(here):
        done = run(here, "health")

    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_revoked_key_is_refused_without_a_restart(here):
    key = run(here, "keys", "new", "alice", "--file", "keys.txt").stdout.strip()
    config = CONFIG.format(port=0).replace("[[routes]]", 'keys_file = "keys.txt"\n[[routes]]')
    (here / "pyproxy.toml").write_text(config)
    with serving(here) as (gateway, port):
        gateway.secrets += [key, "a-plain-key-of-somebody"]
        before = answer(port, key)
        revoked = run(here, "keys", "revoke", "alice")
        assert gateway.wait_for("key.reloaded"), gateway.output()
        after = answer(port, key)

    assert revoked.returncode == 0
    assert before == UNREACHABLE
    assert after == REFUSED, gateway.output()


def answer(port, key):
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        return int(sock.recv(65536).split(b" ", 2)[1])


def test_start_without_an_upstream_of_ours_says_so(here):
    with serving(here, "--dev") as (gateway, _):
        said = gateway.output()

    assert "configuration pyproxy.toml" in said
    assert "no demonstration upstream: route one leads to http://127.0.0.1:1" in said


def test_missing_file_is_named_with_what_makes_it(here):
    with (here / "pyproxy.toml").open("a") as file:
        file.write('[auth.jwt]\nsigning_keys_file = "signing.json"\n')

    done = run(here, "serve")

    assert done.returncode == 2
    assert "signing.json: cannot be read: no such file" in done.stderr
    assert "'pyproxy jwks new' makes it" in done.stderr
