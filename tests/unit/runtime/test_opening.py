"""Listeners are opened all or none, and those in force are kept."""

import pytest

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.sockets import listen


@pytest.fixture
def opening():
    return Opening(Blocking(), Inherited())


async def test_those_in_force_are_kept_and_others_opened(opening):
    first = await opening.listen("127.0.0.1:0")

    second = await opening.listen_on_all(["127.0.0.1:0", "localhost:0"], [first])

    assert second[0] is first
    assert second[1].spec == "localhost:0"
    for each in second:
        each.close()


async def test_a_fault_closes_what_was_opened_and_nothing_else(opening):
    first = await opening.listen("127.0.0.1:0")
    free = await opening.listen("localhost:0")
    port = free.port
    free.close()

    with pytest.raises(ConfigurationError, match="cannot be resolved"):
        await opening.listen_on_all(
            ["127.0.0.1:0", f"localhost:{port}", "nobody.invalid:1"], [first]
        )

    listen(f"localhost:{port}").close()
    assert first.sockets[0].getsockname()[1] == first.port
    first.close()
