import json
from pathlib import Path

from bench.pictures.answers import Curve, _filled_in
from bench.pictures.panels import DRAWERS

DASHBOARD = json.loads(Path("deploy/grafana/pyproxy.json").read_text())
HOSTILE = "<script>alert(1)</script>"


def curve(legend="a", *values):
    return Curve(legend, {"route": legend}, tuple(enumerate(values or (1.0, 2.0, 4.0))))


def test_every_kind_of_panel_can_be_drawn():
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            assert DRAWERS[panel["type"]](panel, [curve()])


def test_names_in_series_stay_text():
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            assert HOSTILE not in DRAWERS[panel["type"]](panel, [curve(HOSTILE)])


def test_panel_without_data_is_drawn_empty():
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            assert "<" in DRAWERS[panel["type"]](panel, [])


def test_variables_are_filled_in():
    asked = 'rate(x{route=~"$route"}[$__rate_interval])'

    assert _filled_in(asked) == 'rate(x{route=~".*"}[10s])'
