"""A gateway and its upstreams in processes of their own, and what the kernel says of them."""

import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import trustme

from bench.processes import cpu_seconds, resident_mib
from pyproxy.identity.signing_keys import generate_key_set
from tests.endurance.origin import HOST
from tests.process.served import COMMAND, KEY, environment, free_port, hashed, put

ROOT = Path(__file__).parents[2]
START_S = 20.0
LOOK_S = 0.02
# A reload starts processes, each of which compiles and reads: on a machine with a dozen others
# at work that takes many seconds.
RELOAD_S = 60.0


def raise_file_limit():
    """Let this process, and those it starts, have as many files open as they may."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def wait_until(is_so, seconds=START_S):
    """Wait for what another process does and tells nobody; whether it came."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)
    return True


# --- What the kernel says


def children(pid):
    """Processes that a process started, the oldest first; their numbers begin anew at times."""
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return sorted({int(each) for task in tasks for each in task.read_text().split()}, key=_age)
    return []


def _age(pid):
    """When it began, in ticks since the machine did (proc(5), field 22); who is gone comes last."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return sys.maxsize


def descriptors(pid):
    """What a process has open."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(each.readlink()))
    return found


def running_s(pid):
    """CPU time of a process to the microsecond; its threads that ended are left out."""
    each = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in each) / 1e9


def connections(pid):
    """Its TCP sockets that do not listen: local port, remote port and state of each."""
    inodes = {name[8:-1] for name in descriptors(pid) if name.startswith("socket:[")}
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and fields[3] != "0A":
            ports = [int(fields[at].split(":")[1], 16) for at in (1, 2)]
            found.append((*ports, fields[3]))
    return found


class Watched:
    """What one process costs from here on.

    Args:
        pids: The processes, taken together.
    """

    def __init__(self, *pids):
        self.pids = pids
        self.mib_before, self.cpu_before = resident_mib(pids), cpu_seconds(pids)
        self.peak_mib = self.mib_before

    def look(self):
        """Take note of the memory at the moment."""
        self.peak_mib = max(self.peak_mib, resident_mib(self.pids))

    @property
    def risen_mib(self):
        """Highest rise that was seen."""
        self.look()
        return self.peak_mib - self.mib_before

    @property
    def cpu_s(self):
        """CPU time since then."""
        return cpu_seconds(self.pids) - self.cpu_before


# --- Upstreams


class OriginProcess:
    """``tests.endurance.origin``, which can be killed and started again on its port."""

    def __init__(self, journal=None):
        self.port = free_port()
        self._journal = [] if journal is None else [str(journal)]
        self.process = None

    @property
    def url(self):
        return f"http://{HOST}:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.endurance.origin", str(self.port), *self._journal],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )

    def is_ready(self):
        """Whether somebody listens."""
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def kill(self):
        """End it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def __enter__(self):
        self.start()
        assert wait_until(self.is_ready)
        return self

    def __exit__(self, *_):
        self.kill()


# --- The gateway


class Gateway:
    """``pyproxy serve``; its log goes to a file, so that reading it costs nobody time.

    Attributes:
        port: Of its first listener, once it is ready.
    """

    def __init__(self, folder, config, environ=None):
        self.folder, self._log = folder, folder / "log"
        put(folder / "pyproxy.toml", config)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                COMMAND, cwd=folder, env=environment(environ), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.pid = self.process.pid

    def every(self, event=None, since=0):
        """What it said so far, one line after the other: a soak's would fill the memory.

        Lines of other events are not even parsed: that takes the time of who asks it questions.

        Args:
            event: Alone; ``None``: all.
            since: Bytes of the log to leave out.
        """
        mark = b"" if event is None else b'"event":"%b"' % event.encode()
        with self._log.open("rb") as log:
            log.seek(since)
            for text in log:
                if mark in text and text.endswith(b"\n"):
                    line = _parsed(text.decode())
                    if event in {None, line["event"]}:
                        yield line

    def lines(self, event=None, since=0):
        """The same at once."""
        return list(self.every(event, since))

    @property
    def workers(self):
        """The processes that serve."""
        return children(self.pid) or [self.pid]

    def is_ready(self):
        return bool(self.lines("listener.ready")) or self.process.poll() is not None

    def reload(self, config):
        """Put another configuration in force; whether it was taken."""
        since = self._log.stat().st_size
        put(self.folder / "pyproxy.toml", config)
        self.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: self.lines("config.reloaded", since), RELOAD_S)
        return self.lines("config.reloaded", since)[-1]["result"] == "ok"

    def __enter__(self):
        wait_until(self.is_ready)
        ready = self.lines("listener.ready")
        if not ready:
            self.process.kill()
            raise AssertionError(self.lines())
        self.port = int(ready[0]["port"])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def _parsed(text):
    return json.loads(text) if text.startswith("{") else {"event": "", "text": text.rstrip()}


CONFIG = """
[server]
admin = ""
drain = "5s"
workers = {workers}
max_body = "4GB"
{server}
[server.log]
level = "{level}"
[[listeners]]
bind = "127.0.0.1:{port}"
{listener}
{listeners}
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
issuer = "us"
audience = "them"
[rate_limits.api]
rate = "1000000r/s"
burst = 1000000
{routes}
"""
TLS = 'certificate = "tls.crt"\nprivate_key = "tls.key"'
ROUTE = '[[routes]]\nname = "{name}"\npath = "{path}"\nupstream = {upstream}\n'


def config(routes, **parts):
    """The text of a configuration.

    Args:
        routes: Path to URL, or to several.
        parts: Put into ``CONFIG``.
    """
    named = [
        ROUTE.format(name=path.strip("/") or "all", path=path, upstream=json.dumps(upstream))
        for path, upstream in routes.items()
    ]
    defaults = {
        "workers": 1, "server": "", "level": "info", "port": 0, "listener": TLS, "listeners": "",
    }  # fmt: skip
    return CONFIG.format(**{**defaults, "routes": "\n".join(named), **parts})


class Folder:
    """A working directory of a gateway, with keys and certificates.

    Attributes:
        path: Where it is.
        trust: What its clients believe.
    """

    def __init__(self, path):
        self.path = path
        self._authority = trustme.CA()
        self.trust = ssl.create_default_context()
        self._authority.configure_trust(self.trust)
        self._authority.cert_pem.write_to_path(str(path / "ca.crt"))
        put(path / "keys.txt", hashed("alice", KEY))
        put(path / "signing.json", json.dumps(generate_key_set("ES256")))
        self.certify()

    def certify(self):
        """Put a fresh certificate in place."""
        issued = self._authority.issue_cert("localhost", HOST)
        put(self.path / "tls.key", issued.private_key_pem.bytes())
        put(self.path / "tls.crt", b"".join(pem.bytes() for pem in issued.cert_chain_pems))

    def gateway(self, text):
        """Serve a configuration while the block runs."""
        return Gateway(self.path, text)


def nproc():
    """CPUs that may be used."""
    return len(os.sched_getaffinity(0))
