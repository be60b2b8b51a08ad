"""What a request costs when there is much of everything.

    python -m bench.growth                          all of it
    python -m bench.growth --quick --only keys workers
    python -m bench.growth --write                  table and picture into docs/performance.md

connections and workers measure a gateway that serves; all others measure Python's share of a
request, without sockets and TLS. Where anything failed, nothing is written and the exit code is 1.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType
from typing import Final

from bench import page
from bench.command import STOPPED, add_common, demand_programs
from bench.conditions import Conditions
from bench.contenders.contender import Missing
from bench.growths import injection, python_share, served
from bench.growths.effort import Effort
from bench.lines import draw_growth
from bench.load import Failed
from bench.series import Series, table
from bench.stage import NotStarted

_GROWTHS: Final[Mapping[str, Callable[[Effort], list[Series]]]] = MappingProxyType(
    {
        "keys": python_share.keys,
        "routes": python_share.routes,
        "addresses": python_share.addresses,
        "injection": injection.credential,
        "provider": injection.provider,
        "connections": served.connections,
        "workers": served.workers,
    }
)
_PART = "growth"  # of the page
_TITLE = "What a request costs when there is much of everything"
_TURNS, _QUICK_TURNS = 4, 1
_SECONDS, _QUICK_SECONDS = 3, 1


def main() -> int:
    """Measure, print, and write where that was asked for."""
    options = _options()
    conditions = Conditions.at_present("bench.growth", sys.argv[1:])
    effort = Effort(
        _QUICK_TURNS if options.quick else _TURNS,
        _QUICK_SECONDS if options.quick else _SECONDS,
        options.pyproxy,
    )
    try:
        demand_programs()
        if options.write:
            page.demand_place(options.page, _PART)
        said = conditions.sentence([f"pyproxy {version('pyproxy')}"])
        print(said, flush=True)
        found = _measure(options.only, effort)
    except (page.NoMarkers, NotStarted, Missing, Failed) as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; whatever was started has ended", file=sys.stderr)
        return STOPPED
    print(f"\n{table(found)}")
    if options.write:
        part = f"{said}\n\n{table(found)}"
        page.write(options.page, _PART, part, draw_growth(found, _TITLE), _TITLE)
    return 0


def _measure(names: Sequence[str], effort: Effort) -> list[Series]:
    found: list[Series] = []
    for name in names:
        some = _GROWTHS[name](effort)
        print("\n".join(table(some).splitlines()[2:]), flush=True)
        found += some
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser)
    parser.add_argument("--only", nargs="+", choices=_GROWTHS, default=list(_GROWTHS))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
