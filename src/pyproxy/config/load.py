"""The door to the configuration: files and environment in, settings out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from pyproxy.config.environment import Environment
from pyproxy.config.faults import findings_of
from pyproxy.config.files import MOST_OF_CONFIGURATION, MOST_OF_SECRET, read_file, read_text_file
from pyproxy.config.finding import Finding, Location
from pyproxy.config.interpolate import interpolate_tree
from pyproxy.config.listener import DEFAULT_LISTENERS
from pyproxy.config.provider_defaults import fill_provider_defaults
from pyproxy.config.remarks import remarks_on
from pyproxy.config.route import DEFAULT_ROUTES
from pyproxy.config.settings import Settings
from pyproxy.config.soundness import contradictions
from pyproxy.config.surroundings import Surroundings
from pyproxy.config.toml import parse_toml
from pyproxy.errors.fault import ConfigurationError, Fault

# Longer ones are cut off by no terminal, but help nobody who reads a fault.
_LONGEST_SHOWN_NAME: Final = 64
# Where seed A's verifier looked for its key set.
_KEY_SETS: Final = ("jwks.json", "/certs/jwks.json")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be served.

    Attributes:
        settings: What it says; every path in it is absolute.
        path: The file it is from, if any.
        watched: Files that were read into the settings, or would have been had they existed:
            when one changes, load again.
        remarks: What is allowed and unwise.
        filled: Places whose value came from the environment, and from which variable.
    """

    settings: Settings
    path: Path | None
    watched: tuple[Path, ...] = ()
    remarks: tuple[Fault, ...] = ()
    filled: Mapping[Location, str] = field(default_factory=dict)


class Doors:
    """Where the files of one configuration are found.

    Attributes:
        watched: Every file that was read, or looked for in vain.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.watched: dict[Path, None] = {}

    def resolve(self, path: str) -> str:
        """Make a path absolute; links stay links, so that a replaced one is noticed."""
        return str((self._folder / path).absolute())

    def read(self, path: str) -> str:
        """Give the text of a secret's file, without the newline at its end.

        Raises:
            ValueError: It cannot be read; the sentence names the file alone.
        """
        self.watched[Path(path)] = None
        try:
            return read_text_file(path, MOST_OF_SECRET).rstrip("\r\n")
        except ConfigurationError as error:
            [fault] = error.faults
            raise ValueError(f"the file {fault.path} {fault.problem}") from error

    def find(self, candidates: Sequence[str]) -> str | None:
        """Give the first file that exists; the ones before it are watched."""
        for candidate in map(self.resolve, candidates):
            if Path(candidate).is_file():
                return candidate
            self.watched[Path(candidate)] = None
        return None


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A configuration as it is written, filled in from the environment and not judged yet.

    Attributes:
        tree: Tables and values; defaults only of listeners, routes and the key set.
        has_routes: Whether the file itself says where requests go.
        findings: References to the environment that lead nowhere.
        environment: What was filled in from there, and what is wrong with it.
        doors: Where the file's paths begin.
        file: It, if there is one.
    """

    tree: dict[str, object]
    has_routes: bool
    findings: tuple[Finding, ...]
    environment: Environment
    doors: Doors
    file: Path | None


def unjudged(path: Path | None, environ: Mapping[str, str], base: Path) -> Unjudged:
    """Read a configuration as far as that can be done whatever its values are.

    Args:
        path: As for `load`.
        environ: Likewise.
        base: Likewise.

    Raises:
        ConfigurationError: The file cannot be read, or is no TOML.
    """
    file = None if path is None else base / path
    doors = Doors(base if file is None else file.parent)
    written, findings = interpolate_tree({} if file is None else _parse(file), environ)
    has_routes = "routes" in written
    environment = Environment(Surroundings(environ, Doors(base).resolve, doors.read))
    tree: dict[str, object] = {
        "listeners": [dict(listener) for listener in DEFAULT_LISTENERS],
        "routes": [dict(route) for route in DEFAULT_ROUTES],
    } | written
    environment.fill(tree)
    fill_provider_defaults(tree, environment, Surroundings(environ, doors.resolve, doors.read))
    _find_key_set(tree, doors)
    return Unjudged(tree, has_routes, findings, environment, doors, file)


def load(path: Path | None, environ: Mapping[str, str], base: Path) -> Loaded:
    """Read a configuration and find every fault in it.

    Args:
        path: The TOML file; without one the environment alone counts.
        environ: The environment.
        base: Folder that ``path`` and the paths of the environment are relative to; paths in
            the file are relative to the file's own folder.

    Raises:
        ConfigurationError: It cannot be served; with every fault found.
    """
    found = unjudged(path, environ, base)
    tree, doors, environment = found.tree, found.doors, found.environment
    around = Surroundings(environ, doors.resolve, doors.read)
    settings, broken = _validate(tree, around, found.findings)
    findings = (*broken, *contradictions(settings, {str(f.where[0]) for f in broken}))
    names = _route_names(tree)
    faults = [*environment.faults, *_faults(findings, environment, names)]
    if faults:
        raise ConfigurationError(*dict.fromkeys(faults))
    said = tuple(
        dict.fromkeys([*environment.remarks, *_faults(remarks_on(settings), environment, names)])
    )
    return Loaded(settings, found.file, tuple(doors.watched), said, environment.filled)


def _faults(
    findings: Iterable[Finding], environment: Environment, names: Mapping[str, str]
) -> Iterator[Fault]:
    """Findings for their reader: indexes of routes with the routes' names beside them."""
    for finding in findings:
        fault = finding.to_fault(environment.filled)
        name = names.get(fault.path.partition("]")[0], "")
        yield Fault(fault.path, f"{fault.problem} (route {name})") if name else fault


def _route_names(tree: Mapping[str, object]) -> dict[str, str]:
    """Names by the beginning of the routes' places, ``routes[2``; of those fit to be shown."""
    routes = tree["routes"]
    tables = enumerate(routes if isinstance(routes, list) else ())
    named = ((i, table.get("name")) for i, table in tables if isinstance(table, dict))
    return {
        f"routes[{i}": name
        for i, name in named
        if isinstance(name, str) and name.isprintable() and len(name) <= _LONGEST_SHOWN_NAME
    }


def _validate(
    tree: Mapping[str, object], around: Surroundings, found: Sequence[Finding]
) -> tuple[Settings, tuple[Finding, ...]]:
    """Make settings of a tree, or of those sections of it that are intact.

    A place that is known to be faulty is not reported again.
    """
    try:
        return Settings.model_validate(tree, context=around), tuple(found)
    except ValidationError as error:
        known = {finding.where for finding in found}
        findings = (*found, *(new for new in findings_of(error) if new.where not in known))
    sections = {finding.where[0] for finding in findings}
    intact = {name: section for name, section in tree.items() if name not in sections}
    return Settings.model_validate(intact, context=around), findings


def _find_key_set(tree: dict[str, object], doors: Doors) -> None:
    auth = tree.setdefault("auth", {})
    jwt = auth.setdefault("jwt", {}) if isinstance(auth, dict) else None
    if isinstance(jwt, dict) and "jwks_file" not in jwt and (path := doors.find(_KEY_SETS)):
        jwt["jwks_file"] = path


def _parse(file: Path) -> dict[str, object]:
    return parse_toml(read_file(file, MOST_OF_CONFIGURATION), str(file))
