"""Revoked tokens in memory that several processes of one machine share."""

from hashlib import blake2b
from typing import Protocol

from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import GRACE_S, Revocations, short

_HEADER_BYTES = 24
_TOKEN_BYTES = 16  # a digest, and until when the token is refused
_DIGEST_BYTES = 8

# Words of the header.
_CHANGES = 0  # how often anything was changed
_SWEEPS = 1  # how often tokens may have moved
_HELD = 2  # tokens


class Lock(Protocol):
    """One lock between processes; free when the process that held it was killed."""

    def acquire(self, number: int) -> None:
        """Wait until nobody else has it."""
        ...

    def release(self, number: int) -> None:
        """Let the next one have it."""
        ...


def revocations_bytes(capacity: int) -> int:
    """The memory that so many tokens take."""
    return _HEADER_BYTES + capacity * _TOKEN_BYTES


class SharedRevocations:
    """A list that only grows, and what this process has read of it.

    A change is counted before it is made, and made under the lock. Whoever finds
    the count changed reads on under the lock; so a token is refused everywhere
    once `revoke` has returned, and a look costs one word as long as nothing was
    revoked. A process killed in the middle of a change leaves each token that
    was refused refused.

    Args:
        memory: Zeroed when it was made, of `revocations_bytes`. Released by `close`.
        lock: Its number 0 is used.
        key: Of the digests; the same in all processes, and secret.
    """

    __slots__ = (
        "_digests",
        "_key",
        "_lock",
        "_places",
        "_read",
        "_seen",
        "_sweep_at",
        "_sweeps",
        "_until",
        "_words",
    )

    def __init__(self, memory: memoryview, lock: Lock, key: bytes) -> None:
        self._words = memory[:_HEADER_BYTES].cast("Q")
        middle = (_HEADER_BYTES + len(memory)) // 2
        self._digests = memory[_HEADER_BYTES:middle].cast("Q")
        self._until = memory[middle:].cast("d")
        self._lock = lock
        self._key = key
        self._places: dict[int, int] = {}  # what was read: where each digest is
        self._read = 0  # tokens
        self._seen = 0  # changes
        self._sweeps = 0
        self._sweep_at = 0.0  # epoch seconds before which a sweep would find nothing

    def __len__(self) -> int:
        """Tokens held, expired ones that are not swept yet included."""
        return self._words[_HELD]

    def is_revoked(self, token_id: str) -> bool:
        """Whether the token of this id is to be refused; one without an id never is."""
        if self._words[_CHANGES] != self._seen:
            self._lock.acquire(0)
            try:
                self._read_on()
            finally:
                self._lock.release(0)
        return bool(self._places) and self._digest(short(token_id)) in self._places

    def revoke(self, token_id: str, expires_at: float, wall: float) -> None:
        """Refuse a token from now on, in all processes.

        Args:
            token_id: Its ``jti``, or what stands for one; not empty.
            expires_at: Its ``exp``, epoch seconds.
            wall: Epoch seconds now.

        Raises:
            StoreUnavailable: Too many are revoked; this one still is good.
        """
        if not token_id:
            raise ValueError("a token without an id cannot be revoked")
        self.take_over(short(token_id), expires_at + GRACE_S, wall)

    async def spread(self, token_id: str, expires_at: float) -> None:
        """All who share the memory refuse it already."""

    def take_over(self, kept_id: str, until: float, wall: float) -> None:
        """Refuse what another list refuses; see ``RevokedTokens``."""
        self._lock.acquire(0)
        try:
            self._read_on()
            if len(self) >= len(self._until) and wall >= self._sweep_at:
                self._sweep(wall)
            self._write(self._digest(kept_id), until)
        finally:
            self._lock.release(0)

    def adopt(self, revocations: Revocations) -> None:
        """Refuse what one process refused by itself.

        Raises:
            StoreUnavailable: There is no room for all of them.
        """
        self._lock.acquire(0)
        try:
            self._read_on()
            for token_id, until in revocations.tokens():
                self._write(self._digest(token_id), until)
        finally:
            self._lock.release(0)

    def close(self) -> None:
        """Let go of the memory."""
        for part in (self._words, self._digests, self._until):
            part.release()

    def _digest(self, short_id: str) -> int:
        made = blake2b(short_id.encode(), digest_size=_DIGEST_BYTES, key=self._key)
        return int.from_bytes(made.digest())

    # The rest runs under the lock.

    def _read_on(self) -> None:
        """Take in what others have added, and everything if tokens have moved."""
        held = self._words[_HELD]
        if self._words[_SWEEPS] != self._sweeps:
            self._places, self._read = {}, 0
            self._sweeps = self._words[_SWEEPS]
        new = self._digests[self._read : held].tolist()
        self._places.update(zip(new, range(self._read, held), strict=True))
        self._read = held
        self._seen = self._words[_CHANGES]

    def _write(self, mark: int, until: float) -> None:
        place = self._places.get(mark)
        held = self._words[_HELD]
        if place is not None:
            self._until[place] = max(until, self._until[place])
            return
        if held == len(self._until):
            raise StoreUnavailable("too many revoked tokens")
        self._words[_CHANGES] += 1
        self._digests[held], self._until[held] = mark, until
        self._words[_HELD] = held + 1
        self._read_on()

    def _sweep(self, wall: float) -> None:
        """Move together what has not expired by ``wall``."""
        self._words[_CHANGES] += 1
        self._words[_SWEEPS] += 1
        held = self._words[_HELD]
        kept: dict[int, float] = {}
        for mark, until in zip(self._digests[:held], self._until[:held], strict=True):
            if until > wall:  # twice there, if somebody was killed right here
                kept[mark] = max(until, kept.get(mark, 0.0))
        # One after the other and downwards: a token's old place is overwritten
        # only after it has got its new one, wherever the process is killed.
        for place, (mark, until) in enumerate(kept.items()):
            self._digests[place], self._until[place] = mark, until
        self._words[_HELD] = len(kept)
        self._sweep_at = min(kept.values(), default=0.0)
        self._read_on()
