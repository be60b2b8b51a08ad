"""The name of the member that names the model."""

import json
import re
from dataclasses import dataclass
from typing import Self

from pyproxy.models.json_runs import members_but
from pyproxy.models.name import Unreadable, core


@dataclass(frozen=True, slots=True)
class ModelKey:
    """A key, and what is no key.

    Attributes:
        name: As the API spells it.
        core: Its letters and digits.
        others: Matches a run of members that are certainly others.
    """

    name: str
    core: str
    others: re.Pattern[bytes]

    @classmethod
    def of(cls, name: str) -> Self:
        """Compile a key; this takes milliseconds."""
        return cls(name, core(name), members_but(name))

    def is_spelled(self, string: bytes) -> bool:
        """Whether a JSON string is the key, whatever of it is escaped.

        Raises:
            Unreadable: To some it is, and to others not.
        """
        name = text_of(string)
        if name == self.name:
            return True
        # C ends a text at NUL, and may find the key in front of it.
        if "\0" in name or core(name) == self.core:
            raise Unreadable("a member's name is nearly the model's")
        return False


def text_of(string: bytes) -> str:
    """What a JSON string stands for."""
    if b"\\" not in string:
        return string[1:-1].decode()
    text: str = json.loads(string.decode())
    return text
