"""The environment variables of the gateway, and which key each of them stands in for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pyproxy.config.environment import Environment
from pyproxy.config.finding import Location
from pyproxy.config.surroundings import Surroundings
from pyproxy.providers.catalogue import CATALOGUE

SAMPLES: Final[dict[str, tuple[str, str]]] = {
    "API_KEY": ("a-key-of-somebodys-own", "one key"),
    "API_KEYS": ("a-key-of-somebodys-own", "several, with commas between"),
    "API_KEYS_FILE": ("keys.txt", "path of the [keys file](#the-keys-file)"),
    "JWKS_URL": ("https://issuer.example/keys", ""),
    "JWKS_PATH": ("keys.json", "path"),
    "JWKS_TTL": ("300", "seconds"),
    "JWT_ISSUER": ("us", ""),
    "JWT_AUDIENCE": ("them", ""),
    "JWT_TTL": ("3600", "seconds"),
    "JWT_SIGNING_KEYS": ("keys.json", "path; `JWT_SIGNING_KEYS_FILE` means the same"),
    "RATE_LIMIT_API": ("10r/s", "rate"),
    "RATE_LIMIT_API_BURST": ("20", "whole number"),
    "RATE_LIMIT_AUTH": ("5r/m", "rate"),
    "RATE_LIMIT_AUTH_BURST": ("10", "whole number"),
    "ALLOWED_CIDR": ("10.0.0.0/8", "networks with commas between; for every route"),
    "PROXY_SECRET": ("a-secret-of-ours", 'for every route with `auth = ["token"]`'),
    "HTTPS_PROXY": ("http://proxy:3128", "in small letters too, which win"),
    "HTTP_PROXY": ("http://proxy:3128", "likewise, and only if there is no `HTTPS_PROXY`"),
    "NO_PROXY": ("example.com", "with commas between; in small letters too, which win"),
    "REDIS_URL": ("redis://127.0.0.1", ""),
    "ADMIN_TOKEN": ("a-token-of-ours", "`pyproxy top` and `bans` show it too"),
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ("http://127.0.0.1:4318/v1/traces", "URL"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("http://127.0.0.1:4318", "URL; `/v1/traces` is added"),
    "OTEL_SERVICE_NAME": ("pyproxy", ""),
}
"""A value that each takes, and a word on its form."""

OF_COMMANDS: Final[dict[str, str]] = {
    "PYPROXY_CONFIG": "the configuration's path, as `--config`",
    "NO_COLOR": "no colours in the terminal, whatever it says",
    "FORCE_COLOR": "colours without a terminal too; `CLICOLOR_FORCE` means the same",
}
"""Read by the commands themselves; they stand in for no key."""


def places() -> dict[str, Location]:
    """Which key each variable fills, found out by filling a configuration from it."""
    return {name: _place(name, value) for name, (value, _) in SAMPLES.items()}


def _place(name: str, value: str) -> Location:
    tree: dict[str, object] = {"routes": [{"auth": ["token"]}]}
    if name == "NO_PROXY":
        tree["egress"] = {"proxy": "http://proxy:3128"}
    environment = Environment(Surroundings({name: value}, str, Path(name).read_text))
    environment.fill(tree)
    keys = [place for place in environment.filled if not isinstance(place[-1], int)]
    return next(iter(keys))


def dotted(place: Location) -> str:
    """A place as the page's anchors name it: ``routes.allow_from``."""
    return ".".join(part for part in place if isinstance(part, str))


def of_providers() -> Iterator[tuple[str, str, str]]:
    """Variable, the key it fills, and for which provider."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, preset in CATALOGUE.items():
        credential = preset.credential.variables if preset.credential else ()
        for variable in credential:
            found.setdefault((variable, "routes.credential"), []).append(f"`{name}`")
        derived = preset.derived_from[0] if preset.derived_from else ""
        for variable in filter(None, (preset.target_variable, derived)):
            found.setdefault((variable, "routes.upstream"), []).append(f"`{name}`")
    for (variable, key), names in found.items():
        yield variable, key, ", ".join(names)
