"""Glob patterns: ``*`` stands for any run of characters, and the whole must match.

Nothing else is special; there are no ``?`` and no classes. Matching takes time
linear in the text for any pattern: what stands between two stars is looked for
once, at its first place, and never again (atomic groups). Patterns of the usual
forms need no regular expression, which would try each of them at each place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from pyproxy.routing.spelling import folded, readings
from pyproxy.wire.syntax import Malformed

# Of a route's paths, most are the same few; 256 kB at worst.
MOST_VERDICTS: Final = 1024
LONGEST_REMEMBERED: Final = 128  # bytes


@dataclass(frozen=True, slots=True)
class Patterns:
    """Names, of which upper and lower case differ.

    Attributes:
        names: Match themselves alone.
        beginnings: What is before the only star of a pattern, at its end.
        ends: What is behind the only star, at its beginning.
        within: What is between two stars, at both ends.
        expression: Matches what any of the other patterns matches.
    """

    names: frozenset[str]
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]
    within: tuple[str, ...]
    expression: re.Pattern[str]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "Patterns":
        """Compile patterns; of none, nothing matches."""
        names, beginnings, ends, within, others = set(), [], [], [], []
        for pattern in patterns:
            match _parts(pattern):
                case [name]:
                    names.add(name)
                case [beginning, ""]:
                    beginnings.append(beginning)
                case ["", end]:
                    ends.append(end)
                case ["", part, ""]:
                    within.append(part)
                case parts:
                    others.append(_expression(parts))
        expression = re.compile("|".join(others) if others else r"(?!)", re.DOTALL)
        return cls(frozenset(names), tuple(beginnings), tuple(ends), tuple(within), expression)

    def matches(self, name: str) -> bool:
        """Whether any pattern matches the whole of ``name``."""
        return (
            name in self.names
            or name.startswith(self.beginnings)
            or name.endswith(self.ends)
            or any(part in name for part in self.within)
            or self.expression.fullmatch(name) is not None
        )


class DeniedPaths:
    """Paths that are closed, in every spelling an upstream might understand.

    A deny list is safe only if it is wider than the upstream's own matching: a path
    is closed if any of its readings (``spelling.readings``) is, and if it is made to
    be read in different ways.

    Args:
        patterns: Match the plain, lower-case spelling: ``/token`` (it alone),
            ``/token/*`` (all below).
    """

    __slots__ = ("_patterns", "_verdicts", "is_empty")

    def __init__(self, patterns: Iterable[str]) -> None:
        plain = [folded(pattern) for pattern in patterns]
        self.is_empty = not plain
        self._patterns = Patterns.of(plain)
        self._verdicts: dict[bytes, bool] = {}

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Self:
        """Compile patterns."""
        return cls(patterns)

    @property
    def remembered(self) -> int:
        """Verdicts held."""
        return len(self._verdicts)

    def denies(self, path: bytes) -> bool:
        """Whether a path is closed.

        Verdicts on short paths are remembered, at most ``MOST_VERDICTS`` of them.

        Args:
            path: As sent or as forwarded, without its query.
        """
        if self.is_empty:
            return False
        verdict = self._verdicts.get(path)
        if verdict is None:
            verdict = self._judge(path)
            if len(path) <= LONGEST_REMEMBERED:
                if len(self._verdicts) >= MOST_VERDICTS:
                    self._verdicts.clear()
                self._verdicts[path] = verdict
        return verdict

    def _judge(self, path: bytes) -> bool:
        try:
            return any(self._patterns.matches(reading) for reading in readings(path))
        except Malformed:
            return True


def _parts(pattern: str) -> list[str]:
    """What stands before, between and behind the stars."""
    return re.split(r"\*+", pattern)


def _expression(parts: Iterable[str]) -> str:
    """A pattern with a star or more as a regular expression that never backtracks over one."""
    first, *between, last = map(re.escape, parts)
    return f"{first}{''.join(f'(?>.*?{part})' for part in between)}.*{last}"
