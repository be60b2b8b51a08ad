"""What pydantic found, in words for the person who wrote the file."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import ValidationError

from pyproxy.config.auth import ALGORITHMS
from pyproxy.config.finding import Finding, Location
from pyproxy.config.outline import keys_at
from pyproxy.config.route import AuthMethod

_KEY_MARK: Final = "[key]"  # pydantic's sign that a table's key is meant, not its value
_QUOTED: Final = re.compile(r"'([^']*)'")
_TABLE: Final = "must be a table of keys and values"
_LIST: Final = "must be a list, as in [1, 2]"
_CREDENTIAL: Final = 'must be a table, as in { value = "${NAME}" }'
# Lists of what nobody keeps secret, and the texts of which one may be repeated: as it was
# written, for what is from the environment may be anything.
_OPEN_LISTS: Final = frozenset(
    {"deny_paths", "hosts", "methods", "models", "rate_limits", "routes", "users"}
)
_SHORT_TEXT: Final = re.compile(r"[A-Za-z0-9._*/:@-]{1,32}")
# What people call them.
_PROVIDERS: Final[Mapping[str, str]] = {
    "azure": "azure-openai",
    "chatgpt": "openai",
    "claude": "anthropic",
    "github": "copilot",
    "google": "gemini",
}
# Words that are never secret, and so may be repeated.
_WORDS: Final = frozenset({*get_args(AuthMethod), *ALGORITHMS})
_WHOLE: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_TRUTH: Final = "must be true or false"
_TEXT: Final = 'must be a text in quotes, as in "text"'

_SENTENCES: Final[Mapping[str, str]] = {
    "bool_parsing": _TRUTH,
    "bool_type": _TRUTH,
    "dict_type": _TABLE,
    "finite_number": "must be a number, not nan and not infinite",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "less_than_equal": "must be at most {le}",
    "missing": "is required",
    "model_type": _TABLE,
    "string_pattern_mismatch": "must be 1 to 64 letters, digits and any of . _ : -",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": _TEXT,
    "tuple_type": _LIST,
    "value_error": "{error}",
}
# Values are never repeated here: what stands in the wrong place may be a secret.


def findings_of(error: ValidationError) -> tuple[Finding, ...]:
    """Translate every error of a validation."""
    return tuple(
        Finding(_place(each["loc"]), _problem(each["type"], each["loc"], each.get("ctx", {}), each))
        for each in error.errors(include_url=False)
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which of the known words was probably meant, else which there are.

    Returns:
        The end of a sentence: ``; did you mean "x"?`` or ``; there are "a", "b"``; empty where
        nothing is known.
    """
    words = tuple(known)
    near = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; there are {quoted(words)}" if words else ""


def quoted(words: Iterable[str]) -> str:
    """Write words as a list in quotes."""
    return ", ".join(f'"{word}"' for word in words)


def _place(where: Location) -> Location:
    return where[:-1] if where[-1:] == (_KEY_MARK,) else where


def _problem(
    kind: str, where: Location, context: Mapping[str, Any], error: Mapping[str, Any]
) -> str:
    if kind == "extra_forbidden":
        return "unknown key" + _meant_key(where)
    if kind == "literal_error":
        return _choice(where, context["expected"], error["input"])
    if kind == "model_type" and where[-1] == "credential":
        return _CREDENTIAL
    if kind == "tuple_type":
        return _list(where, error["input"])
    # Of a kind that nobody thought of, at least its place is told.
    return _SENTENCES.get(kind, "is no value for this key").format_map(context)


def _meant_key(where: Location) -> str:
    key = str(where[-1])
    if where[-2:-1] == ("credential",) and key in {"env", "file"}:
        return f"; did you mean {{ value = {{ {key} = ... }} }}?"
    return did_you_mean(key, keys_at(where[:-1]))


def _choice(where: Location, expected: str, given: object) -> str:
    words = _QUOTED.findall(expected)
    folded = {word.lower(): word for word in words}
    if where[-1] == "provider":
        folded |= _PROVIDERS
    near = get_close_matches(given.lower(), folded, n=1) if isinstance(given, str) else []
    meant = f'; did you mean "{folded[near[0]]}"?' if near else ""
    return f"must be one of {quoted(words)}{meant}"


def _list(where: Location, given: object) -> str:
    if isinstance(given, dict) and len(where) == 1:
        return f"is a list of tables; write [[{where[0]}]], not [{where[0]}]"
    if not isinstance(given, str):
        return _LIST
    is_plain = type(given) is str and _SHORT_TEXT.fullmatch(given) is not None
    is_open = given in _WORDS or (is_plain and where[-1] in _OPEN_LISTS)
    return f'must be a list, as in ["{given if is_open else "text"}"]'
