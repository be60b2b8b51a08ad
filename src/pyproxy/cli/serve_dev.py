"""``pyproxy serve --dev``: make what is missing, say how to try it, and run the gateway."""

import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from pyproxy.assembly.origins import upstreams
from pyproxy.cli.addresses import base_url, reachable
from pyproxy.cli.configuration import find, load_configuration
from pyproxy.cli.development import BIND, PLAIN_KEY, Development, prepare
from pyproxy.config.bind import Bind
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.sockets import listen

NAME = "pyproxy"
QUESTION = '{"model": "demonstration", "messages": [{"role": "user", "content": "Hello"}]}'


def serve_for_development(
    config_file: Path | None, run: Callable[[Loaded], int], inherited: Inherited
) -> int:
    """Prepare, and call ``run``; its exit code is returned.

    Raises:
        ConfigurationError: Something cannot be made, or a port is taken.
    """
    config = find(config_file)
    if config is None:
        # Before anything is written: who runs already keeps the files it told of.
        inherited.listen(BIND).close()
    try:
        development = prepare(config)
    except OSError as error:
        raise ConfigurationError(Fault(str(error.filename or "--dev"), str(error))) from error
    loaded = load_configuration(development.config)
    for listener in loaded.settings.listeners:
        # A port that is taken is said before the words that invite to use it.
        inherited.listen(listener.bind).close()
    for line in introduction(development, loaded, status_page(loaded.settings.server.admin)):
        click.echo(line)
    sys.stdout.flush()
    try:
        return run(loaded)
    finally:
        if development.demonstration is not None:
            development.demonstration.stop()


def introduction(development: Development, loaded: Loaded, page: str = "") -> list[str]:
    """What a person reads when the gateway starts for development.

    Args:
        development: What was prepared.
        loaded: The configuration in force.
        page: The status page's URL; empty: there is none to open.
    """
    lines = [f"configuration {development.config}"]
    lines += [f"made {sentence}" for sentence in development.made]
    is_ours = development.demonstration is not None
    if development.demonstration is not None:
        port = development.demonstration.port
        lines.append(f"demonstration upstream on http://127.0.0.1:{port}")
    else:
        route = loaded.settings.routes[0]
        where = ", ".join(map(str, upstreams(route)))
        lines.append(f"no demonstration upstream: route {route.name} leads to {where}")
    if development.key:
        more = f"{program()} keys new NAME {development.keys_option}"
        lines += [f"the key is in {PLAIN_KEY}; '{more}' makes others", ""]
        lines += ["Try it:" if is_ours else "Try it, once that upstream runs (502 until then):", ""]
        lines += [curl_line(development, loaded), ""]
    if page:
        lines += [f"What it is doing: {page}", ""]
    return lines


def status_page(admin: str) -> str:
    """The URL of the status page that will be there; empty if none will, or by no known URL.

    Args:
        admin: ``server.admin``.
    """
    address = Bind.parse(admin) if admin else None
    if address is None or not address.port:
        return ""
    try:
        # Where it is taken the gateway starts all the same, without an admin listener.
        listen(admin).close()
    except ConfigurationError:
        return ""
    host = reachable(address).host
    return f"http://[{host}]:{address.port}/" if ":" in host else f"http://{host}:{address.port}/"


def program() -> str:
    """How this program is called in a shell here."""
    path = Path(sys.argv[0])
    if path.name != NAME or shutil.which(NAME) == str(path):
        return NAME
    return shlex.quote(str(path))


def curl_line(development: Development, loaded: Loaded) -> str:
    """A chat request that works, for a shell."""
    words = ["curl"]
    if development.ca is not None:
        words += ["--cacert", str(development.ca)]
    route = loaded.settings.routes[0]
    url = base_url(loaded.settings.listeners[0]) + route.path.rstrip("/") + "/v1/chat/completions"
    words += [url, "-H"]
    tail = f'"Authorization: Bearer {development.key}" -d {shlex.quote(QUESTION)}'
    return f"{shlex.join(words)} {tail}"
