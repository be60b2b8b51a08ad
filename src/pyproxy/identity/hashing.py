"""bcrypt, off the event loop, few at a time, and one client after the other."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import bcrypt

from pyproxy.errors.refusal import AttemptsSpent, RateLimited
from pyproxy.identity.turns import Turns

MAX_SECRET_BYTES = 72  # bcrypt looks at no more: a longer secret would match by its beginning
DEFAULT_WORKERS = 1  # threads; bcrypt lets the interpreter go, so each one is a core
DEFAULT_WAITING = 64  # secrets under way, of all clients together
DEFAULT_EACH = 8  # secrets of one client that wait
DEFAULT_PATIENCE_S = 15.0  # for one's turn; the turn itself takes as long as there are hashes
RETRY_AFTER = b"5"  # seconds, after which a full queue has moved on
MOST_REFUSED = 4096  # secrets that found their client's line full, and are known again

_PATIENCE = ((b"Retry-After", RETRY_AFTER),)

_Name = tuple[bytes, tuple[bytes, ...]]


@dataclass(slots=True, eq=False, repr=False)  # it holds a secret, which does not print
class _Attempt:
    """One secret against all hashes, for everybody who waits for just that.

    Attributes:
        name: The secret's digest, and the hashes.
        secret: What is hashed.
        verdict: Which hash matched.
        turn: Set when the hashing begins, or will not.
        callers: How many wait for the verdict.
        clients: Who they are.
        is_abandoned: Nobody does any more; looked at between two hashes.
    """

    name: _Name
    secret: bytes
    verdict: asyncio.Future[int | None]
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    callers: int = 0
    clients: set[str] = field(default_factory=set)
    is_abandoned: bool = False


class BcryptGate:
    """Finds which bcrypt hash a secret matches, without holding up the loop.

    A hash takes a fifth of a second of a core, so the gate is narrow: few
    workers and a bounded queue. Turns go round by client: somebody with many
    wrong keys delays another client by one attempt, not by all of them, and when
    the queue is full it is the longest line that is cut. Refused is who finds no
    room, or has waited too long for a turn. Callers
    with the same secret wait for one attempt, which has its turn when the first
    of their clients has. A caller that is cancelled leaves without disturbing
    the others; when all have left, the attempt ends with the hash under way.

    Args:
        workers: Secrets hashed at a time, and threads unless ``executor`` is given.
        waiting: Secrets under way at most, waiting ones included.
        each: Secrets that one client may have waiting.
        patience_s: How long a caller waits for its turn.
        executor: Runs the attempts, and stays the caller's to shut down.
        begin: Called once in each thread, before its first attempt.
    """

    def __init__(
        self,
        workers: int = DEFAULT_WORKERS,
        waiting: int = DEFAULT_WAITING,
        each: int = DEFAULT_EACH,
        patience_s: float = DEFAULT_PATIENCE_S,
        executor: Executor | None = None,
        begin: Callable[[], None] | None = None,
    ) -> None:
        self._owns_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(workers, "bcrypt", initializer=begin)
        self._workers = workers
        self._waiting = waiting
        self._patience_s = patience_s
        self._is_closed = False
        self._attempts: dict[_Name, _Attempt] = {}
        self._turns: Turns[_Attempt] = Turns(each)
        self._running: set[asyncio.Future[int | None]] = set()
        self._refused: dict[int, None] = {}
        self._aside = executor or ThreadPoolExecutor(1, "bcrypt-known", initializer=begin)
        self._confirming: dict[_Name, asyncio.Future[bool]] = {}

    async def __aenter__(self) -> Self:
        """The gate itself, closed at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    @property
    def waiting(self) -> int:
        """Secrets that are being hashed, or wait to be."""
        return len(self._attempts)

    async def matches(self, secret: bytes, hashes: tuple[bytes, ...], client: str) -> int | None:
        """The index of the first hash that ``secret`` matches.

        Args:
            secret: The key, as presented.
            hashes: Tried one after the other.
            client: Who has one turn: an address, or the network that stands for it.

        Returns:
            None if it matches none. One over 72 bytes does not, and is not hashed.

        Raises:
            AttemptsSpent: Too many secrets of this client are waiting, and this is
                another one.
            RateLimited: Too many secrets are waiting, its turn did not come in time,
                or the gate is closed.
        """
        if len(secret) > MAX_SECRET_BYTES or not hashes:
            return None
        attempt = self._attempt(secret, hashes, client)
        attempt.callers += 1
        attempt.clients.add(client)
        try:
            self._begin_next()
            await self._turn(attempt)
            # It belongs to everybody who waits for it: one who leaves must not end it.
            return await asyncio.shield(attempt.verdict)
        finally:
            attempt.callers -= 1
            if not attempt.callers:
                self._abandon(attempt)

    async def confirm(self, secret: bytes, key_hash: bytes) -> bool:
        """Whether a secret still matches the hash that it matched a while ago.

        Past the line and on a thread of its own, so that no stranger who guesses keeps
        those waiting who were known; nobody comes here who never had the right secret.

        Raises:
            RateLimited: The gate is closed.
        """
        if self._is_closed:
            raise _busy()
        name = _name(secret, (key_hash,))
        work = self._confirming.get(name)
        if work is None:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._aside, _is_match, secret, key_hash)
            self._confirming[name] = work
            work.add_done_callback(partial(self._confirming.pop, name))
        return await asyncio.shield(work)

    def is_trying(self, secret: bytes, hashes: tuple[bytes, ...]) -> bool:
        """Whether a secret is being hashed, or waits to be: it will cost nothing more."""
        return _name(secret, hashes) in self._attempts

    def untried(self, secret: bytes, refusal: AttemptsSpent) -> RateLimited:
        """The refusal of a secret that is not tried: of an attempt once, and then of none.

        So many unknown keys at once are guesses, of which each counts once: whoever comes
        again with a key that might be good is not taken for one who tries many.
        """
        mark = hash(secret)  # keyed, by the interpreter
        if mark in self._refused:
            return refusal.uncounted()
        if len(self._refused) >= MOST_REFUSED:
            del self._refused[next(iter(self._refused))]
        self._refused[mark] = None
        return refusal

    def forsake(self, client: str) -> None:
        """Refuse what one client waits for and nobody else does, the hashing under way too."""
        for attempt in tuple(self._attempts.values()):
            if attempt.clients == {client}:
                attempt.is_abandoned = True
                self._conclude(attempt, _busy())

    async def close(self) -> None:
        """Refuse what waits and what comes; the hash under way is waited for."""
        self._is_closed = True
        for attempt in tuple(self._attempts.values()):
            self._conclude(attempt, _busy())
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*self._confirming.values(), return_exceptions=True)
        if self._owns_executor:
            for executor in (self._executor, self._aside):
                executor.shutdown(wait=False)

    def _attempt(self, secret: bytes, hashes: tuple[bytes, ...], client: str) -> _Attempt:
        """The attempt under way with a secret, or a new one in its client's line.

        Raises:
            RateLimited: There is no room.
        """
        name = _name(secret, hashes)
        attempt = self._attempts.get(name)
        if attempt is None:
            self._make_room(client)
            attempt = _Attempt(name, secret, asyncio.get_running_loop().create_future())
            if not self._turns.try_add(client, attempt):
                spent = AttemptsSpent("too many keys of this client wait", fields=_PATIENCE)
                raise self.untried(secret, spent)
            self._attempts[name] = attempt
        elif not attempt.turn.is_set():
            self._turns.try_add(client, attempt)  # without room it has the others' turn
        return attempt

    def _make_room(self, client: str) -> None:
        if self._is_closed:
            raise _busy()
        if len(self._attempts) >= self._waiting:
            crowding = self._turns.crowding(client)
            if crowding is None:
                raise _busy()
            self._conclude(crowding, _busy())

    async def _turn(self, attempt: _Attempt) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await attempt.turn.wait()
        except TimeoutError:
            raise _busy() from None

    def _begin_next(self) -> None:
        """Have the next attempts begun, as many as there are free workers."""
        loop = asyncio.get_running_loop()
        while len(self._running) < self._workers:
            attempt = self._turns.take()
            if attempt is None:
                return
            attempt.turn.set()
            work = loop.run_in_executor(self._executor, self._try, attempt)
            self._running.add(work)
            work.add_done_callback(partial(self._finish, attempt))

    def _try(self, attempt: _Attempt) -> int | None:
        """Runs in a worker; between two hashes it looks whether anybody still wants to know."""
        for index, key_hash in enumerate(attempt.name[1]):
            if self._is_closed or attempt.is_abandoned:
                return None
            if _is_match(attempt.secret, key_hash):
                return index
        return None

    def _finish(self, attempt: _Attempt, work: asyncio.Future[int | None]) -> None:
        self._running.discard(work)
        # The executor was closed before it began: no verdict, but not "no match" either.
        fault = _busy() if work.cancelled() else work.exception()
        self._conclude(attempt, work.result() if fault is None else fault)
        if not self._is_closed:
            self._begin_next()

    def _conclude(self, attempt: _Attempt, verdict: int | BaseException | None) -> None:
        """Let everybody who waits know, once."""
        self._forget(attempt)
        attempt.turn.set()
        if attempt.verdict.done():
            return
        if isinstance(verdict, BaseException):
            attempt.verdict.set_exception(verdict)
            attempt.verdict.exception()  # seen, should every caller have left
        else:
            attempt.verdict.set_result(verdict)

    def _abandon(self, attempt: _Attempt) -> None:
        attempt.is_abandoned = True
        self._forget(attempt)

    def _forget(self, attempt: _Attempt) -> None:
        """Keep nobody from trying the same secret anew."""
        self._turns.remove(attempt)
        if self._attempts.get(attempt.name) is attempt:
            del self._attempts[attempt.name]


def _name(secret: bytes, hashes: tuple[bytes, ...]) -> _Name:
    return hashlib.sha256(secret).digest(), hashes


def _is_match(secret: bytes, key_hash: bytes) -> bool:
    try:
        return bcrypt.checkpw(secret, key_hash)
    except ValueError:  # not a hash; one bad entry must not close the gate to the others
        return False


def _busy() -> RateLimited:
    return RateLimited("the bcrypt queue is full", fields=_PATIENCE)
