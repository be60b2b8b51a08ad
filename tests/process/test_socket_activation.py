"""Sockets that somebody else listens on: taken at the start, kept over reloads and restarts."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.process.served import BEARER, COMMAND, PATIENCE_S, Served, environment, put, serving
from tests.programs import demand

CONFIG = """
{listeners}
[server]
admin = ""
workers = {workers}
[auth]
keys_file = "keys.txt"
[rate_limits.api]
rate = "10000r/s"
burst = 10000
[[routes]]
name = "all"
upstream = "{upstream}"
"""
LISTENER = '[[listeners]]\nbind = "{}"\n'
# As systemd does it: descriptors from 3 on, and the number of the very process that serves.
ACTIVATE = """
import os, sys
given, names, command = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
kept = [os.dup2(int(each), 100 + n) for n, each in enumerate(given)]
for n, each in enumerate(kept):
    os.dup2(each, 3 + n)
    os.close(each)
os.environ.update(LISTEN_FDS=str(len(kept)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=names)
os.execv(command[0], command)
"""


def config(upstream, *binds, workers=1):
    listeners = "".join(LISTENER.format(bind) for bind in binds)
    return CONFIG.format(listeners=listeners, upstream=upstream.url, workers=workers)


def bind_of(sock):
    name = sock.getsockname()
    return f"unix:{name}" if isinstance(name, str) else f"{name[0]}:{name[1]}"


@pytest.fixture
def held(folder):
    """Sockets that this process listens on while gateways come and go."""
    made = []

    def hold(path=""):
        family, address = (socket.AF_UNIX, path) if path else (socket.AF_INET, ("127.0.0.1", 0))
        fresh = socket.socket(family)
        made.append(fresh)
        fresh.bind(str(folder / address) if path else address)
        fresh.listen(1024)
        return fresh

    yield hold
    for each in made:
        each.close()


class Activated(Served):
    """A gateway that was given sockets."""

    def __init__(self, folder, *given, names="", environ=None):
        descriptors = [os.dup(each.fileno()) for each in given]
        numbers = ",".join(map(str, descriptors))
        process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATE, numbers, names, *COMMAND],
            cwd=folder,
            env=environment(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            pass_fds=descriptors,
        )
        for each in descriptors:
            os.close(each)
        super().__init__(process, None)

    def __enter__(self):
        self.port = int(str(self.wait_for("listener.ready")["port"] or 0))
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        self.process.stdout.close()

    def reload(self, folder, text):
        count = len(self.said("config.reloaded", level="info")) + 1
        put(folder / "pyproxy.toml", text)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("config.reloaded", count, level="info")


def ask_unix(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(path)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("workers", [1, 2])
def test_listeners_take_the_sockets_of_their_addresses(folder, upstream, held, workers):
    tcp, unix, stray = held(), held("held.sock"), held()
    text = config(upstream, bind_of(tcp), bind_of(unix), "127.0.0.1:0", workers=workers)
    put(folder / "pyproxy.toml", text)

    with Activated(folder, tcp, unix, stray, names="web:local:stray") as gateway:
        own = gateway.wait_for("listener.ready", bind="127.0.0.1:0")
        assert gateway.status() == 200
        assert ask_unix(unix.getsockname()).startswith(b"HTTP/1.1 200 ")
        assert [each["inherited"] for each in gateway.said("listener.ready")] == [True, True, False]
        # Neither the variables nor the sockets are a child's.
        for each in gateway.said("worker.started"):
            child = Path(f"/proc/{each['pid']}")
            assert b"LISTEN_" not in (child / "environ").read_bytes()
        [first, second] = [each["message"] for each in gateway.said("configuration.remark")]
        assert gateway.stop() == 0

    assert first.startswith(f"{bind_of(stray)} (descriptor 5, stray): is inherited, and no list")
    assert second.startswith(f"127.0.0.1:0: 127.0.0.1:{own['port']} is none of the inherited")
    assert (folder / "held.sock").is_socket()


def test_a_reload_keeps_them_and_finds_them_again(folder, upstream, held):
    one, two = held(), held()
    both = config(upstream, bind_of(one), bind_of(two))
    put(folder / "pyproxy.toml", both)

    with Activated(folder, one, two) as gateway:
        gateway.wait_for("listener.ready", 2)
        gateway.reload(folder, config(upstream, bind_of(one), workers=2))
        assert gateway.status() == 200
        [idle] = gateway.said("configuration.remark")
        assert "no listener is bound there any more" in idle["message"]
        gateway.reload(folder, both)
        gateway.wait_for("listener.ready", 3)
        gateway.port = two.getsockname()[1]
        assert gateway.status() == 200
        assert gateway.stop() == 0


def test_a_start_that_fails_says_what_was_inherited(folder, upstream, held):
    tcp = held()
    port = tcp.getsockname()[1]
    put(folder / "pyproxy.toml", config(upstream, f"0.0.0.0:{port}"))
    gateway = Activated(folder, tcp)

    assert gateway.ended() == 2
    gateway.process.stdout.close()
    assert f"0.0.0.0:{port}: is taken" in gateway.written
    assert f"; inherited: 127.0.0.1:{port} (descriptor 3)" in gateway.written


def test_who_comes_while_nobody_serves_is_served_by_the_next(folder, upstream, held):
    tcp = held()
    put(folder / "pyproxy.toml", config(upstream, bind_of(tcp)))
    with Activated(folder, tcp) as gateway:
        assert gateway.status() == 200
        assert gateway.stop() == 0
    waiting = []
    for _ in range(20):
        connection = http.client.HTTPConnection(*tcp.getsockname(), timeout=PATIENCE_S)
        connection.request("GET", "/", headers=BEARER)
        waiting.append(connection)

    with Activated(folder, tcp):
        answered = [each.getresponse().status for each in waiting]
        for each in waiting:
            each.close()

    assert answered == [200] * 20


def ask_on(address, over, answered, failed):
    while not over.is_set():
        connection = http.client.HTTPConnection(*address, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/", headers={**BEARER, "Connection": "close"})
            answered.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as exc:
            failed.append(exc)
        finally:
            connection.close()


def test_a_restart_under_load_refuses_nobody(folder, upstream, held):
    tcp = held()
    put(folder / "pyproxy.toml", config(upstream, bind_of(tcp)))
    over, failed, answered = threading.Event(), [], []
    common = (tcp.getsockname(), over, answered, failed)
    clients = [threading.Thread(target=ask_on, args=common) for _ in range(4)]
    for each in clients:
        each.start()
    try:
        for _ in range(2):
            with Activated(folder, tcp) as gateway:
                gateway.wait_for("request", 20)
                assert gateway.stop() == 0
        with Activated(folder, tcp) as gateway:
            gateway.wait_for("request", 20)
            over.set()
            for each in clients:
                each.join()
    finally:
        over.set()

    # Who was accepted and has yet to ask when a gateway drains is cut off: one a client.
    assert len(failed) <= 2 * len(clients)
    assert not [each for each in failed if isinstance(each, ConnectionRefusedError)]
    assert set(answered) == {200}
    assert len(answered) >= 60


def test_systemds_own_activator_starts_it_at_the_first_connection(folder, upstream):
    program = shutil.which("systemd-socket-activate")
    demand("" if program else "systemd-socket-activate is not installed (package: systemd)")
    path = folder / "activated.sock"
    put(folder / "pyproxy.toml", config(upstream, f"unix:{path}"))
    pythonpath = environment()["PYTHONPATH"]
    with subprocess.Popen(
        [program, "-l", str(path), "-E", f"PYTHONPATH={pythonpath}", *COMMAND],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        gateway = Served(process, None)
        try:
            with gateway._news:
                assert gateway._news.wait_for(lambda: path.exists() and gateway.written, PATIENCE_S)
            assert ask_unix(str(path)).startswith(b"HTTP/1.1 200 ")
            gateway.wait_for("listener.ready", inherited=True)
        finally:
            assert gateway.stop() == 0
    assert path.is_socket()


# --- Telling the service manager


class Notified(threading.Thread):
    """A service manager's end; what it was told, in order."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path = str(folder / "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.told = []
        self.news = threading.Condition()
        self.start()

    def run(self):
        while message := self.sock.recv(4096).decode():
            with self.news:
                self.told.append(dict(line.split("=", 1) for line in message.split("\n")))
                self.news.notify_all()

    def wait_for(self, count, **wanted):
        def found():
            return [each for each in self.told if wanted.items() <= each.items()]

        with self.news:
            assert self.news.wait_for(lambda: len(found()) >= count, PATIENCE_S), self.told
        return found()[count - 1]

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.path)
        self.join()
        self.sock.close()


@pytest.fixture
def notified(folder):
    manager = Notified(folder)
    yield manager
    manager.close()


def test_a_manager_is_told_of_the_start_a_reload_and_the_end(folder, upstream, notified):
    text = config(upstream, "127.0.0.1:0", workers=2)
    watched = {"NOTIFY_SOCKET": notified.path, "WATCHDOG_USEC": "400000"}

    with serving(folder, text, environ=watched) as gateway:
        ready = notified.wait_for(1, READY="1")
        assert ready["STATUS"] == "Serving 127.0.0.1:0 with 2 workers"
        notified.wait_for(2, WATCHDOG="1")
        put(folder / "pyproxy.toml", "nonsense = 1")
        gateway.process.send_signal(signal.SIGHUP)
        failed = notified.wait_for(2, READY="1")
        assert "; the old configuration stays in force: nonsense: " in failed["STATUS"]
        assert int(notified.wait_for(1, RELOADING="1")["MONOTONIC_USEC"]) > 0
        assert gateway.stop() == 0

    assert notified.wait_for(1, STOPPING="1")["EXTEND_TIMEOUT_USEC"] == "40000000"
    told = [each for each in notified.told if "WATCHDOG" not in each]
    assert [next(iter(each)) for each in told] == ["READY", "RELOADING", "READY", "STOPPING"]
