"""Glob patterns: ``*`` stands for any run of characters, and the whole must match.

Nothing else is special; there are no ``?`` and no classes. Matching takes time
linear in the text for any pattern: what stands between two stars is looked for
once, at its first place, and never again (atomic groups).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyproxy.routing.spelling import decoded

# No honest path is encoded this often; each round is one more decoder that may
# stand between the gateway and whoever serves the path.
MAX_DECODINGS: Final = 4

_PARAMETERS: Final = re.compile(r";[^/]*")
_SLASHES: Final = re.compile(r"[/\\]+")


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


@dataclass(frozen=True, slots=True)
class DeniedPaths:
    """Paths that are closed, in every spelling an upstream might understand.

    Case, escapes (several times over), a slash at the end, repeated slashes,
    backslashes and ``;parameters`` make no difference: a deny list is safe only
    if it is wider than the upstream's own matching.

    Attributes:
        patterns: Match the plain, lower-case spelling.
        is_empty: Nothing is denied.
    """

    patterns: Patterns
    is_empty: bool

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "DeniedPaths":
        """Compile patterns such as ``/token`` (it alone) and ``/token/*`` (all below)."""
        plain = [_plain(pattern) for pattern in patterns]
        return cls(Patterns.of(plain), is_empty=not plain)

    def denies(self, path: bytes) -> bool:
        """Whether a path is closed.

        Args:
            path: As sent or as forwarded, without its query.
        """
        if self.is_empty:
            return False
        for _ in range(MAX_DECODINGS):
            if self.patterns.matches(_plain(path.decode("utf-8", "replace"))):
                return True
            if b"%" not in path or (once := decoded(path)) == path:
                return False
            path = once
        return True


def _plain(path: str) -> str:
    """One spelling for all that mean the same to some upstream."""
    path = path.casefold()
    if ";" in path:
        path = _PARAMETERS.sub("", path)
    if "//" in path or "\\" in path:
        path = _SLASHES.sub("/", path)
    return path.rstrip("/") or "/"


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
