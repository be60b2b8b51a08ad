"""A machine to install on: Debian in a folder, booted by systemd-nspawn, thrown away after."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pyproxy-vm"
# A folder with a Debian that has what is named below, to save making one.
GIVEN = "PYPROXY_VM_ROOT"
# Debian's name of the release, and its Python.
SUITE = os.environ.get("PYPROXY_VM_SUITE", "bookworm")
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}[SUITE]
# systemd from 256 on wants one hierarchy of control groups, even where this machine has two.
UNIFIED = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,procps,curl,logrotate"
PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSIDE = {"PATH": PATH, "LANG": "C.UTF-8", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
HOSTS = "127.0.0.1 localhost upstream.internal\n"
# For a machine that has little time.
PATIENCE_S = 180.0


class Failed(Exception):
    """A command that ended otherwise than it was to.

    Args:
        problem: What is wrong.
        said: What it said.
    """

    def __init__(self, problem: str, said: str = "") -> None:
        super().__init__(f"{problem}\n{said}")
        self.said = said


class Machine:
    """A machine: off, where commands run in its folder, or on.

    Args:
        root: Its files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._begun: list[subprocess.Popen[str]] = []

    def run(self, *command: str, code: int = 0) -> str:
        """What a command says on both streams; it must end with ``code``."""
        into: Sequence[str] = ("chroot", str(self.root))
        if self._leader:
            into = ("nsenter", "-t", str(self._leader), "-m", "-p", "-n", "-i", "-u", "-C")
        done = subprocess.run(
            [*into, *command],
            env=INSIDE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != code:
            raise Failed(f"{' '.join(command)}: exit {done.returncode}", done.stdout)
        return done.stdout

    def begin(self, *command: str) -> "subprocess.Popen[str]":
        """A command that goes on; the machine must be on."""
        into = ("nsenter", "-t", str(self._leader), "-m", "-p", "-n", "-i", "-u", "-C")
        begun = subprocess.Popen(
            [*into, *command],
            env=INSIDE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._begun.append(begun)
        return begun

    def install(self, *options: str, code: int = 0) -> str:
        """What the installer says."""
        return self.run("/src/deploy/install.sh", *options, code=code)

    def until(self, wanted: str, *command: str) -> str:
        """What a command says, once that holds these words."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                said = self.run(*command)
            except Failed as exc:
                said = exc.said
            if f" {wanted} " in f" {' '.join(said.split())} ":
                return said
            if time.monotonic() > until:
                raise Failed(f"{' '.join(command)}: never said {wanted!r}, but", said)
            time.sleep(0.5)

    @contextmanager
    def on(self) -> Iterator[None]:
        """The machine runs, with a network of its own that leads nowhere."""
        command = ["systemd-nspawn", "--quiet", "--boot", "--private-network"]
        command += ["--register=no", "--keep-unit", "-D", str(self.root)]
        with (self.root.parent / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                command,
                env={**os.environ, **UNIFIED},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            self._find_leader(self._nspawn)
            self.until("running", "systemctl", "is-system-running")
            yield
        finally:
            self._leader = 0
            # systemd stops whoever is left before it kills them, and nsenter stops with them.
            for each in self._begun:
                each.kill()
            self._nspawn.terminate()
            try:
                self._nspawn.wait(PATIENCE_S / 4)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
            for each in self._begun:
                each.communicate()

    def _find_leader(self, nspawn: "subprocess.Popen[bytes]") -> None:
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
        until = time.monotonic() + PATIENCE_S
        while not self._leader:
            if nspawn.poll() is not None or time.monotonic() > until:
                raise Failed((self.root.parent / "console").read_text(errors="replace"))
            for each in children.read_text().split():
                if Path(f"/proc/{each}/comm").read_text().strip() == "systemd":
                    self._leader = int(each)
            time.sleep(0.1)


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A machine with a copy of this clone and the wheels that its locks name; it is off."""
    base = Path(os.environ[GIVEN]) if GIVEN in os.environ else _base()
    for name in ("upper", "work", "root"):
        (folder / name).mkdir()
    layers = f"lowerdir={base},upperdir={folder / 'upper'},workdir={folder / 'work'}"
    root = folder / "root"
    _call("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
    try:
        (root / "etc/hosts").write_text(HOSTS)
        shutil.copytree(_wheels(), root / "wheels")
        listed = _call("git", "-C", str(CLONE), "ls-files", "-co", "--exclude-standard").split("\n")
        for name in filter(None, listed):
            if (CLONE / name).is_file() and not name.startswith("tests/lab"):
                (root / "src" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CLONE / name, root / "src" / name)
        yield Machine(root)
    finally:
        _call("umount", str(root))


def _base() -> Path:
    """A Debian; takes minutes the first time."""
    base = CACHE / SUITE
    if not (base / "usr/lib/systemd/systemd").exists():
        shutil.rmtree(base, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        made = base.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        _call("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(made))
        made.rename(base)
    return base


def _wheels() -> Path:
    wheels = CACHE / f"wheels-{PYTHON}"
    wheels.mkdir(parents=True, exist_ok=True)
    for lock in ("base", "build"):
        pip = (str(CLONE / ".venv/bin/python"), "-m", "pip", "--quiet", "download")
        what = ("--require-hashes", "-r", str(CLONE / f"deploy/requirements/{lock}.txt"))
        which = ("--only-binary=:all:", "--python-version", PYTHON, "-d", str(wheels))
        _call(*pip, *what, *which)
    return wheels


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
