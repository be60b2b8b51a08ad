"""Lines of a keys file, added and removed; every other line stays as it is, comments too."""

import hashlib
import re
from datetime import UTC, datetime

from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.keys_file import KeyEntry, parse_keys_file

# As in logs: the first digits of a key's SHA-256.
LABEL_DIGITS = 8
# Names end up in logs, in tokens' `sub` and in `X-Auth-User`. Narrower than what
# the keys file accepts: a slash or a leading dash is no good on a command line.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")


def is_name(text: str) -> bool:
    """Whether a new key may be called so."""
    return _NAME.fullmatch(text) is not None


def with_line(text: str, line: str) -> str:
    """The file with one line more, at its end.

    Raises:
        ValueError: Another key has its name.
    """
    name = _label(line)
    if any(_label(other) == name for other in text.splitlines()):
        raise ValueError(f"there is a key named {name} already; revoke it first")
    separator = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{separator}{line}\n"


def without_key(text: str, label: str) -> str:
    """The file without the lines of that key.

    Args:
        text: The file.
        label: The key's name; for one without a name what ``keys list`` shows.

    Raises:
        KeyError: There is none.
    """
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if _label(line) != label]
    if len(kept) == len(lines):
        raise KeyError(label)
    return "".join(kept)


def describe(entry: KeyEntry, wall: float) -> str:
    """One line for a person: name, kind and options; nothing of the key.

    Args:
        entry: Of the file.
        wall: Epoch seconds, for whether it is expired.
    """
    words = [label_of(entry), entry.scheme]
    if entry.expires_at is not None:
        words.append(f"until={datetime.fromtimestamp(entry.expires_at, UTC):%Y-%m-%dT%H:%MZ}")
        words += ["expired"] if entry.expires_at <= wall else []
    if entry.routes is not None:
        words.append(f"routes={','.join(sorted(entry.routes))}")
    if entry.limit is not None:
        words.append(f"limit={entry.limit}")
    return "  ".join(words)


def label_of(entry: KeyEntry) -> str:
    """What a key is called: its name, or digits that tell it from others and give nothing away."""
    if entry.name:
        return entry.name
    digest = entry.material
    if entry.scheme == "bcrypt":
        digest = hashlib.sha256(digest).digest()
    return digest.hex()[:LABEL_DIGITS]


def _label(line: str) -> str:
    """What a line's key is called; empty for a comment and for a malformed line.

    A fault elsewhere in the file must not keep anyone from revoking a key.
    """
    try:
        entries = parse_keys_file(line, "")
    except ConfigurationError:
        return ""
    return label_of(entries[0]) if entries else ""
