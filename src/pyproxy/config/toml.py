"""TOML text to a tree."""

import re
import tomllib
from typing import Final

from pyproxy.errors.fault import ConfigurationError, Fault

_POSITION: Final = re.compile(
    r"\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)"
)


def parse_toml(raw: bytes, name: str) -> dict[str, object]:
    """Parse a file's bytes.

    Args:
        raw: All of the file.
        name: What faults call it.

    Raises:
        ConfigurationError: Not UTF-8, not TOML, or beyond reason; names line and column.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as reason:
        line = raw.count(b"\n", 0, reason.start) + 1
        raise ConfigurationError(Fault(f"{name}:{line}", "is not UTF-8 text")) from reason
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as reason:
        raise ConfigurationError(_fault(str(reason), text, name)) from reason
    except RecursionError as reason:
        raise ConfigurationError(Fault(name, "is nested too deeply")) from reason
    except ValueError as reason:  # Python's limit; the message tells of Python's remedy alone
        raise ConfigurationError(Fault(name, "holds a number of too many digits")) from reason


def _fault(message: str, text: str, name: str) -> Fault:
    match = _POSITION.search(message)
    problem = message[: match.start()].strip() if match else message
    if match and match["line"]:
        where = f"{name}:{match['line']}:{match['column']}"
    else:
        where = f"{name}:{text.count(chr(10)) + 1}:{len(text) - text.rfind(chr(10))}"
    return Fault(where, f"not TOML: {problem[:1].lower()}{problem[1:]}")
