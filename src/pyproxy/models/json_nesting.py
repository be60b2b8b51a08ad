"""The containers that a JSON text is within."""

from typing import Final

from pyproxy.models.json_runs import ASCENTS, DESCENT, MAX_CLIMB, brackets
from pyproxy.models.name import Unreadable

# Go's encoding/json reads as deep, most readers far less. It bounds what is kept.
MAX_DEPTH: Final = 10_000

_OBJECT_END: Final = ord("}")
_CLOSING: Final = bytes.maketrans(b"[{", b"]}")


class Nesting:
    """Brackets that are open, each to be closed by its own."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends = bytearray()  # brackets that are to come, the last one first

    def __len__(self) -> int:
        """How deep."""
        return len(self._ends)

    @property
    def is_object(self) -> bool:
        """Whether the innermost container is an object; there must be one."""
        return self._ends[-1] == _OBJECT_END

    def enter(self, bracket: int) -> None:
        """One container more.

        Raises:
            Unreadable: It is one too many.
        """
        if len(self._ends) == MAX_DEPTH:
            raise Unreadable("the body is nested too deeply")
        self._ends.append(_CLOSING[bracket])

    def descend(self, data: bytes, at: int) -> int:
        """Past several brackets that open, and what is before the last of them.

        Returns:
            Where it came to, behind a bracket, a comma or a colon and the white space there;
            where it began, if single steps must do.
        """
        if len(self._ends) + MAX_CLIMB >= MAX_DEPTH:
            return at
        found = DESCENT.match(data, at)
        if found is None:
            return at
        self._ends += brackets(found[0]).translate(_CLOSING)
        return found.end()

    def ascend(self, data: bytes, at: int) -> int:
        """Past several brackets that close, and what is between them.

        What is in the outermost container behind others is never passed.

        Returns:
            Where it came to, behind a bracket; where it began, if there is none.

        Raises:
            Unreadable: A bracket closes what it did not open.
        """
        most = max(1, min(len(self._ends) - 1, MAX_CLIMB))
        found = ASCENTS[most - 1].match(data, at)
        if found is None:
            return at
        closing = brackets(found[0])
        count = len(closing)
        if self._ends[: -count - 1 : -1] != closing:
            raise Unreadable("a bracket closes what it did not open")
        del self._ends[-count:]
        return found.end()
