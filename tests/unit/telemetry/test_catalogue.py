import re

import pytest

from pyproxy.telemetry.catalogue import BOUNDS_S, BUCKETS, BY_NAME, FAMILIES, joined

EVERY = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@EVERY
def test_a_family_is_named_as_prometheus_would_have_it(family):
    assert re.fullmatch(r"pyproxy(_[a-z]+)+", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.name.endswith("_seconds") or family.kind != "histogram"
    assert re.fullmatch(r"[A-Z][^\n\\]*\.", family.text)


@EVERY
def test_labels_are_few_and_none_is_a_path_or_an_address(family):
    assert len(family.labels) <= 3
    assert not {"path", "ip", "address", "le", "model"} & set(family.labels)


def test_a_name_stands_for_one_family():
    assert len(BY_NAME) == len(FAMILIES)


def test_bounds_go_up_from_a_millisecond_to_ten_minutes():
    assert (BOUNDS_S[0], BOUNDS_S[-1]) == (0.001, 600.0)
    assert list(BOUNDS_S) == sorted(set(BOUNDS_S))
    assert len(BOUNDS_S) + 1 == BUCKETS


@pytest.mark.parametrize(("joining", "value"), [("sum", 6.0), ("max", 3.0), ("min", 1.0)])
def test_values_of_several_workers_become_one(joining, value):
    assert joined(joining, [1.0, 3.0, 2.0]) == value
