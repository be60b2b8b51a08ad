"""``pyproxy serve``: run the gateway."""

import shlex
import sys
from pathlib import Path

import click

from pyproxy.cli.addresses import base_url
from pyproxy.cli.configuration import config_option, find, load_configuration
from pyproxy.cli.development import PLAIN_KEY, Development, prepare
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.sockets import listen
from pyproxy.runtime.worker import serve as run_gateway

QUESTION = '{"model": "demonstration", "messages": [{"role": "user", "content": "Hello"}]}'


@click.command()
@config_option
@click.option("--dev", is_flag=True, help="Make whatever is missing, down to the upstream.")
def serve(config_file: Path | None, dev: bool) -> int:
    """Run the gateway until SIGTERM or SIGINT; it drains, then ends."""
    if not dev:
        return run_gateway(load_configuration(config_file))
    try:
        development = prepare(find(config_file))
    except OSError as error:
        raise ConfigurationError(Fault(str(error.filename or "--dev"), str(error))) from error
    loaded = load_configuration(development.config)
    for listener in loaded.settings.listeners:
        # A port that is taken is said before the words that invite to use it.
        listen(listener.bind).close()
    for line in introduction(development, loaded):
        click.echo(line)
    sys.stdout.flush()
    try:
        return run_gateway(loaded)
    finally:
        if development.demonstration is not None:
            development.demonstration.stop()


def introduction(development: Development, loaded: Loaded) -> list[str]:
    """What a person reads when the gateway starts for development."""
    lines = [f"made {sentence}" for sentence in development.made]
    if development.demonstration is not None:
        port = development.demonstration.port
        lines.append(f"demonstration upstream on http://127.0.0.1:{port}")
    if development.key:
        lines += [f"the key is in {PLAIN_KEY}; 'pyproxy keys new NAME' makes others", ""]
        lines += ["Try it:", "", curl_line(development, loaded), ""]
    return lines


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
