import pytest

from pyproxy.wire.date import date_line


@pytest.mark.parametrize(
    ("wall", "line"),
    [
        pytest.param(784111777.0, b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", id="of the RFC"),
        pytest.param(
            784111777.75, b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", id="within a second"
        ),
        pytest.param(784111778.0, b"Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n", id="the next"),
        pytest.param(0.0, b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", id="epoch"),
    ],
)
def test_date_line(wall, line):
    # RFC 9110 section 5.6.7
    assert date_line(wall) == line
