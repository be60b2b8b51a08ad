"""Faults of several readings, told together."""

import pytest

from pyproxy.assembly.faults import Faults
from pyproxy.errors.fault import ConfigurationError, Fault

FIRST, SECOND = Fault("a", "is missing"), Fault("b", "is broken")


def failing(*faults):
    def read():
        raise ConfigurationError(*faults)

    return read


def test_what_can_be_read_is_given():
    faults = Faults()

    assert faults.attempt(lambda: 7, 0) == 7
    faults.raise_if_any()


def test_every_fault_is_raised_once_and_in_order():
    faults = Faults()

    assert faults.attempt(failing(FIRST), 0) == 0
    faults.attempt(failing(SECOND, FIRST), 0)
    faults.add([SECOND])

    with pytest.raises(ConfigurationError) as raised:
        faults.raise_if_any()
    assert raised.value.faults == (FIRST, SECOND)


def test_what_nobody_foresaw_is_not_collected():
    with pytest.raises(ZeroDivisionError):
        Faults().attempt(lambda: 1 // 0, 0)
