"""All workers together; what they do with orders is in functional/test_supervisor.py."""

import asyncio
from dataclasses import dataclass

import pytest

from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.crew import Crew
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.tasks import Tasks


@dataclass
class Member:
    is_answering: bool


@pytest.mark.parametrize(
    ("answering", "is_well"),
    [
        pytest.param([], False, id="nobody serves"),
        pytest.param([True, True], True, id="all answer"),
        pytest.param([True, False], False, id="one is silent"),
    ],
)
def test_all_is_well_while_every_worker_answers(answering, is_well):
    async def look():
        blocking = Blocking()
        crew = Crew(None, Tasks(print), blocking, 99, Opening(blocking, Inherited()))
        crew._members = [Member(each) for each in answering]
        return crew.is_well

    assert asyncio.run(look()) is is_well
