"""What a setting may need to know of the world while it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationInfo


def _unchanged(path: str) -> str:
    return path


def _unreadable(path: str) -> str:
    raise ValueError(f"no file is read here: {path}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The doors of one reading of the configuration, handed in by `load`.

    Attributes:
        environ: The environment.
        resolve: Makes a path absolute.
        read: Gives the text of the file of a secret, or raises ``ValueError`` with a sentence
            that says why not.
    """

    environ: Mapping[str, str]
    resolve: Callable[[str], str]
    read: Callable[[str], str]


NOWHERE: Final = Surroundings({}, _unchanged, _unreadable)
"""For settings built by hand: no environment, no files, paths as they are."""


def surroundings(info: ValidationInfo) -> Surroundings:
    """Say where the settings are being read."""
    return info.context if isinstance(info.context, Surroundings) else NOWHERE
