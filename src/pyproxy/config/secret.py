"""A text that must never be seen."""

import hmac
from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from pyproxy.config.interpolate import Expanded
from pyproxy.config.surroundings import Surroundings, surroundings

LITERAL: Final = "literal"
HIDDEN: Final = "***"
_FILE: Final = "file "
_FORMS: Final = 'a string, { file = "/run/secrets/name" } or { env = "NAME" }'


class Secret:
    """A key, token or password, and where it came from.

    It prints as stars wherever it goes: ``repr``, ``str``, formatting, JSON.
    Comparison takes the same time wherever two secrets differ.

    Attributes:
        origin: ``literal``, ``env NAME`` or ``file PATH``; safe to show.
    """

    __slots__ = ("_text", "origin")

    def __init__(self, text: str, origin: str = LITERAL) -> None:
        if not text:
            raise ValueError("is empty; a secret must have at least one character")
        self._text = text
        self.origin = origin

    @classmethod
    def parse(cls, value: object, around: Surroundings) -> Self:
        """Read a secret as the configuration gives it.

        Args:
            value: A string, ``{"file": PATH}`` or ``{"env": NAME}``.
            around: Where files and environment are found.

        Raises:
            ValueError: Any other form, an unset name, a file that cannot be read, nothing in it.
                The sentence never holds the secret.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, Expanded):
            return cls(str(value), "env " + ", ".join(value.names))
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and len(value) == 1:
            ((form, name),) = value.items()
            if form in {"file", "env"} and isinstance(name, str) and name:
                return cls._fetch(form, name, around)
        raise ValueError(f"must be {_FORMS}")

    @classmethod
    def _fetch(cls, form: str, name: str, around: Surroundings) -> Self:
        if form == "env":
            if name not in around.environ:
                raise ValueError(f"the environment variable {name} is not set")
            return cls(around.environ[name], f"env {name}")
        path = around.resolve(name)
        text = around.read(path)
        if not text:
            raise ValueError(f"the file {path} is empty")
        return cls(text, f"{_FILE}{path}")

    @property
    def file(self) -> str:
        """The path of the file that it was read from; ``""`` if it was not."""
        return self.origin.removeprefix(_FILE) if self.origin.startswith(_FILE) else ""

    def reveal(self) -> str:
        """Give the text itself; for the one place that uses it, never for a message."""
        return self._text

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not tell where they differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        """Show the origin alone."""
        return f"Secret({HIDDEN!r}, {self.origin!r})"

    def __str__(self) -> str:
        """Show nothing."""
        return HIDDEN

    @classmethod
    def _validate(cls, value: object, info: ValidationInfo) -> Self:
        return cls.parse(value, surroundings(info))

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Tell pydantic how to read and how to hide it."""
        del source, handler
        return core_schema.with_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors which forms there are."""
        del schema, handler
        return {"anyOf": [{"type": "string", "minLength": 1}, *references()]}


def references() -> list[dict[str, Any]]:
    """The schema of the forms that say where a secret is, instead of the secret."""
    return [
        {
            "type": "object",
            "properties": {form: {"type": "string", "minLength": 1}},
            "required": [form],
            "additionalProperties": False,
        }
        for form in ("file", "env")
    ]
