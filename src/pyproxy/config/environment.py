"""Settings from environment variables, for the keys that the file leaves out."""

import re
from collections.abc import Mapping
from typing import Final

from pyproxy.config.finding import Location
from pyproxy.config.secret import Secret
from pyproxy.config.surroundings import Surroundings
from pyproxy.config.traces import is_collector
from pyproxy.egress.spared import entries_in
from pyproxy.errors.fault import Fault

Tree = dict[str, object]

_TEXTS: Final[Mapping[str, Location]] = {
    "JWKS_URL": ("auth", "jwt", "jwks_url"),
    "JWT_AUDIENCE": ("auth", "jwt", "audience"),
    "JWT_ISSUER": ("auth", "jwt", "issuer"),
    "OTEL_SERVICE_NAME": ("traces", "service_name"),
    "RATE_LIMIT_API": ("rate_limits", "api", "rate"),
    "RATE_LIMIT_API_BURST": ("rate_limits", "api", "burst"),
    "RATE_LIMIT_AUTH": ("rate_limits", "auth", "rate"),
    "RATE_LIMIT_AUTH_BURST": ("rate_limits", "auth", "burst"),
}
_SECONDS: Final[Mapping[str, Location]] = {
    "JWKS_TTL": ("auth", "jwt", "jwks_ttl"),
    "JWT_TTL": ("auth", "jwt", "ttl"),
}
# Both name a file by themselves: what is in it is read by those who need it.
_PATHS: Final[Mapping[str, Location]] = {
    "API_KEYS_FILE": ("auth", "keys_file"),
    "JWT_SIGNING_KEYS": ("auth", "jwt", "signing_keys_file"),
    "JWT_SIGNING_KEYS_FILE": ("auth", "jwt", "signing_keys_file"),
}
# Both spellings are in use; the lower one comes first, as with curl. A proxy that is named for
# HTTP alone is taken too: sidecars that know one proxy set either.
_PROXY: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
_NO_PROXY: Final = ("no_proxy", "NO_PROXY")
# Where spans go, and the base of all signals, to which a path is added (OTLP exporter
# specification). The first one wins.
_OTLP: Final[Mapping[str, str]] = {
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "/v1/traces",
}
_PLAIN_NUMBER: Final = re.compile(r"[0-9]+", re.ASCII)


class Environment:
    """Fills a parsed configuration from the environment.

    Attributes:
        filled: Places that got their value here, and from which variable, so that a fault
            names what the reader has to change.
        faults: Variables that cannot be used.
        remarks: Variables without effect.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.filled: dict[Location, str] = {}
        self.faults: list[Fault] = []
        self.remarks: list[Fault] = []

    def fill(self, tree: Tree) -> None:
        """Put in whatever the variables say and the tree leaves out; the tree is changed."""
        for name, place in _TEXTS.items():
            if text := self.text(name):
                self._put(tree, place, text, name)
        for name, place in _SECONDS.items():
            if text := self.text(name):
                self._put(tree, place, _with_unit(text), name)
        for name, place in _PATHS.items():
            if path := self._around.environ.get(name):
                self._put(tree, place, self._around.resolve(path), name)
        if path := self.text("JWKS_PATH"):
            self._put(tree, ("auth", "jwt", "jwks_file"), self._around.resolve(path), "JWKS_PATH")
        self._fill_admin(tree)
        self._fill_keys(tree)
        self._fill_routes(tree)
        self._fill_egress(tree)
        self._fill_store(tree)
        self._fill_traces(tree)

    def _fill_admin(self, tree: Tree) -> None:
        if token := self.key("ADMIN_TOKEN"):
            self._put(tree, ("server", "admin_token"), token, "ADMIN_TOKEN")

    def _fill_keys(self, tree: Tree) -> None:
        single, several = self._secret("API_KEY"), self._around.environ.get("API_KEYS")
        texts = [text.strip() for text in several.split(",")] if several is not None else []
        listed = [self._checked("API_KEYS", text, "env API_KEYS") for text in texts]
        found = [("API_KEY", single), *(("API_KEYS", key) for key in listed)]
        keys = [(name, key) for name, key in found if key]
        if keys and self._put(tree, ("auth", "keys"), [key for _, key in keys], keys[0][0]):
            self.filled |= {("auth", "keys", i): name for i, (name, _) in enumerate(keys)}

    def _fill_store(self, tree: Tree) -> None:
        if url := self.key("REDIS_URL"):
            self._put(tree, ("store", "url"), url, "REDIS_URL")

    def _fill_routes(self, tree: Tree) -> None:
        routes = tree.get("routes")
        tables = [
            (i, route)
            for i, route in enumerate(routes if isinstance(routes, list) else ())
            if isinstance(route, dict)
        ]
        networks = [part.strip() for part in self.text("ALLOWED_CIDR").split(",") if part.strip()]
        for i, route in tables:
            if networks and _put(route, ("allow_from",), list(networks)):
                self.filled["routes", i, "allow_from"] = "ALLOWED_CIDR"
        guarded = [(i, route) for i, route in tables if _wants_secret(route)]
        secret = self._secret("PROXY_SECRET") if guarded else None
        for i, route in guarded:
            if secret and _put(route, ("token", "secret"), secret):
                self.filled["routes", i, "token", "secret"] = "PROXY_SECRET"

    def _fill_egress(self, tree: Tree) -> None:
        for name in _PROXY:
            if proxy := self.key(name):
                self._put(tree, ("egress", "proxy"), proxy, name)
        egress = tree.get("egress")
        if not isinstance(egress, dict) or not egress.get("proxy"):
            return  # what is said to other programs need not be understood without a reason
        for name in _NO_PROXY:
            if entries := entries_in(self.text(name)):
                self._put(tree, ("egress", "no_proxy"), list(entries), name)

    def _fill_traces(self, tree: Tree) -> None:
        for name, path in _OTLP.items():
            if not (url := self.text(name)):
                continue
            if is_collector(url):
                self._put(
                    tree, ("traces", "endpoint"), url.rstrip("/") + path if path else url, name
                )
            else:
                # Set for every program of the machine: no reason not to serve.
                self.remarks.append(Fault(name, "has no effect: it is no http or https URL"))

    def text(self, name: str) -> str:
        """Give a variable's value, or that of the file it names; empty where there is none."""
        value, path = self._around.environ.get(name), self._around.environ.get(f"{name}_FILE")
        if path and value:
            self.faults.append(Fault(name, f"is set, and {name}_FILE too; set one of them"))
        elif path:
            return self._read(f"{name}_FILE", path)
        return value or ""

    def key(self, name: str) -> Secret | None:
        """Give a key, from a variable or the file it names; ``None`` if there is none.

        An empty variable is none: who passes on variables of others sets it unseen.
        """
        text, path = self.text(name), self._around.environ.get(f"{name}_FILE")
        origin = f"file {self._around.resolve(path)}" if path else f"env {name}"
        return Secret(text, origin) if text else None

    def _secret(self, name: str) -> Secret | None:
        """As ``key``, but an empty variable is a fault."""
        environ = self._around.environ
        if environ.get(name) == "" and not environ.get(f"{name}_FILE"):
            return self._checked(name, "", "")
        return self.key(name)

    def _checked(self, name: str, text: str, origin: str) -> Secret | None:
        if text:
            return Secret(text, origin)
        self.faults.append(Fault(name, "has an empty key; set a key, or leave the variable out"))
        return None

    def _read(self, name: str, path: str) -> str:
        try:
            text = self._around.read(self._around.resolve(path))
        except ValueError as reason:
            self.faults.append(Fault(name, str(reason)))
            return ""
        if not text:
            self.faults.append(Fault(name, f"the file {path} is empty"))
        return text

    def _put(self, tree: Tree, place: Location, value: object, name: str) -> bool:
        if is_put := _put(tree, place, value):
            self.filled[place] = name
        return is_put


def _put(tree: Tree, place: Location, value: object) -> bool:
    """Set a value that is left out; a table that is no table is for others to report."""
    table: object = tree
    for part in place[:-1]:
        table = table.setdefault(str(part), {}) if isinstance(table, dict) else None
    key = str(place[-1])
    if not isinstance(table, dict) or key in table:
        return False
    table[key] = value
    return True


def _wants_secret(route: Tree) -> bool:
    methods, token = route.get("auth"), route.get("token", {})
    wants = isinstance(methods, list) and "token" in methods
    return wants and isinstance(token, dict) and "secret" not in token


def _with_unit(text: str) -> str:
    return f"{text}s" if _PLAIN_NUMBER.fullmatch(text) else text
