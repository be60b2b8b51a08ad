"""The command line: one group, one command a module, one way to say what is wrong."""

import sys
from collections.abc import Sequence

import click

from pyproxy.cli.cert import cert
from pyproxy.cli.check import check
from pyproxy.cli.explain import explain
from pyproxy.cli.health import health
from pyproxy.cli.jwks import jwks
from pyproxy.cli.keys import keys
from pyproxy.cli.schema import schema
from pyproxy.cli.serve import serve
from pyproxy.cli.version import version
from pyproxy.errors.fault import ConfigurationError

DONE = 0
FOUND_WRONG = 1
UNUSABLE = 2


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="To try it: 'pyproxy serve --dev' makes what it needs and prints a curl line.",
)
def commands() -> None:
    """An HTTPS gateway for LLM APIs: identity, limits, hidden credentials, untouched streams."""


for command in (serve, check, explain, keys, jwks, cert, schema, health, version):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    A faulty configuration is printed one fault a line; Ctrl-C is quiet, except
    while the gateway serves, when it drains.

    Args:
        arguments: Instead of the process's own.

    Raises:
        SystemExit: Always: 0 done, 1 ran and found something wrong, 2 unusable
            arguments or configuration.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; give its exit code."""
    try:
        code = commands.main(arguments, prog_name="pyproxy", standalone_mode=False)
    except ConfigurationError as error:
        for fault in error.faults:
            click.echo(f"pyproxy: {fault}", err=True)
        return UNUSABLE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return FOUND_WRONG
    except BrokenPipeError:
        return _leave_broken_pipe()
    return code if isinstance(code, int) else DONE


def _leave_broken_pipe() -> int:
    """The reader of our output left, as ``head`` does: that is no fault of ours."""
    sys.stdout = None
    return DONE


if __name__ == "__main__":
    main()
