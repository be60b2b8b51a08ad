"""Python's share of a request when there are many keys, routes or addresses.

The same request through `hot_path`, with the last of so many keys in the keys file, to the last
of so many routes, and from so many addresses in turn. Each is one look-up, whatever the number:
the columns should not differ by more than the machine's mood.
"""

import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import uvloop

from bench.growths.effort import Effort
from bench.hot_path import KEY, Course, measure, request_for
from bench.series import Series

FIGURE = "Python per request, \N{MICRO SIGN}s"

_LEAST_REQUESTS = 2_000  # of a run: a tenth of a second, which is sometimes quiet throughout
_REQUESTS = 20_000  # of all runs of a turn together, if one run has not more
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

Courses = Callable[[int, Path], Course]
"""Makes the course for a number, with files in a folder."""


def keys(effort: Effort) -> list[Series]:
    """With the last of so many keys."""
    return [_series("keys in the keys file", (1, 100, 10_000), _with_keys, effort)]


def routes(effort: Effort) -> list[Series]:
    """To the last of so many routes."""
    return [_series("routes", (1, 100, 1_000), _with_routes, effort)]


def addresses(effort: Effort) -> list[Series]:
    """From so many addresses in turn, with a bucket each."""
    return [_series("client addresses", (1, 1_000, 100_000), _with_addresses, effort)]


def _with_keys(number: int, folder: Path) -> Course:
    all_keys = [*(f"sk-bench-{each:08d}-0123456789abcdef" for each in range(number - 1)), KEY]
    lines = (
        f"user-{each}:sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"
        for each, key in enumerate(all_keys)
    )
    file = folder / "keys.txt"
    file.write_text("".join(lines))
    file.chmod(0o600)
    configuration = f'{_HEAD}[auth]\nkeys_file = "{file}"\n{_ROUTE.format(number=0)}'
    return Course(configuration, [request_for(f"/route-0{_PATH}", KEY)])


def _with_routes(number: int, _: Path) -> Course:
    tables = "".join(_ROUTE.format(number=each) for each in range(number))
    configuration = f'{_HEAD}[auth]\nkeys = ["{KEY}"]\n{tables}'
    return Course(configuration, [request_for(f"/route-{number - 1}{_PATH}", KEY)])


def _with_addresses(number: int, folder: Path) -> Course:
    course = _with_routes(1, folder)
    peers = [str(IPv4Address(_FIRST_ADDRESS + each)) for each in range(number)]
    return Course(course.configuration, course.requests, peers)


def _series(name: str, numbers: Sequence[int], courses: Courses, effort: Effort) -> Series:
    return Series(name, FIGURE, uvloop.run(_best(numbers, courses, effort.turns)))


async def _best(numbers: Sequence[int], courses: Courses, turns: int) -> Mapping[int, float]:
    """Microseconds per request by number: the best of a few turns.

    The numbers take turns, so that a busy moment of the machine is not taken for growth.
    """
    best = dict.fromkeys(numbers, math.inf)
    for _ in range(turns):
        for number in numbers:
            with tempfile.TemporaryDirectory() as folder:
                course = courses(number, Path(folder))
                # All addresses must come by: that is when buckets are moved and forgotten.
                count = max(_LEAST_REQUESTS, number)
                figure = await measure(course, count, max(1, _REQUESTS // count))
                best[number] = min(best[number], figure)
    return best
