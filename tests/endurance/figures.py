"""What the gateway withstands, in figures.

    python -m tests.endurance.figures [--small] [bulk streams idle ... guessing]

Each row has a figure, its bound and how it was got. Exits with 1 if a bound is missed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.endurance import (
    addresses,
    amplification,
    bulk,
    crowds,
    guessing,
    jwks,
    leaving,
    slow,
    turns,
)
from tests.endurance.stage import Folder, raise_file_limit

SECTIONS = {
    "bulk": bulk.measure,
    "streams": crowds.measure_streams,
    "idle": crowds.measure_idle,
    "amplification": amplification.measure,
    "slow": slow.measure,
    "leaving": leaving.measure,
    "turns": turns.measure,
    "guessing": guessing.measure,
    "jwks": jwks.measure,
    "addresses": addresses.measure,
}


def main():
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []])
    parser.add_argument("--small", action="store_true", help="a tenth of the size")
    options = parser.parse_args()
    raise_file_limit()
    are_kept = True
    for name in options.sections or SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            for figure in SECTIONS[name](Folder(Path(folder)), 10 if options.small else 1):
                are_kept &= figure.is_kept
                print(f"{name:13} {figure}", flush=True)  # noqa: T201 - what a program is for
    return 0 if are_kept else 1


if __name__ == "__main__":
    sys.exit(main())
