"""The command line: one group, one command a module, one way to say what is wrong."""

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from pyproxy.cli.version import version
from pyproxy.errors.fault import ConfigurationError

DONE = 0
FOUND_WRONG = 1
UNUSABLE = 2


# Each is `pyproxy.cli.NAME.NAME`.
COMMANDS = (
    "serve",
    "check",
    "explain",
    "keys",
    "jwks",
    "cert",
    "env",
    "schema",
    "health",
    "top",
    "bans",
    "version",
)


class Commands(click.Group):
    """Loads a command's module when the command is asked for.

    A container's health check runs every few seconds: it need not load what
    serving needs.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, the first ones first."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(getattr(import_module(f"pyproxy.cli.{cmd_name}"), cmd_name))
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that is none is compared with those of all of them."""
        if args[0] not in COMMANDS:
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not ctx.resilient_parsing:
        ctx.invoke(version)
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="To try it: 'pyproxy serve --dev' makes what it needs and prints a curl line.",
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the versions and exit.",
)
def commands() -> None:
    """An HTTPS gateway for LLM APIs: identity, limits, hidden credentials, untouched streams."""


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
    # To the gateway it means that logs are to be opened anew, and until one is open nothing.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
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
