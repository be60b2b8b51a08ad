"""Where the time of a request goes, by package and by module, without slowing it down.

    python -m bench.shares [--count 100000]

Samples the stack of `hot_path` on a timer of CPU time and counts the innermost function of the
project: what it calls of Python and its libraries counts as its own. A profiler that traces
(`hot_path --profile`) makes small functions look dearer than they are; this does not.
"""

import argparse
import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Self

import uvloop

import pyproxy
from bench.hot_path import Course, measure

_INTERVAL_S = 0.001
_SOURCES = Path(pyproxy.__file__).parent
# The event loop, and the fake transports of the measurement itself.
_OUTSIDE = "(event loop and fakes)"


class Sampler:
    """Counts modules while it is in use.

    Attributes:
        samples: By module.
    """

    def __init__(self) -> None:
        self.samples: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Begin."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_S, _INTERVAL_S)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            if file.is_relative_to(_SOURCES):
                self.samples[".".join(file.relative_to(_SOURCES).with_suffix("").parts)] += 1
                return
            frame = frame.f_back
        self.samples[_OUTSIDE] += 1


def by_package(samples: Counter[str]) -> Counter[str]:
    """The modules of a package together."""
    packages: Counter[str] = Counter()
    for module, count in samples.items():
        packages[module.partition(".")[0]] += count
    return packages


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    with Sampler() as sampler:
        best = uvloop.run(measure(Course(), options.count, rounds=1))
    total = sampler.samples.total()
    print(f"{best:.1f} us per request; {total} samples")
    for samples in (by_package(sampler.samples), sampler.samples):
        print()
        for name, count in samples.most_common():
            print(f"{count / total:6.1%}  {best * count / total:5.1f} us  {name}")


if __name__ == "__main__":
    main()
