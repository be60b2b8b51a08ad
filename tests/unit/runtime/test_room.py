"""Connections, and the open files they need."""

import pytest

from pyproxy.config.server import ServerSettings
from pyproxy.runtime.room import room_for


@pytest.mark.parametrize(
    ("limit", "fits"),
    [
        pytest.param(20_064, 10_000, id="all of them"),
        pytest.param(4096, 2016, id="many enough"),
        pytest.param(2064, 1000, id="just enough"),
    ],
)
def test_the_default_takes_what_fits_without_a_warning(limit, fits):
    room = room_for(ServerSettings(), limit)

    assert (room.max_connections, room.warnings) == (fits, ())
    assert (str(fits) in room.sentence) == (fits < 10_000)


@pytest.mark.parametrize(
    ("limit", "fits"),
    [pytest.param(2063, 999, id="too few"), pytest.param(48, 1, id="hardly any")],
)
def test_too_few_for_a_service_is_a_warning(limit, fits):
    room = room_for(ServerSettings(), limit)

    assert room.max_connections == fits
    assert len(room.warnings) == 1


@pytest.mark.parametrize("wanted", [5000, 10_000])
def test_what_was_asked_for_by_name_stays_with_a_warning(wanted):
    room = room_for(ServerSettings(max_connections=wanted), 4096)

    assert room.max_connections == wanted
    assert room.warnings[0].problem.endswith("set at most 2016")
    assert room.sentence == ""
