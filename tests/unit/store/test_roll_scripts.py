from pyproxy.store.roll_scripts import LIFT, LIFTED_S, PUT, READ


def test_a_lift_is_remembered_for_as_long_as_the_docs_say():
    assert LIFTED_S == 24 * 3600
    assert "now - 86400)" in LIFT.text


def test_each_is_a_script_of_its_own():
    assert len({PUT.digest, LIFT.digest, READ.digest}) == 3
