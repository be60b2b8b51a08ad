"""``pyproxy env``: what a client exports to use the gateway."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from pyproxy.cli.approach import approach
from pyproxy.cli.client_variables import Group, groups_of
from pyproxy.cli.configuration import load_configuration
from pyproxy.cli.env_formats import HAVE_COMMENTS, WRITERS, remarks_of
from pyproxy.config.faults import did_you_mean
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.egress.literal import literal
from pyproxy.errors.fault import ConfigurationError, Fault

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def env(config_file: Path | None, names: tuple[str, ...], form: str, host: str, url: str) -> None:
    """Print what a client must export to use each route.

    Base URLs under the names that SDKs and command lines read, placeholders for
    keys, and the CA to trust. Where two routes want the same variable the first
    has it. No key is printed.
    """
    _check_host(host)
    settings = load_configuration(config_file).settings
    routes = _chosen(settings, names)
    if url:
        _check_one_listener(routes, settings)
    found = (
        group for each in routes for group in groups_of(each, approach(each, settings, url, host))
    )
    groups = list(settled(found))
    for line in WRITERS[form](groups):
        click.echo(line)
    if form not in HAVE_COMMENTS:
        for remark in remarks_of(groups):
            click.echo(remark, err=True)


def settled(groups: Iterable[Group]) -> Iterator[Group]:
    """The same groups; one that would set what another has set already is a remark instead."""
    taken: dict[str, tuple[str, str]] = {}
    for group in groups:
        lost = [
            each
            for each in group.variables
            if taken.get(each.name, ("", each.value))[1] != each.value
        ]
        if lost:
            owner = taken[lost[0].name][0]
            remark = f"{lost[0].name} is {owner}'s already; choose with --route {group.route}"
            yield Group(group.route, (), (), (remark,))
            continue
        fresh = tuple(each for each in group.variables if each.name not in taken)
        taken |= {each.name: (group.route, each.value) for each in fresh}
        unset = tuple(name for name in group.unset if name not in taken)
        if fresh:
            yield replace(group, variables=fresh, unset=unset)


def _chosen(settings: Settings, names: Sequence[str]) -> list[RouteSettings]:
    known = {route.name: route for route in settings.routes}
    faults = [
        Fault("--route", f'"{name}" is no route{did_you_mean(name, known)}')
        for name in dict.fromkeys(names)
        if name not in known
    ]
    if faults:
        raise ConfigurationError(*faults)
    return [known[name] for name in dict.fromkeys(names or known)]


def _check_host(host: str) -> None:
    is_v6 = not host.startswith("[") and literal(host) is not None
    if host and not is_v6 and _NAME.fullmatch(host) is None:
        problem = f"{host!r} is no name or address; with a port, or a scheme, it is a --url"
        raise ConfigurationError(Fault("--host", problem))


def _check_one_listener(routes: Sequence[RouteSettings], settings: Settings) -> None:
    """One URL leads to one listener: it cannot stand for two that share no route."""
    for listener in settings.listeners:
        if not listener.routes or all(route.name in listener.routes for route in routes):
            return
    problem = "no listener serves all of these routes; choose with --route, or give --host"
    raise ConfigurationError(Fault("--url", problem))
