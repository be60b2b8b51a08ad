"""Memory that the workers of one machine share: limits, bans, revoked tokens, what is under way."""

import fcntl
import mmap
import os
import secrets
import struct
from typing import Self

from pyproxy.identity.revocations import DEFAULT_CAPACITY, Revocations
from pyproxy.identity.shared_revocations import SharedRevocations, revocations_bytes
from pyproxy.limits import shared_occupancy, shared_store
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.memory_bans import MOST_BANS, MOST_COUNTED, MemoryBans
from pyproxy.limits.shared_bans import SharedBans, bans_bytes
from pyproxy.limits.shared_occupancy import SharedOccupancy, occupancy_bytes
from pyproxy.limits.shared_store import BUCKET_BYTES, SharedStore

# A page for the header; the rest are arrays. All that is never written takes no memory.
_HEADER = struct.Struct("<8sI4x16s")  # what it is, its layout, the key of all digests
_HEADER_BYTES = 4096
_MAGIC = b"pyproxy\0"
_LAYOUT = 2  # grows with every change of what lies where

_BUCKETS = 1 << 18  # 4 MB; sets of 8 places seldom fill up before 100,000 are in use
_ROWS = 1 << 14  # pairs of route and user with requests under way
SLOTS = 2048  # workers at a time: twice the most that may be configured, for a change of guard

_STORE_BYTES = _BUCKETS * BUCKET_BYTES
_REVOCATIONS_AT = _HEADER_BYTES + _STORE_BYTES
_OCCUPANCY_AT = _REVOCATIONS_AT + -(-revocations_bytes(DEFAULT_CAPACITY) // 4096) * 4096
_BANS_AT = _OCCUPANCY_AT + occupancy_bytes(_ROWS, SLOTS)
_ZONE_BYTES = _BANS_AT + bans_bytes(MOST_BANS, MOST_COUNTED)

# Which byte of the file stands for which lock.
_STORE_LOCKS = 0
_OCCUPANCY_LOCKS = _STORE_LOCKS + shared_store.STRIPES
_REVOCATIONS_LOCK = _OCCUPANCY_LOCKS + shared_occupancy.STRIPES
_BANS_LOCK = _REVOCATIONS_LOCK + 1

# The size is part of the layout: nobody may cut off what others have mapped.
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class RecordLocks:
    """Locks on single bytes of a file (POSIX ``fcntl``), which end with their process.

    The kernel lets go of them whenever and however a process dies. They belong to the
    process, not to the descriptor: closing any descriptor of the file lets go of all.
    1.0 us for a lock and its release; a robust mutex of the C library would take 0.4.

    Args:
        fd: The file.
        first: The byte of the lock number 0.
    """

    __slots__ = ("_fd", "_first")

    def __init__(self, fd: int, first: int) -> None:
        self._fd = fd
        self._first = first

    def acquire(self, number: int) -> None:
        """Wait until no other process has it."""
        fcntl.lockf(self._fd, fcntl.LOCK_EX, 1, self._first + number)

    def release(self, number: int) -> None:
        """Let the next one have it."""
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, self._first + number)


class Zone:
    """One file in memory, mapped by each worker; the supervisor makes it.

    What it gives belongs to one thread of a process: its locks keep processes
    apart. It lasts as long as somebody has it open.

    Args:
        fd: The file, of the right size; closed by `close`.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._map = mmap.mmap(fd, _ZONE_BYTES)
        self._memory = memoryview(self._map)
        *_, self._key = _HEADER.unpack_from(self._memory)
        self._occupancies: dict[int, SharedOccupancy] = {}
        self.store = SharedStore(
            self._memory[_HEADER_BYTES:_REVOCATIONS_AT], RecordLocks(fd, _STORE_LOCKS), self._key
        )
        end = _REVOCATIONS_AT + revocations_bytes(DEFAULT_CAPACITY)
        self.revocations = SharedRevocations(
            self._memory[_REVOCATIONS_AT:end], RecordLocks(fd, _REVOCATIONS_LOCK), self._key
        )
        self.bans = SharedBans(
            self._memory[_BANS_AT:],
            RecordLocks(fd, _BANS_LOCK),
            self._key,
            counted=MOST_COUNTED,
        )

    @classmethod
    def create(cls) -> Self:
        """A new one, with nothing in it.

        Raises:
            OSError: There is no memory or no descriptor for it.
        """
        fd = os.memfd_create("pyproxy", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, _ZONE_BYTES)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            os.pwrite(fd, _HEADER.pack(_MAGIC, _LAYOUT, secrets.token_bytes(16)), 0)
            return cls(fd)
        except OSError:
            os.close(fd)
            raise

    @classmethod
    def attach(cls, fd: int) -> Self:
        """One that another process made.

        Args:
            fd: Of the file; from now on the zone's, and not to be closed by others.

        Raises:
            ValueError: It is something else, or of another version; ``fd`` stays open.
            OSError: It cannot be read or mapped.
        """
        if os.fstat(fd).st_size != _ZONE_BYTES:
            raise ValueError("not the shared memory of this version of pyproxy: another size")
        magic, layout, _ = _HEADER.unpack(os.pread(fd, _HEADER.size, 0))
        if (magic, layout) != (_MAGIC, _LAYOUT):
            raise ValueError("not the shared memory of this version of pyproxy: another header")
        return cls(fd)

    @property
    def fd(self) -> int:
        """The file's descriptor, to be passed on."""
        return self._fd

    def occupancy(self, slot: int) -> SharedOccupancy:
        """Requests under way, as the worker of a slot counts them.

        Args:
            slot: From 0 and under `SLOTS`; of one living process at a time.
        """
        found = self._occupancies.get(slot)
        if found is None:
            found = self._occupancies[slot] = SharedOccupancy(
                self._memory[_OCCUPANCY_AT:_BANS_AT],
                RecordLocks(self._fd, _OCCUPANCY_LOCKS),
                self._key,
                rows=_ROWS,
                slot=slot,
            )
        return found

    def free(self, slot: int) -> None:
        """Take off what a worker that has ended had under way; before its slot is used again."""
        self.occupancy(slot).free()

    def adopt(self, store: MemoryStore, revocations: Revocations, bans: MemoryBans) -> None:
        """Go on from what one process counted, revoked and banned by itself.

        Raises:
            StoreUnavailable: More tokens are revoked than there is room for.
        """
        self.bans.adopt(bans)
        self.store.adopt(store)
        self.revocations.adopt(revocations)

    def close(self) -> None:
        """Unmap it and close its descriptor; what it gave must not be used any more."""
        self.store.close()
        self.revocations.close()
        self.bans.close()
        for occupancy in self._occupancies.values():
            occupancy.close()
        self._memory.release()
        self._map.close()
        os.close(self._fd)
