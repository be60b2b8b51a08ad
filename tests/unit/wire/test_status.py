import pytest

from pyproxy.wire.status import status_line


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        pytest.param(200, None, b"HTTP/1.1 200 OK\r\n", id="registered reason"),
        pytest.param(299, None, b"HTTP/1.1 299 \r\n", id="unregistered: the space stays"),
        pytest.param(200, b"Fine", b"HTTP/1.1 200 Fine\r\n", id="reason of the upstream"),
        pytest.param(200, b"", b"HTTP/1.1 200 \r\n", id="upstream without a reason"),
        pytest.param(299, b"Odd", b"HTTP/1.1 299 Odd\r\n", id="reason of an unregistered status"),
    ],
)
def test_status_line(status, reason, line):
    # RFC 9112 section 4: the reason may be empty, the space before it may not be missing.
    assert status_line(status, reason) == line
