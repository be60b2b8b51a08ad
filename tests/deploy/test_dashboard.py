"""The Grafana dashboard: that it can be imported, and asks for what there is."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from pyproxy.telemetry.catalogue import BY_NAME

DASHBOARD = json.loads(Path("deploy/grafana/pyproxy.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ASKED = [target["expr"] for panel in PANELS for target in panel["targets"]]
ASKED += [each["expr"] for each in DASHBOARD["annotations"]["list"] if "expr" in each]
VARIABLES = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
ENDS = {"histogram": ("_bucket", "_count", "_sum")}
# What Grafana puts in their place.
BUILT_IN = {"__rate_interval": "1m"}


def filled_in(expression):
    return re.sub(r"\$(\w+)", lambda match: BUILT_IN.get(match[1], ".*"), expression)


def test_every_expression_is_promql(promtool):
    rules = [{"record": f"asked_{i}", "expr": filled_in(each)} for i, each in enumerate(ASKED)]
    code, said = promtool("check", "rules", document={"groups": [{"name": "d", "rules": rules}]})

    assert code == 0, said
    assert f"{len(ASKED)} rules found" in said


def test_every_metric_of_the_dashboard_exists():
    known = {name + end for name, family in BY_NAME.items() for end in ENDS.get(family.kind, ("",))}
    named = set(re.findall(r"\bpyproxy_[a-z0-9_]+", json.dumps([ASKED, list(VARIABLES.values())])))

    assert named <= known


def test_every_metric_but_the_users_is_shown():
    text = json.dumps(ASKED)

    hidden = {"pyproxy_user_requests_total", "pyproxy_jwks_keys"}
    assert {name for name in BY_NAME if name not in text} == hidden


@pytest.mark.parametrize("expression", ASKED)
def test_labels_that_are_grouped_by_exist(expression):
    scraped = {"instance", "job", "le"}
    known = scraped.union(*(BY_NAME[name].labels for name in BY_NAME if name in expression))
    grouped = re.findall(r"by \(([^)]*)\)", expression)

    assert {label.strip() for group in grouped for label in group.split(",")} <= known


def test_variables_are_there_for_all_that_is_asked():
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"]))) - set(BUILT_IN)

    assert used - {"__all"} == set(VARIABLES) == {"datasource", "job", "instance", "route"}


def test_panels_ask_the_source_that_was_chosen():
    sources = {json.dumps(target["datasource"]) for p in PANELS for target in p["targets"]}

    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert VARIABLES["datasource"]["type"] == "datasource"


def test_panels_have_their_own_places_and_numbers():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    squares = [
        {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        for at in (panel["gridPos"] for panel in DASHBOARD["panels"])
    ]

    assert len(ids) == len(set(ids))
    assert all(not one & other for one, other in combinations(squares, 2))
    assert max(x for square in squares for x, _ in square) == 23


def test_nothing_of_one_grafana_is_left_in_it():
    assert DASHBOARD["id"] is None
    assert DASHBOARD["uid"] == "pyproxy"
    assert not re.search(
        r'"uid": "(?!\$\{datasource\}|pyproxy|-- Grafana --)', json.dumps(DASHBOARD)
    )
