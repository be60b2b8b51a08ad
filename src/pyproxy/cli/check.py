"""``pyproxy check``: what would be served, and what is wrong with it."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from pyproxy.assembly.egress import way_to
from pyproxy.assembly.origins import upstreams
from pyproxy.assembly.shared import reach_store
from pyproxy.cli.advice import advice
from pyproxy.cli.client_check import client_faults
from pyproxy.cli.configuration import load_configuration
from pyproxy.cli.missing_files import with_remedies
from pyproxy.cli.outline import outline
from pyproxy.cli.provider_keys import provider_keys
from pyproxy.cli.reach import Unreachable, reach
from pyproxy.cli.secret_files import unguarded
from pyproxy.cli.speech import Progress, bad, fault, good, warning
from pyproxy.config.load import Loaded
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.runtime.startup import prepare


def check(
    config_file: Path | None, *, connect: bool, strict: bool, url: str | None, timeout: float
) -> int:
    """Validate the configuration and print what would be served, secrets left out.

    With --connect, say too whether a provider's key is left in the environment that
    the gateway does not need. With --client, look from a client's side instead: its
    environment, and whether it reaches and trusts the gateway.
    """
    if url is not None:
        return _report(client_faults(url, os.environ, timeout), "client")
    loaded = load_configuration(config_file)
    warnings = _serveable(loaded)
    if connect:
        warnings += provider_keys(os.environ, loaded.settings)
    click.echo(f"configuration {loaded.path or 'from the environment'}")
    for line in outline(loaded.settings, time.time(), loaded.filled):
        click.echo(line)
    for each in warnings:
        warning(each)
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
    """Whatever is not reached; what is, is said at once."""
    progress = Progress()
    for index, route in enumerate(settings.routes):
        for origin in upstreams(route):
            progress.show(f"asking {route.name}: {origin}")
            way = way_to(origin, CATALOGUE[route.provider], settings.egress)
            try:
                answer = reach(origin, route.tls, timeout_s, f"routes[{index}].tls", way)
            except Unreachable as error:
                progress.clear()
                yield Fault(f"{route.name}: {origin}", str(error))
            else:
                progress.clear()
                good("reached", f"{route.name}: {origin}: {answer}")


def _connect(settings: Settings, timeout_s: float) -> int:
    code = _report(_unreached(settings, timeout_s), "upstreams")
    if settings.store.url.is_memory:
        return code
    name = settings.store.url.name
    progress = Progress()
    progress.show(f"asking store: {name}")
    problem = reach_store(settings.store, timeout_s)
    progress.clear()
    if not problem:
        good("reached", f"store: {name}")
    return _report([Fault(name, problem)] if problem else [], "store") or code


def _report(faults: Iterable[Fault], what: str) -> int:
    """Say each as it is found, and how many there are."""
    count = 0
    for each in faults:
        fault(each)
        count += 1
    if not count:
        good(f"{what}:", "fine")
        return 0
    bad(f"{what}:", f"{count} fault{'s' if count > 1 else ''}")
    return 1
