"""What a request costs when there is much of everything: keys, routes, addresses.

    python -m bench.growth

The same request through `hot_path`, with the last of so many keys in the keys file, to the last
of so many routes, and from so many addresses in turn. Each is one look-up, whatever the number:
the columns should not differ by more than the machine's mood.
"""

import hashlib
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import uvloop

from bench.hot_path import KEY, Course, measure, request_for

_TURNS = 5
_LEAST_REQUESTS = 5_000  # of a run
_REQUESTS = 25_000  # of all runs of a turn together, if one run has not more
_PATH = "/v1/chat/completions"
_FIRST_ADDRESS = int(IPv4Address("10.0.0.1"))
_HEAD = """
[[listeners]]
bind = "127.0.0.1:0"
[rate_limits.api]
rate = "1000000r/h"
burst = 1000000
"""
_ROUTE = """
[[routes]]
name = "route-{number}"
path = "/route-{number}"
upstream = "http://127.0.0.1:9000"
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Something that there may be more of.

    Attributes:
        what: For the report.
        numbers: How many of it; ascending.
        course: Makes the course for a number, with files in a folder.
    """

    what: str
    numbers: Sequence[int]
    course: Callable[[int, Path], Course]


def _with_keys(number: int, folder: Path) -> Course:
    keys = [*(f"sk-bench-{each:08d}-0123456789abcdef" for each in range(number - 1)), KEY]
    lines = (
        f"user-{each}:sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"
        for each, key in enumerate(keys)
    )
    file = folder / "keys.txt"
    file.write_text("".join(lines))
    file.chmod(0o600)
    configuration = f'{_HEAD}[auth]\nkeys_file = "{file}"\n{_ROUTE.format(number=0)}'
    return Course(configuration, request_for(f"/route-0{_PATH}", KEY))


def _with_routes(number: int, _: Path) -> Course:
    routes = "".join(_ROUTE.format(number=each) for each in range(number))
    configuration = f'{_HEAD}[auth]\nkeys = ["{KEY}"]\n{routes}'
    return Course(configuration, request_for(f"/route-{number - 1}{_PATH}", KEY))


def _with_addresses(number: int, folder: Path) -> Course:
    course = _with_routes(1, folder)
    addresses = [str(IPv4Address(_FIRST_ADDRESS + each)) for each in range(number)]
    return Course(course.configuration, course.request, addresses)


_ALL = (
    Growth("keys in the keys file", (1, 100, 10_000), _with_keys),
    Growth("routes", (1, 100, 1_000), _with_routes),
    Growth("client addresses", (1, 1_000, 100_000), _with_addresses),
)


async def _measured(growth: Growth) -> dict[int, float]:
    """Microseconds per request by number: the best of a few turns.

    The numbers take turns, so that a busy moment of the machine is not taken for growth.
    """
    best = dict.fromkeys(growth.numbers, math.inf)
    for _ in range(_TURNS):
        for number in growth.numbers:
            with tempfile.TemporaryDirectory() as folder:
                course = growth.course(number, Path(folder))
                # All addresses must come by: that is when buckets are moved and forgotten.
                count = max(_LEAST_REQUESTS, number)
                figure = await measure(course, count, max(1, _REQUESTS // count))
                best[number] = min(best[number], figure)
    return best


async def main() -> None:
    """Measure and print a table."""
    print(f"{'there are so many':22} {'':>9} {'us/request':>8}")
    for growth in _ALL:
        for number, best in (await _measured(growth)).items():
            print(f"{growth.what:22} {number:>9,} {best:8.1f}", flush=True)


if __name__ == "__main__":
    uvloop.run(main())
