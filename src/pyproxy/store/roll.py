"""A list that all machines keep: each has a copy, and Redis has what any of them knows."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from pyproxy.store.line import Line, Question
from pyproxy.store.roll_page import Entry, Page, entry_of, moment_of, name_of, page_of
from pyproxy.store.roll_scripts import LIFT, LIFTED_S, PUT, READ
from pyproxy.store.scripts import key_of

_PAGE: Final = 1000  # names in one answer
_AT_ONCE: Final = 500  # names that are put in one write
_SUFFIXES: Final = (b":until", b":since", b":lifted", b":version")
_WHOLE_MESSAGE: Final = 5  # words


class Roll:
    """A list of names, each until some time, in the memory of this process and in Redis.

    What one machine puts on it is there on all: at once by a message, and by `merge` for
    those who were away. Both sides then have what either had, except what was taken off:
    of coming and going the later counts, by times of the store's clock.

    Args:
        line: To Redis.
        prefix: Of the keys.
        name: Of the list.
        on_put: Told of names that others put there, or prolonged, and until when.
        on_lift: Told of names that others took off.
        most: Names at most; further ones are not shared.

    Attributes:
        offset_s: What the store's clock is ahead of ours.
        is_merged: What the others have was read at least once.
    """

    def __init__(
        self,
        line: Line,
        prefix: str,
        name: str,
        on_put: Callable[[str, float], None],
        on_lift: Callable[[str], None],
        most: int,
    ) -> None:
        self._line = line
        self._keys = tuple(key_of(prefix, name) + suffix for suffix in _SUFFIXES)
        self.channel = key_of(prefix, name)
        self._on_put = on_put
        self._on_lift = on_lift
        self._most = most
        self._entries: dict[str, Entry] = {}
        self._lifted: dict[str, float] = {}
        self._version = 0
        self.offset_s = 0.0
        self.is_merged = False

    @property
    def count(self) -> int:
        """Names on our copy, those that are over included."""
        return len(self._entries)

    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """Our copy."""
        return tuple(self._entries.items())

    def probe(self) -> tuple[Question, ...]:
        """What a store that is well can do; changes nothing."""
        return (
            Question(READ, self._keys, (0, 0), None),
            Question(PUT, self._keys, (self.channel, "", 0, -2, self._most), None),
            Question(LIFT, self._keys, (self.channel, "", -2), None),
        )

    def remember(self, name: str, entry: Entry) -> bool:
        """Put a name on our copy; whether it is there now."""
        if self._lifted.get(name, -1.0) >= entry.since:
            return False
        _ = self._lifted.pop(name, None)
        known = self._entries.get(name)
        if known is None and len(self._entries) >= self._most:
            return False
        if known is not None:
            entry = Entry(max(known.until, entry.until), max(known.since, entry.since))
        self._entries[name] = entry
        return True

    async def put(self, name: str, entry: Entry) -> str:
        """Put a name on everybody's.

        Returns:
            ``put``, ``known``, ``lifted`` or ``full``; ``""``: the store is down, and it will
            be there with the next `merge`.
        """
        _ = self.remember(name, entry)
        return await self._put(name, entry)

    def put_soon(self, name: str, entry: Entry) -> None:
        """Put a name on everybody's, now or with the next `merge`."""
        if self.remember(name, entry):
            self._line.tell(PUT, self._keys, self._put_values(name, entry))

    def lift_soon(self, name: str, at: float) -> None:
        """Take a name off everybody's, now or with the next `merge`; of the store's clock."""
        _ = self._forget(name, at)
        self._line.tell(LIFT, self._keys, (self.channel, _bytes(name), at))

    def _put_values(self, name: str, entry: Entry) -> Sequence[bytes | float]:
        return (self.channel, _bytes(name), entry.until, entry.since, self._most)

    async def _put(self, name: str, entry: Entry) -> str:
        answer = await self._line.ask(PUT, self._keys, self._put_values(name, entry))
        words = _words(answer)
        if words is None:
            return ""
        if words[0] == "lifted" and self._forget(name, words[1]):
            self._on_lift(name)
        return words[0]

    def _forget(self, name: str, at: float) -> bool:
        """Take a name off our copy unless it came later; whether it had been there."""
        known = self._entries.get(name)
        if known is not None and known.since > at:
            return False
        self._lifted[name] = max(at, self._lifted.get(name, -1.0))
        if len(self._lifted) > self._most:
            del self._lifted[next(iter(self._lifted))]
        return self._entries.pop(name, None) is not None

    def hear(self, message: bytes) -> bool:
        """Take in what somebody changed; whether all changes before it were heard too."""
        parts = message.split(b" ", _WHOLE_MESSAGE - 1)
        try:
            verb, first, second, version, name = parts
            if verb == b"lift":
                self._heard_lift(name_of(name), moment_of(first))
            else:
                self._heard_put(name_of(name), entry_of(first, second))
            is_next = int(version) == self._version + 1
            self._version = int(version)
        except ValueError:
            return False
        return is_next

    def _heard_lift(self, name: str, at: float) -> None:
        if self._forget(name, at):
            self._on_lift(name)

    def _heard_put(self, name: str, entry: Entry) -> None:
        known = self._entries.get(name)
        if self.remember(name, entry) and self._entries[name] != known:
            self._on_put(name, entry.until)

    async def is_current(self, wall: float) -> bool:
        """Whether no change went past us; a store that is down has none.

        Args:
            wall: Epoch seconds; our clock may have been set since we looked last.
        """
        page = await self._read(0, 0)
        if page is not None:
            self.offset_s = page.now - wall
        return page is None or page.version == self._version

    async def _read(self, at: int, count: int) -> Page | None:
        """A part of what Redis has; ``None``: the store is down, or is now, for its nonsense."""
        answer = await self._line.ask(READ, self._keys, (at, count))
        if answer is None:
            return None
        page = page_of(answer)
        if page is None:
            self._line.fault("a list that makes no sense")
        return page

    async def merge(self, wall: float) -> None:
        """Let both sides have what either has; what fails is for the next time.

        Args:
            wall: Epoch seconds.
        """
        remote: dict[str, Entry] = {}
        lifted: dict[str, float] = {}
        at = 0
        while True:
            page = await self._read(at, _PAGE)
            if page is None:
                return
            remote.update(page.entries)
            lifted.update(page.lifted)
            at += _PAGE
            # More than a list may have somebody else put there; we would read for ever.
            if page.most < _PAGE or at > self._most:
                break
        self._version = page.version
        self.offset_s = page.now - wall
        for name, moment in lifted.items():
            self._heard_lift(name, moment)
        for name, entry in remote.items():
            self._heard_put(name, entry)
        self._prune(page.now)
        self.is_merged = True
        await self._fill(remote, lifted)

    def _prune(self, now: float) -> None:
        for name in [name for name, entry in self._entries.items() if entry.until <= now]:
            del self._entries[name]
        for name in [name for name, at in self._lifted.items() if at <= now - LIFTED_S]:
            del self._lifted[name]

    async def _fill(self, remote: dict[str, Entry], lifted: dict[str, float]) -> None:
        """Tell Redis what it does not know."""
        for name, at in tuple(self._lifted.items()):
            if lifted.get(name, -1.0) < at:
                self._line.tell(LIFT, self._keys, (self.channel, _bytes(name), at))
        missing = [item for item in self._entries.items() if remote.get(item[0]) != item[1]]
        for start in range(0, len(missing), _AT_ONCE):
            *some, last = missing[start : start + _AT_ONCE]
            for name, entry in some:
                self._line.tell(PUT, self._keys, self._put_values(name, entry))
            if not await self._put(*last):
                return


def _words(answer: object) -> tuple[str, float] | None:
    match answer:
        case [bytes(word), bytes(value)]:
            with suppress(ValueError):
                return word.decode("ascii"), moment_of(value)
        case _:
            pass
    return None


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
