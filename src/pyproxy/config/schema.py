"""The configuration's JSON Schema, for editors."""

from typing import Any, Final

from pyproxy.config.settings import Settings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Describe every key, its type, its default and its meaning (JSON Schema 2020-12)."""
    return {"$schema": DIALECT, **Settings.model_json_schema(), "title": "pyproxy configuration"}
