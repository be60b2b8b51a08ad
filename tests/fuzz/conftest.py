"""A house for all tests of a module."""

import pytest

from tests.fuzz.through import House


@pytest.fixture(scope="module")
def house():
    """A gateway with a client and upstreams that are played."""
    house = House()
    yield house
    house.close()


@pytest.fixture(autouse=True)
def _clean(house):
    yield
    house.reset()
