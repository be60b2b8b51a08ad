"""What keeps the gateway from starting: old or weakened ground, exposed keys."""

import os
import re
import resource
import ssl
import stat
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pyproxy.errors.fault import Fault

PYTHON = (3, 11)
OPENSSL = (1, 1, 1)  # the first with TLS 1.3
AIOHTTP = (3, 14, 3)  # CVE-2026-69244: heap read out of bounds in the response parser

# A client and an upstream each; and files, logs, resolver, listeners besides.
_DESCRIPTORS_PER_CONNECTION = 2
_SPARE_DESCRIPTORS = 64

# Docker and Podman put secrets there, Kubernetes its tokens: world-readable for want
# of knowing the user, in a file system that nobody outside the container sees.
CONTAINER_SECRETS = (Path("/run/secrets"), Path("/var/run/secrets"))


@dataclass(frozen=True, slots=True)
class Ground:
    """What the gateway would run on.

    Attributes:
        python: Version.
        openssl: Version.
        aiohttp: Version as the package writes it.
        has_compiled_parser: aiohttp parses with llhttp. Its parser in Python
            lets a Content-Length of more than 64 bits through, among others.
    """

    python: tuple[int, ...]
    openssl: tuple[int, ...]
    aiohttp: str
    has_compiled_parser: bool

    @classmethod
    def current(cls) -> "Ground":
        """What this process runs on."""
        return cls(
            python=sys.version_info[:3],
            openssl=ssl.OPENSSL_VERSION_INFO[:3],
            aiohttp=version("aiohttp"),
            has_compiled_parser=_has_compiled_parser(),
        )


def _has_compiled_parser() -> bool:
    """Whether aiohttp will parse with llhttp; found out without loading it, which costs 12 MB."""
    found = find_spec("aiohttp")
    if found is None or found.origin is None or os.environ.get("AIOHTTP_NO_EXTENSIONS"):
        return False
    parser = Path(found.origin).with_name("_http_parser")
    return any(parser.with_name(parser.name + suffix).exists() for suffix in EXTENSION_SUFFIXES)


def weak_ground(ground: Ground) -> tuple[Fault, ...]:
    """Every reason not to start on ``ground``."""
    faults = [
        _too_old("Python", ground.python, PYTHON),
        _too_old("OpenSSL", ground.openssl, OPENSSL),
        _too_old("aiohttp", _numbers(ground.aiohttp), AIOHTTP),
    ]
    if not ground.has_compiled_parser:
        problem = (
            "runs on its parser in Python, which is known to let malformed messages through: "
            "unset AIOHTTP_NO_EXTENSIONS, or install a wheel of aiohttp for this platform"
        )
        faults.append(Fault("aiohttp", problem))
    return tuple(fault for fault in faults if fault is not None)


def exposed(paths: Iterable[Path], exempt: Sequence[Path] = CONTAINER_SECRETS) -> tuple[Fault, ...]:
    """The files among ``paths`` that every user of the machine may open.

    Private keys, keys files and secrets are for the owner and, at most, a
    group. A folder on the way that others may not pass hides what is in it. A
    missing file is not exposed: who reads it says that it is missing. Reads
    the file system.

    Args:
        paths: Files; of a link it is the target that counts.
        exempt: Folders whose files are never exposed, nor what they link to.
    """
    return tuple(fault for path in paths if (fault := _exposure(path, exempt)) is not None)


def _exposure(path: Path, exempt: Sequence[Path]) -> Fault | None:
    target = Path(os.path.realpath(path))
    named = Path(os.path.normpath(path))  # a link's own place counts too
    if any(each.is_relative_to(folder) for each in (named, target) for folder in exempt):
        return None
    try:
        mode = target.stat().st_mode
        is_hidden = not all(folder.stat().st_mode & stat.S_IXOTH for folder in target.parents)
    except OSError:
        return None
    if is_hidden or not mode & stat.S_IRWXO:
        return None
    problem = (
        f"may be opened by every user of this machine (mode {stat.S_IMODE(mode):04o}): "
        "run 'chmod o-rwx' on it; a mounted Kubernetes secret takes 'defaultMode: 0440'"
    )
    return Fault(str(path), problem)


def occupy_standard_descriptors() -> None:
    """Put the null device where standard input, output or error are not open.

    Else their numbers go to the next sockets: what is written to a standard
    stream would reach a client, and libuv aborts the process when it closes one.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def raise_file_limit() -> int:
    """Raise the limit of open files as far as this process may.

    Returns:
        The limit now in force.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # a sandbox, or a kernel with a lower ceiling
        return soft
    return hard


def connections_that_fit(limit: int, max_connections: int) -> int:
    """As many of ``max_connections`` as a limit of open files allows."""
    if limit == resource.RLIM_INFINITY:
        return max_connections
    fitting = max(0, limit - _SPARE_DESCRIPTORS) // _DESCRIPTORS_PER_CONNECTION
    return min(max_connections, fitting)


def too_few_files(limit: int, max_connections: int) -> Fault | None:
    """A remark when ``max_connections`` does not fit the limit of open files."""
    fitting = connections_that_fit(limit, max_connections)
    if fitting == max_connections:
        return None
    wanted = max_connections * _DESCRIPTORS_PER_CONNECTION + _SPARE_DESCRIPTORS
    problem = (
        f"{max_connections} connections need {wanted} open files, and this process may open "
        f"{limit}: raise 'ulimit -n' (systemd: LimitNOFILE), or set at most {fitting}"
    )
    return Fault("server.max_connections", problem)


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers of a version; those of a pre-release count as one less.

    ``3.14.3rc1`` came before ``3.14.3`` and lacks its corrections.
    """
    release = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if release is None:
        return ()
    numbers = tuple(int(number or 0) for number in release.groups())
    if re.match(r"(a|b|rc|\.?dev)", version[release.end() :]):
        return (*numbers[:-1], numbers[-1] - 1)
    return numbers


def _too_old(name: str, found: tuple[int, ...], least: tuple[int, ...]) -> Fault | None:
    if found >= least:
        return None
    shown = ".".join(map(str, found)) or "an unknown version"
    return Fault(name, f"is {shown}; at least {'.'.join(map(str, least))} is needed")
