"""What Redis says of a list, which whoever else writes there may have made rubbish of."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

# Epoch seconds that a double still holds exactly and Redis takes for an EXPIREAT; the
# longest duration that can be configured ends before.
LATEST: Final = 9e15
_LONGEST_NAME: Final = 512  # bytes; ours have 64 characters at most, or are digests


@dataclass(frozen=True, slots=True)
class Entry:
    """A name on the list.

    Attributes:
        until: When it goes by itself; epoch seconds.
        since: When it came; epoch seconds of the store's clock, 0 if it can never be taken off.
    """

    until: float
    since: float


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the names, and of those that were taken off.

    Attributes:
        now: The store's clock, epoch seconds.
        version: How often the list was changed.
        entries: Names, without those that cannot be ours.
        lifted: When each was taken off, likewise.
        most: How many of either Redis had.
    """

    now: float
    version: int
    entries: dict[str, Entry]
    lifted: dict[str, float]
    most: int


def page_of(answer: object) -> Page | None:
    """What `roll_scripts.READ` answers; ``None``: it talks nonsense.

    A name or a time that none of us wrote is left out, and keeps nobody from the rest.
    """
    match answer:
        case [bytes(now), bytes(version), list(names), list(since), list(lifted)]:
            most = max(len(names), len(lifted)) // 2
            entries: dict[str, Entry] = {}
            for (name, until), begun in zip(_pairs(names), since, strict=False):
                with suppress(ValueError):
                    entries[name_of(name)] = entry_of(until, begun)
            tombs: dict[str, float] = {}
            for name, at in _pairs(lifted):
                with suppress(ValueError):
                    tombs[name_of(name)] = moment_of(at)
            with suppress(ValueError):
                return Page(moment_of(now), int(version), entries, tombs, most)
        case _:
            pass
    return None


def entry_of(until: bytes, since: bytes) -> Entry:
    """An entry by its two times.

    Raises:
        ValueError: One of them is no time.
    """
    return Entry(moment_of(until), moment_of(since))


def moment_of(text: bytes) -> float:
    """Epoch seconds.

    Raises:
        ValueError: No number, or none that a clock can show: infinite, NaN, negative.
    """
    moment = float(text)
    if not 0.0 <= moment <= LATEST:
        raise ValueError("no time")
    return moment


def name_of(text: bytes) -> str:
    """A name as it was put there.

    Raises:
        ValueError: It cannot be one of ours.
    """
    if len(text) > _LONGEST_NAME:
        raise ValueError("too long a name")
    return text.decode("utf-8", "surrogatepass")


def _pairs(items: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(items[::2], items[1::2], strict=False)
