"""Runs an image's program as an engine would, without one: ``python contained.py SETTING``.

In a mount and PID namespace of its own (``unshare``) the image's files become the root, read-only;
``/tmp`` is fresh, and nothing can be written but there and what is bound. The program is the
first process, is not root, has no capability and can gain none. The setting is JSON: root,
binds (source, target, writable), user, group, directory, environment, command.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
PROCESSES = 100
DEVICES = ("null", "zero", "random", "urandom")


def mount(*arguments: str | Path) -> None:
    """One mount, by the program of that name."""
    subprocess.run(["mount", *map(str, arguments)], check=True)


def become(root: Path, binds: list[tuple[str, str, bool]]) -> None:
    """Make the image's files this process's root."""
    mount("--make-rprivate", "/")
    mount("--bind", root, root)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", root / "dev")
    for device in DEVICES:
        (root / "dev" / device).touch()
        mount("--bind", f"/dev/{device}", root / "dev" / device)
    (root / "dev" / "shm").mkdir()
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "dev" / "shm")
    mount("-t", "tmpfs", "-o", "mode=1777,noexec,nosuid,nodev,size=64m", "tmpfs", root / "tmp")
    mount("-t", "proc", "proc", root / "proc")
    for source, target, is_writable in binds:
        place = root / target.lstrip("/")
        if not place.exists():  # as an engine does, which makes mount points
            place.parent.mkdir(parents=True, exist_ok=True)
            place.mkdir() if Path(source).is_dir() else place.touch()
        mount("--bind", source, place)
        if not is_writable:
            mount("-o", "remount,bind,ro", place)
    mount("-o", "remount,bind,ro", root)
    os.chroot(root)


def main() -> None:
    """Contain this process and become the program."""
    setting = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    become(Path(setting["root"]), setting["binds"])
    os.chdir(setting["directory"])
    os.setgroups([])
    os.setgid(setting["group"])
    os.setuid(setting["user"])
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    os.execve(  # noqa: S606 - a container has no shell
        setting["command"][0], setting["command"], setting["environment"]
    )


if __name__ == "__main__":
    main()
