"""Something found in the configuration, at a place in its tree."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyproxy.errors.fault import Fault

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Location = tuple[str | int, ...]
"""Keys and indexes from the top: ``("routes", 2, "upstream")``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, or a remark, before it is known who reads it.

    Attributes:
        where: The value's place in the tree.
        problem: What is wrong, and what would be accepted; never a value that may be secret.
    """

    where: Location
    problem: str

    def to_fault(self, filled: Mapping[Location, str]) -> Fault:
        """Name the place as its writer knows it.

        Args:
            filled: Places whose value came from the environment, and from which variable.
        """
        for length in range(len(self.where), 0, -1):
            if name := filled.get(self.where[:length]):
                return Fault(name, self.problem)
        return Fault(path_text(self.where), self.problem)


def path_text(where: Location) -> str:
    """Write a place as ``routes[2].rate_limits[0]``."""
    text = ""
    for part in where:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            # As TOML writes it: a key of other characters stands in quotes.
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part)
            text += f".{key}" if text else key
    return text
