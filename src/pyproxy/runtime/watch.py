"""Files that change while the gateway runs: keys, certificates, secrets."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Report = Callable[[str, BaseException], None]
"""Told what failed and the error, traceback included. Must not raise."""

INTERVAL_S = 1.0  # a revoked key is refused a second later; a stat costs microseconds


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
    """

    name: str
    paths: Sequence[Path]
    changed: Callable[[], Awaitable[None]]
    seen: Stamps | None


class FileWatcher:
    """Looks at files once a second and calls whom a change concerns.

    By looking rather than by inotify: that follows neither links nor mounts
    and is silent on network file systems. The file system is touched on a
    thread only.

    A callback that fails is reported and called again at the next change of
    its files, not before: a file caught half-written changes once more when
    its writer goes on.
    """

    def __init__(self, report: Report, interval_s: float = INTERVAL_S) -> None:
        self._report = report
        self._interval_s = interval_s
        self._groups: list[Watched] = []

    def watch(
        self,
        name: str,
        paths: Sequence[Path],
        changed: Callable[[], Awaitable[None]],
        since: Stamps | None = None,
    ) -> Watched:
        """Call ``changed`` whenever one of ``paths`` does.

        Args:
            name: Noun for the log.
            paths: Files that are read together.
            changed: Awaited once a look, however many of the files changed.
            since: State at, or before, the time the files were read, so that a
                change between reading and watching is seen. Without it,
                changes count from the watcher's next look.
        """
        group = Watched(name, tuple(paths), changed, since)
        self._groups.append(group)
        return group

    def forget(self, group: Watched) -> None:
        """Stop watching a group; one already forgotten is fine."""
        if group in self._groups:
            self._groups.remove(group)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.poll_now()

    async def poll_now(self) -> None:
        """Look once, and wait for the callbacks of what changed."""
        groups = tuple(self._groups)
        stamps = await asyncio.to_thread(stamps_of, {p for group in groups for p in group.paths})
        due = [group for group in groups if self._is_due(group, stamps)]
        outcomes = await asyncio.gather(
            *(_call(group.changed) for group in due), return_exceptions=True
        )
        for group, outcome in zip(due, outcomes, strict=True):
            if outcome is not None:
                self._report(group.name, outcome)

    def _is_due(self, group: Watched, stamps: Stamps) -> bool:
        """Whether a group changed; from now on, this is its state."""
        state = {path: stamps[path] for path in group.paths}
        seen, group.seen = group.seen, state
        # A group forgotten while the thread looked is nobody's any more.
        return seen is not None and seen != state and group in self._groups


async def _call(changed: Callable[[], Awaitable[None]]) -> None:
    await changed()
