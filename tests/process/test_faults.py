"""What a disk, a neighbour or a clock does to a gateway that serves: it serves on, and says so."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import resident_mib
from pyproxy.identity.signing_keys import generate_key_set
from tests.process.crowd import Crowd, wait_until
from tests.process.served import KEY, PATIENCE_S, environment, hashed, put, serving
from tests.programs import demand

CONFIG = """
[server]
admin = ""
workers = {workers}
[[listeners]]
bind = "127.0.0.1:0"
certificate = "tls.crt"
private_key = "tls.key"
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
issuer = "us"
audience = "them"
[rate_limits.auth]
rate = "1000r/s"
burst = 1000
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[[routes]]
name = "all"
upstream = "{upstream}"
"""
GIGABYTE, MOST_RISE_MIB = 1 << 30, 48
HOUR_S = 3600
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.fixture
def sound(folder, certify):
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    return folder, certify(folder)


def config(upstream, workers=1):
    return CONFIG.format(upstream=upstream.url, workers=workers)


# --- Files replaced by something else


def binary(path):
    path.write_bytes(bytes(range(256)) * 64)


def nothing(path):
    path.write_bytes(b"")


def folder_of_that_name(path):
    path.mkdir()


def huge(path):
    """A gigabyte that takes no room."""
    with path.open("wb") as file:
        file.truncate(GIGABYTE)


def pipe(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path.name)


def device(path):
    path.symlink_to("/dev/zero")


def dangling(path):
    path.symlink_to("/nowhere/at/all")


RUBBISH = [binary, folder_of_that_name, huge, pipe, loop, device, dangling]


def replaced(path, rubbish):
    path.unlink()
    rubbish(path)


@pytest.mark.parametrize(
    ("rubbish", "workers"), [*((rubbish, 1) for rubbish in RUBBISH), (huge, 2)]
)
def test_rubbish_in_place_of_every_file_changes_nothing(sound, upstream, rubbish, workers):
    folder, trust = sound
    names = ["keys.txt", "signing.json", "tls.crt"]
    good = {name: (folder / name).read_bytes() for name in names}
    with serving(folder, config(upstream, workers), trust) as gateway:
        token = gateway.token()
        before = resident_mib([gateway.process.pid])
        with Crowd(gateway.port, trust) as crowd:
            for name in names:
                replaced(folder / name, rubbish)
            for event in ("key.reloaded", "jwks.reloaded", "config.reloaded"):
                line = gateway.wait_for(event, result="failed", level="error")
                assert "stay" in line["message"]
            assert gateway.status(token) == 200
            assert resident_mib([gateway.process.pid]) - before < MOST_RISE_MIB

            for name in names:
                path = folder / name
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
                put(path, good[name])
            gateway.wait_for("key.reloaded", result="ok", level="info")
            gateway.wait_for("config.reloaded", result="ok", level="info")
        assert crowd.counts.failed == []
        assert crowd.counts.answered > 0
        assert gateway.stop() == 0
    assert gateway.said("failure") == []


@pytest.mark.parametrize("rubbish", [*RUBBISH, nothing])
def test_rubbish_in_place_of_the_configuration_changes_nothing(sound, upstream, rubbish):
    folder, trust = sound
    with serving(folder, config(upstream), trust) as gateway:
        replaced(folder / "pyproxy.toml", rubbish)
        gateway.process.send_signal(1)  # SIGHUP
        gateway.wait_for("config.reloaded", result="failed", level="error")

        assert gateway.status() == 200
        assert gateway.stop() == 0


# --- A full disk


def with_a_full_disk(folder, *arguments):
    """Run a command whose every write fails, as on a disk without room."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "pyproxy", *arguments],  # nor half of a compiled module
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16)),
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["keys", "new", "bob", "--file", "keys.txt"], id="keys new"),
        pytest.param(["jwks", "rotate", "--file", "signing.json"], id="jwks rotate"),
        pytest.param(["cert", "--dir", "certs", "--host", "other.test"], id="cert"),
    ],
)
def test_a_full_disk_loses_nothing(folder, command):
    put(folder / "keys.txt", hashed("alice", KEY))
    put(folder / "signing.json", json.dumps(generate_key_set("ES256")))
    made = [sys.executable, "-m", "pyproxy", "cert", "--dir", "certs"]
    subprocess.run(made, cwd=folder, env=environment(), check=True, capture_output=True)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    ran = with_a_full_disk(folder, *command)

    assert ran.returncode in {1, 2}
    assert "Traceback" not in ran.stderr
    assert "file too large" in ran.stderr.lower()
    assert "pyp_" not in ran.stdout  # a key that was not kept is not shown either
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


# --- The clock


@pytest.fixture
def set_clock(sound):
    """Sets the clock of a gateway that is started in this environment."""
    demand("" if FAKETIME else "libfaketime is not installed")
    folder, _ = sound
    stamp = folder / "clock"

    def set_(offset_s):
        put(stamp, f"{offset_s:+d}s\n")

    set_(0)
    set_.environ = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return set_


@pytest.mark.parametrize(
    ("workers", "step_s", "words", "old"),
    [
        pytest.param(1, HOUR_S // 2, "forward", 200, id="half an hour forward"),
        pytest.param(2, 2 * HOUR_S, "forward", 401, id="two hours forward, past the token's end"),
        pytest.param(1, -HOUR_S, "back", 401, id="an hour back, before the token was made"),
    ],
)
def test_a_clock_that_is_set_stops_nothing(sound, upstream, set_clock, workers, step_s, words, old):
    folder, trust = sound
    text = config(upstream, workers)
    with serving(folder, text, trust, environ=set_clock.environ) as gateway:
        token = gateway.token()
        assert gateway.status(token) == 200
        with Crowd(gateway.port, trust) as crowd:
            set_clock(step_s)
            line = gateway.wait_for("clock.stepped", level="warning")

            assert words in line["message"]
            assert abs(line["seconds"] - step_s) < 5
            assert gateway.status(token) == old
            assert gateway.status(gateway.token()) == 200
            set_clock(0)
            gateway.wait_for("clock.stepped", 2)
            assert gateway.status(token) == 200
            seen = crowd.counts.answered
            wait_until(lambda: crowd.counts.answered > seen)
        assert crowd.counts.failed == []
        assert gateway.stop() == 0
