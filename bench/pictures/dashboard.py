"""The Grafana dashboard's panels, in its places, drawn without Grafana and said to be."""

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, Final

from bench.pictures.answers import Curve, Prometheus
from bench.pictures.panels import DRAWERS

# A row of Grafana's grid, and what it leaves between two.
_ROW_PX: Final = 30
_GAP_PX: Final = 8
_STYLE: Final = """
* { box-sizing: border-box; margin: 0; }
body { background: #f4f5f5; color: #24292e; padding: 14px 16px; width: 1280px;
       font: 12px/1.4 Inter, system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 17px; } header p, footer { color: #5b6570; }
header { display: flex; gap: 16px; align-items: baseline; margin-bottom: 10px; }
main { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px; }
section { background: #fff; border: 1px solid #e0e3e8; border-radius: 3px; padding: 7px 9px;
          display: flex; flex-direction: column; min-width: 0; overflow: hidden; }
h2 { font-size: 12px; font-weight: 600; } h3 { font-size: 13px; align-self: end; }
svg { flex: 1; min-height: 0; width: 100%; display: block; }
.legend { display: flex; flex-wrap: wrap; gap: 1px 10px; color: #5b6570; font-size: 11px; }
.legend i { display: inline-block; width: 10px; height: 3px; margin: 0 5px 3px 0; }
.big { white-space: nowrap; font-size: 22px; font-weight: 600; line-height: 1.2; }
.axis { fill: #5b6570; font-size: 10px; }
.lanes { flex: 1; display: grid; align-content: space-evenly; gap: 4px; }
.lanes span { color: #5b6570; font-size: 11px; }
table { border-collapse: collapse; margin-top: 8px; }
th, td { text-align: left; padding: 3px 24px 3px 0; }
footer { margin-top: 10px; }
"""


def drawn_dashboard(dashboard: Path, port: int, what: str) -> str:
    """An HTML page that shows every panel.

    Args:
        dashboard: Grafana's JSON.
        port: Of the Prometheus that answers its queries.
        what: What was going on, for the head line.
    """
    plan = json.loads(dashboard.read_text())
    prometheus = Prometheus(port, 110.0)
    panels = "".join(_panels(plan["panels"], prometheus))
    said = f"Drawn from {dashboard} and its queries, answered by Prometheus; not by Grafana."
    return (
        f'<!doctype html><meta charset="utf-8"><style>{_STYLE}</style>'
        f"<header><h1>{escape(plan['title'])}</h1><p>{escape(what)}</p></header>"
        f"<main>{panels}</main><footer>{escape(said)}</footer>"
    )


def _panels(panels: list[dict[str, Any]], prometheus: Prometheus) -> Iterator[str]:
    for panel in panels:
        at = panel["gridPos"]
        place = f"grid-column:{at['x'] + 1}/span {at['w']};grid-row:{at['y'] + 1}/span {at['h']};"
        if panel["type"] == "row":
            yield f'<h3 style="{place}height:{_ROW_PX}px">{escape(panel["title"])}</h3>'
            continue
        height = at["h"] * (_ROW_PX + _GAP_PX) - _GAP_PX
        drawn = DRAWERS[panel["type"]](panel, _curves(panel, prometheus))
        yield (
            f'<section style="{place}height:{height}px"><h2>{escape(panel["title"])}</h2>'
            f"{drawn}</section>"
        )


def _curves(panel: dict[str, Any], prometheus: Prometheus) -> list[Curve]:
    return [
        curve
        for target in panel["targets"]
        for curve in prometheus.curves(target["expr"], target["legendFormat"])
    ]
