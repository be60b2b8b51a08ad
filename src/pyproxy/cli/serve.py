"""``pyproxy serve``: run the gateway."""

import os
from functools import partial
from pathlib import Path

from pyproxy.cli.configuration import load_configuration
from pyproxy.cli.missing_files import with_remedies
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.serving import serve as run_gateway
from pyproxy.runtime.signals import hold_reloads


def serve(config_file: Path | None, *, dev: bool) -> int:
    """Run the gateway until SIGTERM or SIGINT; it drains, then ends.

    SIGHUP takes a changed configuration, without a lost request; a faulty one
    changes nothing. SIGUSR1 opens log files anew that were moved away.
    """
    hold_reloads()
    inherited = Inherited.take(os.environ, os.getpid())
    run = partial(_run, inherited=inherited)
    if not dev:
        return run(load_configuration(config_file))
    # It brings aiohttp's server for the demonstration, 15 MB that serving needs not.
    from pyproxy.cli.serve_dev import serve_for_development  # noqa: PLC0415 - see above

    return serve_for_development(config_file, run, inherited)


def _run(loaded: Loaded, inherited: Inherited) -> int:
    """Run the gateway; of a file that is missing, say which key names it and what makes it."""
    try:
        return run_gateway(loaded, inherited)
    except ConfigurationError as error:
        raise with_remedies(error, loaded.settings) from error
