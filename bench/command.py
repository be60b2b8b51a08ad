"""What the programs that start processes have in common: options, and how they end."""

import argparse
import shutil
import signal
import sys
from pathlib import Path

from bench.page import PAGE
from bench.stage import NotStarted

STOPPED = 130
"""The exit code of what Ctrl-C ended, as shells have it."""

_PACKAGES = {"wrk": "wrk", "taskset": "util-linux", "openssl": "openssl", "curl": "curl"}


def demand_programs() -> None:
    """See that what loads and measures is installed, and let SIGTERM unwind.

    Raises:
        NotStarted: Something is missing; says how to get it.
    """
    # An exception instead of death: the stage then ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    missing = [package for name, package in _PACKAGES.items() if shutil.which(name) is None]
    if missing:
        raise NotStarted(f"Missing; on Debian: apt-get install {' '.join(missing)}")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Let the user choose which pyproxy, how thoroughly, and where results go."""
    parser.add_argument(
        "--pyproxy",
        type=Path,
        default=Path(sys.prefix) / "bin" / "pyproxy",
        help="the pyproxy to measure (%(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="a first impression, no more")
    parser.add_argument(
        "--write", action="store_true", help="put tables and picture into the documentation"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write (%(default)s)")
