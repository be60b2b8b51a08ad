"""Figures become tables: medians over the rounds, and ratios within them."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from bench.bars import Group, shown as shown_ratio
from bench.load import Figures
from bench.scenarios import Scenario

Runs = Mapping[str, Sequence[Figures]]
"""Of one scenario: a contender's name to its figures, one set a round."""

OURS = "pyproxy"
_WHOLE_FROM = 100  # digits after the point say nothing from here on
_MISSING = "\N{EN DASH}"
_WORDS = {
    "requests_per_s": "requests/s",
    "connections_per_s": "connections/s",
    "mb_per_s": "MB/s",
    "p50_us": "median, \N{MICRO SIGN}s",
    "resident_mib": "memory, MiB",
    "cpu_us_per_request": "CPU per request, \N{MICRO SIGN}s",
    "cpu_us_per_connection": "CPU per connection, \N{MICRO SIGN}s",
    "cpu_us_per_stream_opened": "CPU to open one, \N{MICRO SIGN}s",
    "cpu_us_per_event": "CPU per event, \N{MICRO SIGN}s",
    "cpu_ms_per_mb": "CPU per MB, ms",
}


def ratio(runs: Runs, name: str, figure: str, *, is_more_better: bool) -> float | None:
    """How much better pyproxy is than another; above 1 is better, whatever the unit.

    The two are compared within each round, which the machine's mood of the moment
    touches both in, and the median of that is taken.
    """
    pairs = [
        (ours[figure], theirs[figure])
        for ours, theirs in zip(runs.get(OURS, ()), runs.get(name, ()), strict=False)
    ]
    quotients = [ours / theirs for ours, theirs in pairs if ours and theirs]
    if not quotients or name == OURS:
        return None
    return median(quotients) if is_more_better else 1 / median(quotients)


def failures(results: Mapping[str, Runs]) -> list[str]:
    """Which measurements measured something that did not work."""
    return [
        f"{name}: {contender}: {run['failed']:g} failed"
        for name, runs in results.items()
        for contender, figures in runs.items()
        for run in figures
        if run["failed"]
    ]


def details(name: str, scenario: Scenario, runs: Runs) -> str:
    """Every figure of one scenario."""
    better = "more" if scenario.is_more_better else "less"
    columns = list(next(iter(runs.values()))[0])
    rows = [
        [
            contender,
            *(_shown(median(run[column] for run in figures)) for column in columns),
            _cell(ratio(runs, contender, scenario.figure, is_more_better=scenario.is_more_better)),
        ]
        for contender, figures in runs.items()
    ]
    title = f"{name}: {scenario.what}; {scenario.figure}, {better} is better"
    return f"\n{title}\n{_aligned([['', *columns, 'ratio'], *rows])}"


def ratios(scenarios: Mapping[str, Scenario], results: Mapping[str, Runs]) -> str:
    """Every ratio, as a table in Markdown."""
    others = [name for name in _contenders(results) if name != OURS]
    lines = [["Scenario", "Ratio of", *others]]
    for name, runs in results.items():
        scenario = scenarios[name]
        title = f"{name}: {scenario.what}"
        for figure, is_more_better in _deciding(scenario):
            cells = [
                _cell(ratio(runs, other, figure, is_more_better=is_more_better)) for other in others
            ]
            lines.append([title, _quantity(figure), *cells])
            title = ""
    return _markdown(lines)


def figures(scenarios: Mapping[str, Scenario], results: Mapping[str, Runs]) -> str:
    """Every figure that ratios are of, as a table in Markdown; medians."""
    contenders = _contenders(results)
    lines = [["Scenario", "Figure", *contenders]]
    for name, runs in results.items():
        title = name
        for figure, _ in _deciding(scenarios[name]):
            cells = [
                _shown(median(run[figure] for run in runs[contender]))
                if contender in runs
                else _MISSING
                for contender in contenders
            ]
            lines.append([title, _WORDS[figure], *cells])
            title = ""
    return _markdown(lines)


def groups(scenarios: Mapping[str, Scenario], results: Mapping[str, Runs]) -> Iterator[Group]:
    """The ratios that decide, for the picture."""
    for name, runs in results.items():
        if scenarios[name].is_among_ours:
            continue
        figure, is_more_better = scenarios[name].figure, scenarios[name].is_more_better
        found = {
            other: ratio(runs, other, figure, is_more_better=is_more_better)
            for other in runs
            if other != OURS
        }
        present = {other: value for other, value in found.items() if value is not None}
        if present:
            yield Group(name, _quantity(figure), present)


def _deciding(scenario: Scenario) -> list[tuple[str, bool]]:
    """Figures with whether more is better; one only, where the CPU time itself decides."""
    both = {scenario.figure: scenario.is_more_better, scenario.cost: False}
    return list(both.items())


def _contenders(results: Mapping[str, Runs]) -> list[str]:
    return list(dict.fromkeys(name for runs in results.values() for name in runs))


def _quantity(figure: str) -> str:
    """Without a unit, which a ratio has none of; rates are named by theirs."""
    return _WORDS[figure].partition(",")[0]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM or value == int(value) else f"{value:.1f}"


def _cell(value: float | None) -> str:
    return _MISSING if value is None else shown_ratio(value)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    head, *rest = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rest])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
