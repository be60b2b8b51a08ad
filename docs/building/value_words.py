"""What may stand behind a key of the configuration, in words, found in the settings' own types."""

import json
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pyproxy.config import fields
from pyproxy.config.auth import Algorithm
from pyproxy.config.bind import BindText, OptionalBindText
from pyproxy.config.egress import HostSetting, SparedSetting
from pyproxy.config.limit import Subjects
from pyproxy.config.log_target import LogTarget
from pyproxy.config.network import NetworkSetting, TrustedNetwork
from pyproxy.config.origin import Origins
from pyproxy.config.proxy import ProxySetting
from pyproxy.config.quantities import (
    Bytes,
    OptionalBytes,
    OptionalSeconds,
    PositiveSeconds,
    RateSetting,
    Seconds,
)
from pyproxy.config.secret import Secret
from pyproxy.config.section import Section
from pyproxy.config.server import Workers
from pyproxy.config.store_address import StoreUrl

_NAMED: Final[tuple[tuple[Any, str], ...]] = (
    (fields.HeaderName, "header name"),
    (fields.OptionalHeaderName, 'header name, or `""`'),
    (fields.HeaderValue, 'header value, or `""`'),
    (fields.HostName, "host name, or `*.` and one"),
    (fields.UrlPath, "path"),
    (fields.OptionalUrlPath, 'path, or `""`'),
    (fields.HttpsUrl, 'https URL, or `""`'),
    (fields.CorsOrigin, "origin, or `*`"),
    (fields.Pin, "base64 of a SHA-256"),
    (fields.FilePath, 'path of a file, or `""`'),
    (fields.Line, "text"),
    (fields.Name, "text, 1 to 256 characters"),
    (Algorithm, "algorithm, as in the default"),
    (BindText, "`ADDRESS:PORT`, `[IPV6]:PORT` or `unix:PATH`"),
    (OptionalBindText, '`ADDRESS:PORT`, `[IPV6]:PORT`, `unix:PATH`, or `""`'),
    (HostSetting, "host, or `*.` and a domain"),
    (SparedSetting, "host, domain, address or network, or `*`"),
    (Subjects, "`ip`, `user`, `route`, or a list of them"),
    (LogTarget, "where lines go"),
    (NetworkSetting, "network or address"),
    (TrustedNetwork, "network or address, not all there are"),
    (Origins, "URL, or a list of them"),
    (ProxySetting, "URL, a secret"),
    (Seconds, "duration"),
    (PositiveSeconds, "duration, not zero"),
    (OptionalSeconds, 'duration, or `""`'),
    (Bytes, "size"),
    (OptionalBytes, 'size, or `""`'),
    (RateSetting, "rate"),
    (Secret, "[secret](#secrets)"),
    (Workers, "1 to 1024, or `auto`"),
    (StoreUrl, "URL, a secret"),
    (bool, "`true` or `false`"),
    (float, "number"),
    (str, "text"),
)


_TOKENS: Final = {"methods": "list; each a method, such as `GET`"}
"""Keys whose type is that of others: methods and header names are spelt alike."""


def words_for(key: str, hint: object, schema: Mapping[str, Any]) -> str:
    """What a key takes.

    Args:
        key: Its name.
        hint: Its type, with what is annotated.
        schema: Its part of the JSON Schema, which has the bounds of numbers.

    Raises:
        LookupError: A type that has no words here yet.
    """
    if key in _TOKENS:
        return _TOKENS[key]
    named = next((words for known, words in _NAMED if known == hint), None)
    if named is not None:
        return named
    if "minimum" in schema:
        return _bounded(schema)
    if "pattern" in schema:
        return _shaped(schema)
    if get_origin(hint) is Annotated:
        return words_for(key, get_args(hint)[0], schema)
    return _composed(hint)


def _composed(hint: object) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in parts)
    if origin is tuple:
        return "list; each: " + words_for("", parts[0], {})
    if origin is dict:
        key, value = (words_for("", part, {}) for part in parts)
        return f"table: {key} to {value}"
    if origin in {Union, UnionType}:
        (only,) = [part for part in parts if part is not NoneType]
        return words_for("", only, {})
    raise LookupError(f"no words for {hint}")


def _bounded(schema: Mapping[str, Any]) -> str:
    kind = "whole number" if schema["type"] == "integer" else "number"
    least, most = schema["minimum"], schema.get("maximum")
    if most is None:
        return kind if least == 0 else f"{kind}, {least} or more"
    return f"{kind}, {least:g} to {most:,g}" if kind == "number" else f"{kind}, {least} to {most:,}"


def _shaped(schema: Mapping[str, Any]) -> str:
    return f"text that matches `{schema['pattern']}`"


def default_text(value: object) -> str:
    """A default as it would stand in the file; empty where there is nothing to write."""
    if isinstance(value, Section | NoneType):
        return ""
    if isinstance(value, tuple):
        return f"`{json.dumps(list(value))}`"
    return f"`{json.dumps(value)}`"
