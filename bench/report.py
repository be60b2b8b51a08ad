"""Figures become tables: medians over the rounds, and ratios within them."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.load import Figures
from bench.scenarios import Scenario

Runs = Mapping[str, Sequence[Figures]]
"""Of one scenario: a contender's name to its figures, one set a round."""

OURS = "pyproxy"
_WHOLE_FROM = 100  # digits after the point say nothing from here on


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


def details(name: str, scenario: Scenario, runs: Runs) -> str:
    """Every figure of one scenario."""
    better = "more" if scenario.is_more_better else "less"
    columns = list(next(iter(runs.values()))[0])
    rows = [
        [
            contender,
            *(_shown(median(run[column] for run in figures)) for column in columns),
            _shown_ratio(_deciding(scenario, runs, contender)),
        ]
        for contender, figures in runs.items()
    ]
    title = f"{name}: {scenario.what}; {scenario.figure}, {better} is better"
    return f"\n{title}\n{_aligned([['', *columns, 'ratio'], *rows])}"


def summary(scenarios: Mapping[str, Scenario], results: Mapping[str, Runs]) -> str:
    """All ratios, as a table in Markdown."""
    others = list(dict.fromkeys(name for runs in results.values() for name in runs if name != OURS))
    lines = [["scenario", "figure", *others], ["---"] * (2 + len(others))]
    for name, runs in results.items():
        scenario = scenarios[name]
        figures = {scenario.figure: scenario.is_more_better, scenario.cost: False}
        for figure, is_more_better in figures.items():
            cells = [
                _shown_ratio(ratio(runs, other, figure, is_more_better=is_more_better))
                for other in others
            ]
            lines.append([name, figure, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _deciding(scenario: Scenario, runs: Runs, name: str) -> float | None:
    return ratio(runs, name, scenario.figure, is_more_better=scenario.is_more_better)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM or value == int(value) else f"{value:.1f}"


def _shown_ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
