"""A real Squid on loopback, with a domain allow-list and users."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

USER, PASSWORD = "alice", "the-password-of-alice"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
_LOOK_S = 0.05
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has it
_HELPERS = ("/usr/lib/squid", "/usr/lib64/squid", "/usr/libexec/squid")
_CONFIG = """
http_port 127.0.0.1:{port}
{user}
pid_filename none
cache deny all
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
coredump_dir {folder}
visible_hostname squid.test
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
auth_param basic program {helper} {folder}/passwd
auth_param basic children 1
auth_param basic realm squid.test
acl CONNECT method CONNECT
acl known proxy_auth REQUIRED
acl allowed dstdomain localhost
acl ssl_ports port 1-65535
http_access deny !CONNECT
http_access deny !ssl_ports
http_access deny !known
http_access allow allowed
http_access deny all
"""


def missing() -> str:
    """What keeps Squid from being started; empty if nothing does."""
    if not _program():
        return "there is no squid; Debian's package has this name"
    if not _helper():
        return "there is no basic_ncsa_auth, which comes with squid"
    return "" if shutil.which("openssl") else "there is no openssl to hash a password with"


class Squid:
    """One instance, started and stopped at will on one port."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self.port = folder, port
        # Its shared memory is called by it: another Squid, or another user's, has its own.
        self._service = f"pyproxy{port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> list[str]:
        """Lines of its access log: who wanted to go where, and what became of it."""
        path = self._folder / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def url(self, user: str = USER, password: str = PASSWORD) -> str:
        """What a configuration names."""
        return f"http://{user}:{password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it until it listens."""
        self._process = subprocess.Popen(
            [_program(), "-N", "-n", self._service, "-f", str(self._folder / "squid.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"squid did not start:\n{self._cache_log()}")
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None
        for left in _SHARED_MEMORY.glob(f"{self._service}-*"):
            left.unlink()

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False

    def _cache_log(self) -> str:
        path = self._folder / "cache.log"
        return path.read_text() if path.exists() else "it wrote nothing"


@contextmanager
def running() -> Iterator[Squid]:
    """A Squid that is stopped in the end.

    Its folder is not pytest's: Squid leaves root for another user, who may enter this one.
    """
    with tempfile.TemporaryDirectory(prefix="squid-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        user = f"cache_effective_user {_nobody()}" if os.geteuid() == 0 else ""
        text = _CONFIG.format(port=port, folder=folder, helper=_helper(), user=user)
        (folder / "squid.conf").write_text(text)
        (folder / "passwd").write_text(f"{USER}:{_hashed(PASSWORD)}\n")
        squid = Squid(folder, port)
        try:
            squid.start()
            yield squid
        finally:
            squid.stop()


def _program() -> str:
    return shutil.which("squid") or shutil.which("squid", path="/usr/sbin:/usr/local/sbin") or ""


def _helper() -> str:
    return shutil.which("basic_ncsa_auth", path=":".join(_HELPERS)) or ""


def _hashed(password: str) -> str:
    made = subprocess.run(
        ["openssl", "passwd", "-apr1", "-stdin"],
        input=password,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def _nobody() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "proxy" if "proxy" in names else "nobody"
