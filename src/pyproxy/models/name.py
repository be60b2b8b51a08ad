"""The name of a model, as a request gives it."""

import re
import unicodedata
from typing import Final

# Characters; the longest names of real models have some 60.
MAX_MODEL: Final = 256

_NO_LETTERS: Final = re.compile("[^a-z0-9]")


class Unreadable(ValueError):
    """What names a model in a way that two readers could take differently, or not at all."""


def plain_model(text: str) -> str:
    """The text, if it is the same name for everybody.

    Raises:
        Unreadable: It is too long, or holds what a careless reader stops at, leaves out or
            strips: control characters, halves of surrogate pairs, white space at an end.
    """
    if len(text) > MAX_MODEL:
        raise Unreadable("the model's name is too long")
    if not text.isprintable() or text != text.strip():
        raise Unreadable("the model's name is no plain text")
    return text


def one_model(known: str | None, model: str) -> str:
    """The model that is named once more.

    Raises:
        Unreadable: Another one was named before, and readers differ on which counts.
    """
    if known is not None and known != model:
        raise Unreadable("two models are named")
    return model


def bare_model(name: str) -> str:
    """The name without the collection that Google's APIs may put before it."""
    for collection in ("models/", "tunedModels/"):
        if name.startswith(collection):
            return name.removeprefix(collection)
    return name


def core(name: str) -> str:
    """A name's plain letters and digits, in lower case: all that the most careless reader compares.

    Go's encoding/json folds case with U+017F and U+212A, its successor leaves out ``-`` and
    ``_``, Java takes a dotless i for an i, and half of a surrogate pair may be left out.
    """
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKD", name.upper()).lower())
