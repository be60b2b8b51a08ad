"""Writes the tables of docs/configuration.md from the settings themselves.

``python docs/building/reference.py`` says whether the page is as it should be (exit 1: it is
not); with ``--write`` it makes it so. What stands outside the marks is written by people.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_type_hints

from pydantic.fields import FieldInfo
from value_words import default_text, words_for
from variables import OF_COMMANDS, SAMPLES, dotted, of_providers, places

from pyproxy.config.auth import AuthSettings, BanSettings, JwtSettings
from pyproxy.config.egress import EgressSettings
from pyproxy.config.limit import LimitSettings
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.route import (
    CredentialSettings,
    HealthSettings,
    RouteSettings,
    TokenSettings,
    UpstreamTlsSettings,
)
from pyproxy.config.section import Section
from pyproxy.config.server import LogSettings, ServerSettings
from pyproxy.config.settings import MetricsSettings
from pyproxy.config.store import StoreSettings
from pyproxy.config.surface import CorsSettings, EndpointSettings, HeaderSettings
from pyproxy.config.traces import TracesSettings

PAGE: Final = Path(__file__).parents[1] / "configuration.md"

SECTIONS: Final[dict[str, type[Section]]] = {
    "server": ServerSettings,
    "server.log": LogSettings,
    "listeners": ListenerSettings,
    "auth": AuthSettings,
    "auth.jwt": JwtSettings,
    "auth.ban": BanSettings,
    "rate_limits.NAME": LimitSettings,
    "store": StoreSettings,
    "endpoints": EndpointSettings,
    "headers": HeaderSettings,
    "cors": CorsSettings,
    "egress": EgressSettings,
    "metrics": MetricsSettings,
    "traces": TracesSettings,
    "routes": RouteSettings,
    "routes.token": TokenSettings,
    "routes.credential": CredentialSettings,
    "routes.health": HealthSettings,
    "routes.tls": UpstreamTlsSettings,
}

_VARIABLES_AT_THE_END: Final = re.compile(r"[;.]?\s(?:[A-Z][A-Z_]{4,}(?:, |\.|$))+$")
_QUOTED: Final = re.compile(r'"[^"]*"')

_MARK: Final = re.compile(
    r"(<!-- made: (?P<what>[\w. ]+) -->\n).*?(\n<!-- end of made -->)", re.DOTALL
)


def written(text: str) -> str:
    """The page with its tables made anew."""
    return _MARK.sub(lambda found: f"{found[1]}\n{_part(found['what'])}{found[3]}", text)


def _part(what: str) -> str:
    match what:
        case "variables":
            return "\n".join(_variables())
        case "variables of providers":
            return "\n".join(_provider_variables())
        case _:
            return "\n".join(_table(what, SECTIONS[what]))


def _table(section: str, model: type[Section]) -> Iterator[str]:
    hints = get_type_hints(model, include_extras=True)
    schema = model.model_json_schema()["properties"]
    filling = _variables_by_key()
    yield "| key | takes | default | what it is |\n| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        key = f"{section}.{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            table = f"[table](#{_heading(key)})"
            yield f'| <a id="{key}"></a>`{name}` | {table} | | {_sentence(field)} |'
            continue
        takes = words_for(name, hints[name], schema[name])
        what = " ".join(filter(None, (_sentence(field), _stands_in(filling.get(key, [])))))
        yield f'| <a id="{key}"></a>`{name}` | {takes} | {_default(field)} | {what} |'
    yield ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return default_text(field.get_default(call_default_factory=True))


def _sentence(field: FieldInfo) -> str:
    """What a key's description says, without the variables, which are told in one form."""
    text = _VARIABLES_AT_THE_END.sub(".", field.description or "")
    text = _QUOTED.sub(lambda found: f"`{found[0]}`", text)
    return text.replace("docs/store.md", "[the shared store](store.md)")


def _heading(section: str) -> str:
    """The anchor of a section's heading."""
    return section.replace(".", "")


def _stands_in(names: list[str]) -> str:
    return "Variable: " + ", ".join(f"`{name}`" for name in names) + "." if names else ""


def _variables_by_key() -> dict[str, list[str]]:
    """Which variables fill a key, but for the providers'."""
    found: dict[str, list[str]] = {}
    for name, place in places().items():
        key = dotted(place)
        found.setdefault(_anchor(key), []).append(name)
    return found


def _anchor(key: str) -> str:
    """Where a key is explained: those of every limit in one table."""
    return re.sub(r"^rate_limits\.\w+", "rate_limits.NAME", key)


def _variables() -> Iterator[str]:
    yield "| variable | stands in for | form |\n| --- | --- | --- |"
    for name, place in places().items():
        key = dotted(place)
        yield f"| `{name}` | [`{key}`](#{_anchor(key)}) | {SAMPLES[name][1]} |"
    for name, form in OF_COMMANDS.items():
        yield f"| `{name}` | | {form} |"
    yield ""


def _provider_variables() -> Iterator[str]:
    yield "| variable | stands in for | of routes with `provider` |\n| --- | --- | --- |"
    for name, key, providers in of_providers():
        yield f"| `{name}` | [`{key}`](#{key}) | {providers} |"
    yield ""


def main(arguments: list[str]) -> int:
    """Compare or write."""
    before = PAGE.read_text(encoding="utf-8")
    after = written(before)
    if "--write" in arguments:
        PAGE.write_text(after, encoding="utf-8")
        return 0
    if after != before:
        sys.stderr.write(f"{PAGE.name} is not as its settings are; run this with --write\n")
    return int(after != before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
