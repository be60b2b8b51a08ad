"""``pyproxy check``: what would be served, and what is wrong with it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from pyproxy.assembly.egress import way_to
from pyproxy.assembly.origins import upstreams
from pyproxy.assembly.shared import reach_store
from pyproxy.cli.advice import advice
from pyproxy.cli.client_check import client_faults
from pyproxy.cli.configuration import config_option, load_configuration
from pyproxy.cli.missing_files import with_remedies
from pyproxy.cli.outline import outline
from pyproxy.cli.provider_keys import provider_keys
from pyproxy.cli.reach import Unreachable, reach
from pyproxy.cli.secret_files import unguarded
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.runtime.startup import prepare

_LONGEST_S: Final = 3600.0


def _seconds(_: click.Context, __: click.Parameter, value: float) -> float:
    if not 0.0 < value <= _LONGEST_S:  # as what is no number would not be
        raise click.BadParameter(f"must be more than 0 and at most {_LONGEST_S:g}")
    return value


@click.command(short_help="Print what would be served, and what is wrong with it.")
@config_option
@click.option(
    "--connect", is_flag=True, help="Reach each upstream, and the store, too; exit 1 if one is not."
)
@click.option("--strict", is_flag=True, help="Exit 1 if there is a warning.")
@click.option("--client", "url", metavar="URL", help="Check a client's side of this gateway.")
@click.option(
    "--timeout",
    metavar="S",
    default=5.0,
    show_default=True,
    callback=_seconds,
    help="Give each step S seconds.",
)
def check(
    config_file: Path | None, connect: bool, strict: bool, url: str | None, timeout: float
) -> int:
    """Validate the configuration and print what would be served, secrets left out.

    With --connect, say too whether a provider's key is left in the environment that
    the gateway does not need. With --client, look from a client's side instead: its
    environment, and whether it reaches and trusts the gateway.
    """
    if url is not None:
        return _report(list(client_faults(url, os.environ, timeout)), "client")
    loaded = load_configuration(config_file)
    warnings = _serveable(loaded)
    if connect:
        warnings += provider_keys(os.environ, loaded.settings)
    click.echo(f"configuration {loaded.path or 'from the environment'}")
    for line in outline(loaded.settings, time.time(), loaded.filled):
        click.echo(line)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    code = _connect(loaded.settings, timeout) if connect else 0
    return 1 if code or (strict and warnings) else 0


def _serveable(loaded: Loaded) -> list[Fault]:
    """The warnings, if ``serve`` would start.

    Raises:
        ConfigurationError: It would refuse, with the same faults.
    """
    try:
        prepared = prepare(loaded, time.time())
        found = (*prepared.remarks, *advice(loaded.settings), *unguarded(loaded, Path.cwd()))
        return list(dict.fromkeys(found))
    except ConfigurationError as error:
        raise with_remedies(error, loaded.settings) from error


def _unreached(settings: Settings, timeout_s: float) -> Iterator[Fault]:
    for index, route in enumerate(settings.routes):
        for origin in upstreams(route):
            way = way_to(origin, CATALOGUE[route.provider], settings.egress)
            try:
                answer = reach(origin, route.tls, timeout_s, f"routes[{index}].tls", way)
            except Unreachable as error:
                yield Fault(f"{route.name}: {origin}", str(error))
            else:
                click.echo(f"reached {route.name}: {origin}: {answer}")


def _connect(settings: Settings, timeout_s: float) -> int:
    code = _report(list(_unreached(settings, timeout_s)), "upstreams")
    if settings.store.url.is_memory:
        return code
    problem = reach_store(settings.store, timeout_s)
    name = settings.store.url.name
    if not problem:
        click.echo(f"reached store: {name}")
    return _report([Fault(name, problem)] if problem else [], "store") or code


def _report(faults: list[Fault], what: str) -> int:
    for fault in faults:
        click.echo(f"pyproxy: {fault}", err=True)
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    click.echo(f"{what}: {count if faults else 'fine'}")
    return 1 if faults else 0
