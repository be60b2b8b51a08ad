"""Glob patterns: ``*`` stands for any run of characters, and the whole must match.

Nothing else is special; there are no ``?`` and no classes. Matching takes time
linear in the text for any pattern: what stands between two stars is looked for
once, at its first place, and never again (atomic groups).
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
        expression: Matches what any of the patterns matches.
    """

    expression: re.Pattern[str]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "Patterns":
        """Compile patterns; of none, nothing matches."""
        return cls(_compiled(patterns))

    def matches(self, name: str) -> bool:
        """Whether any pattern matches the whole of ``name``."""
        return self.expression.fullmatch(name) is not None


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


def _compiled(patterns: Iterable[str]) -> re.Pattern[str]:
    alternatives = [_expression(pattern) for pattern in patterns]
    return re.compile("|".join(alternatives) if alternatives else r"(?!)", re.DOTALL)


def _expression(pattern: str) -> str:
    """One pattern as a regular expression that never backtracks over a star."""
    first, *others = (re.escape(part) for part in re.split(r"\*+", pattern))
    if not others:
        return first
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return f"{first}{between}.*{others[-1]}"
