"""Files that change while the gateway runs: keys, certificates, secrets."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.tasks import Tasks

Report = Callable[[str, BaseException], None]
"""Told what failed and the error, traceback included. Must not raise."""

INTERVAL_S = 1.0  # a revoked key is refused a second later; a stat costs microseconds
SETTLE_S = 0.1  # a writer that goes on writes again within it
MOST_LOOKS = 10  # at a file that goes on changing: a log that somebody named is read as it is
AGAIN_S = 30.0  # until what hung is tried again: each attempt may cost a thread

_UNKNOWN: Mapping[Path, "Stamp | None"] = {}  # differs from every state


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from the next.

    Attributes:
        target: Path with every symbolic link followed: Kubernetes swaps a link
            to the folder that holds the file.
        inode: Changes when another file is renamed over this one.
        modified_ns: Time of the last write.
        size: Bytes.
        mode: Permissions: a key that was refused as world-readable is tried
            again after ``chmod``.
    """

    target: str
    inode: int
    modified_ns: int
    size: int
    mode: int


Stamps = Mapping[Path, Stamp | None]
"""The state of some files; ``None`` is a file that is not there."""


def stamps_of(paths: Iterable[Path]) -> Stamps:
    """The state of each file now. Blocks.

    A file that may not be looked at counts as missing.
    """
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp | None:
    # Not `resolve`, which raises on a loop of links before Python 3.13.
    target = os.path.realpath(path)
    try:
        found = Path(target).stat()
    except OSError:
        return None
    return Stamp(target, found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


@dataclass(slots=True, eq=False)
class Watched:
    """A group of files that are read together.

    Attributes:
        name: Noun for the log: ``"certificates"``.
        paths: The files. They may be missing, and appear later.
        changed: Called after one or more of them changed, appeared or vanished.
        seen: Their state when last looked at; ``None`` before the first look.
        is_busy: It is being looked at, or ``changed`` runs.
    """

    name: str
    paths: Sequence[Path]
    changed: Callable[[], Awaitable[None]]
    seen: Stamps | None
    is_busy: bool = False


class FileWatcher:
    """Looks at files once a second and calls whom a change concerns.

    By looking rather than by inotify: that follows neither links nor mounts
    and is silent on network file systems. The file system is touched on
    threads only, and each group for itself: one that hangs holds up no other,
    and is tried again half a minute after it was given up.

    What changed is read once it has stayed the same for a moment: half a keys
    file is a good one of fewer keys, and half a password a password. A callback
    that fails is reported and called again at the next change of its files, not
    before: a writer that took longer changes them once more when it goes on.
    """

    def __init__(
        self,
        report: Report,
        blocking: Blocking,
        interval_s: float = INTERVAL_S,
        again_s: float = AGAIN_S,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._report = report
        self._settle_s = settle_s
        self._blocking = blocking
        self._interval_s = interval_s
        self._again_s = again_s
        self._groups: list[Watched] = []

    def watch(
        self,
        name: str,
        paths: Sequence[Path],
        changed: Callable[[], Awaitable[None]],
        since: Stamps | None = None,
    ) -> None:
        """Call ``changed`` whenever one of ``paths`` does.

        Args:
            name: Noun for the log.
            paths: Files that are read together; none: nothing to watch.
            changed: Awaited once a look, however many of the files changed.
            since: State at, or before, the time the files were read, so that a
                change between reading and watching is seen. Without it,
                changes count from the watcher's first look.
        """
        if paths:
            self._groups.append(Watched(name, tuple(paths), changed, since))

    async def run(self) -> None:
        """Look at once, and again and again, until cancelled; it may be run again then."""
        async with Tasks(self._report) as looks:
            while True:
                self._start(looks)
                await asyncio.sleep(self._interval_s)

    async def poll_now(self) -> None:
        """Look once, and wait for the callbacks of what changed."""
        async with Tasks(self._report) as looks:
            if begun := self._start(looks):
                await asyncio.wait(begun)

    def _start(self, looks: Tasks) -> list["asyncio.Task[None]"]:
        idle = [group for group in self._groups if not group.is_busy]
        for group in idle:
            group.is_busy = True
        return [looks.start(self._look(group), group.name) for group in idle]

    async def _stamps(self, group: Watched) -> Stamps:
        return await self._blocking.call(group.name, partial(stamps_of, group.paths))

    async def _settled(self, group: Watched, stamps: Stamps) -> Stamps:
        """The state in which the files stay for a moment, or in which they are after many."""
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(self._settle_s)
            before, stamps = stamps, await self._stamps(group)
            if before == stamps:
                break
        return stamps

    async def _look(self, group: Watched) -> None:
        try:
            stamps = await self._stamps(group)
            if group.seen is not None and group.seen != stamps:
                stamps = await self._settled(group, stamps)
            seen, group.seen = group.seen, stamps
            if seen is not None and seen != stamps:
                await group.changed()
        except asyncio.CancelledError:
            group.seen = _UNKNOWN  # what was being read is not in force
            raise
        except TimeoutError as exc:
            group.seen = _UNKNOWN
            self._report(group.name, exc)
            await asyncio.sleep(self._again_s)
        finally:
            group.is_busy = False
