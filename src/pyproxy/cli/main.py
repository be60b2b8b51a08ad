"""The command line: one way to run a command, one way to say what is wrong."""

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import click

from pyproxy.cli.completion import PROGRAM, answer
from pyproxy.cli.manual.program import commands
from pyproxy.cli.speech import fault
from pyproxy.errors.fault import ConfigurationError

__all__ = ["commands", "main", "run"]

DONE: Final = 0
FOUND_WRONG: Final = 1
UNUSABLE: Final = 2
STOPPED: Final = 128 + signal.SIGINT
"""As shells have it for what Ctrl-C ended."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    A faulty configuration is printed one fault a line. Ctrl-C ends a command, but while the
    gateway serves it drains.

    Args:
        arguments: Instead of the process's own.

    Raises:
        SystemExit: Always: 0 done, 1 ran and found something wrong, 2 unusable
            arguments or configuration, 130 stopped by Ctrl-C.
    """
    # To the gateway it means that logs are to be opened anew, and until one is open nothing.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that no locale of ASCII could print
            stream.reconfigure(errors="backslashreplace")
    code = answer()
    sys.exit(run(arguments) if code is None else code)


def run(arguments: Sequence[str] | None) -> int:
    """Run one command; give its exit code."""
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except (click.ClickException, ConfigurationError) as error:
        return _unusable(error)
    except (click.Abort, KeyboardInterrupt) as stop:
        is_begun = isinstance(stop, KeyboardInterrupt)  # the line with the terminal's ^C
        if is_begun and sys.stderr is not None and sys.stderr.isatty():
            click.echo(err=True)
        fault("stopped")
        return STOPPED
    except OSError as error:
        return _failed(error)


def _run(arguments: list[str]) -> int:
    """Run it, until what it printed is with the reader."""
    try:
        with commands.make_context(PROGRAM, arguments) as context:
            code = commands.invoke(context)
    except click.exceptions.Exit as ending:
        code = ending.exit_code
    if sys.stdout is not None:
        sys.stdout.flush()
    return code if isinstance(code, int) else DONE


def _unusable(error: click.ClickException | ConfigurationError) -> int:
    match error:
        case ConfigurationError():
            for each in error.faults:
                fault(each)
        case click.exceptions.NoArgsIsHelpError():
            error.show()
        case click.UsageError():
            fault(" ".join(error.format_message().split()))
            where = error.ctx.command_path if error.ctx is not None else PROGRAM
            click.echo(f"'{where} -h' says what it takes", err=True)
        case _:
            fault(error.format_message())
    return UNUSABLE


def _failed(error: OSError) -> int:
    """What the system refused, or the end of a reader that has enough, which is no fault."""
    with suppress(OSError, ValueError, AttributeError):
        # Whatever is left to be written goes nowhere, instead of failing again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return DONE
    problem = (error.strerror or str(error)).lower()
    where = "standard output" if error.errno == errno.ENOSPC else ""
    name = error.filename or where
    fault(f"{name}: {problem}" if name else problem)
    return FOUND_WRONG
