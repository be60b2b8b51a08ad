"""bcrypt, off the event loop and few at a time."""

import asyncio
import hashlib
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Self

import bcrypt

from pyproxy.errors.refusal import RateLimited

MAX_SECRET_BYTES = 72  # bcrypt looks at no more: a longer secret would match by its beginning
DEFAULT_WORKERS = 1  # threads; bcrypt lets the interpreter go, so each one is a core
DEFAULT_WAITING = 64  # secrets; at cost 12 and one hash the last one waits about 13 seconds
RETRY_AFTER = b"5"  # seconds, after which a full queue has moved on

_Attempt = asyncio.Future[int | None]


class BcryptGate:
    """Finds which bcrypt hash a secret matches, without holding up the loop.

    A hash takes a fifth of a second of a core, so the gate is narrow: few
    workers and a bounded queue, and whoever finds it full is refused. Callers
    with the same secret wait for one attempt. A caller that is cancelled leaves
    without disturbing the others; the attempt itself goes on.

    Args:
        workers: Threads, unless ``executor`` is given.
        waiting: Secrets under way at most, waiting ones included.
        executor: Runs the attempts, and stays the caller's to shut down.
    """

    def __init__(
        self,
        workers: int = DEFAULT_WORKERS,
        waiting: int = DEFAULT_WAITING,
        executor: Executor | None = None,
    ) -> None:
        self._owns_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(workers, "bcrypt")
        self._waiting = waiting
        self._is_closed = False
        self._attempts: dict[tuple[bytes, tuple[bytes, ...]], _Attempt] = {}

    async def __aenter__(self) -> Self:
        """The gate itself, closed at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def matches(self, secret: bytes, hashes: tuple[bytes, ...]) -> int | None:
        """The index of the first hash that ``secret`` matches.

        Returns:
            None if it matches none. One over 72 bytes does not, and is not hashed.

        Raises:
            RateLimited: Too many secrets are waiting, or the gate is closed.
        """
        if len(secret) > MAX_SECRET_BYTES or not hashes:
            return None
        name = (hashlib.sha256(secret).digest(), hashes)
        attempt = self._attempts.get(name)
        if attempt is None:
            if self._is_closed or len(self._attempts) >= self._waiting:
                raise _busy()
            loop = asyncio.get_running_loop()
            attempt = loop.run_in_executor(self._executor, self._try, secret, hashes)
            self._attempts[name] = attempt
            attempt.add_done_callback(lambda done: self._forget(name, done))
        # It belongs to everybody who waits for it: one who leaves must not end it.
        return await asyncio.shield(attempt)

    async def close(self) -> None:
        """Refuse what waits and what comes; the hash under way is waited for."""
        self._is_closed = True
        await asyncio.gather(*self._attempts.values(), return_exceptions=True)
        if self._owns_executor:
            self._executor.shutdown(wait=False)

    def _try(self, secret: bytes, hashes: tuple[bytes, ...]) -> int | None:
        """Runs in a worker; between two hashes it looks whether the gate has closed."""
        for index, key_hash in enumerate(hashes):
            if self._is_closed:
                raise _busy()
            if _is_match(secret, key_hash):
                return index
        return None

    def _forget(self, name: tuple[bytes, tuple[bytes, ...]], attempt: _Attempt) -> None:
        del self._attempts[name]
        if not attempt.cancelled():
            attempt.exception()  # seen, should every caller have left


def _is_match(secret: bytes, key_hash: bytes) -> bool:
    try:
        return bcrypt.checkpw(secret, key_hash)
    except ValueError:  # not a hash; one bad entry must not close the gate to the others
        return False


def _busy() -> RateLimited:
    return RateLimited("the bcrypt queue is full", fields=((b"Retry-After", RETRY_AFTER),))
