import pytest

from pyproxy.wire.head import read_request_head, read_response_head
from pyproxy.wire.upgrade import protocols_asked, protocols_granted, upgrade_lines

UPGRADE = b"Connection: upgrade"


def asking(*lines, version=b"1.1"):
    return read_request_head(b"\r\n".join([b"GET / HTTP/" + version, *lines, b"", b""]))


def switching(*lines, version=b"1.1"):
    return read_response_head(b"\r\n".join([b"HTTP/" + version + b" 101 Go", *lines, b"", b""]))


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        pytest.param([UPGRADE, b"Upgrade: WebSocket"], (b"WebSocket",), id="as sent"),
        pytest.param([UPGRADE, b"Upgrade: foo/2 , bar,"], (b"foo/2", b"bar"), id="several"),
        pytest.param([UPGRADE, b"Upgrade: a", b"Upgrade: b"], (b"a", b"b"), id="two lines"),
        pytest.param(
            [b"Connection: a", b"Connection: b, UPGRADE", b"Upgrade: a"], (b"a",), id="repeated"
        ),
        pytest.param([b"Upgrade: a"], (), id="no Connection"),
        pytest.param([b"Connection: close", b"Upgrade: a"], (), id="Connection names others"),
        pytest.param([UPGRADE], (), id="no Upgrade"),
        pytest.param([UPGRADE, b"Upgrade:"], (), id="empty"),
        pytest.param([UPGRADE, b"Upgrade: a b"], (), id="no token"),
        pytest.param([UPGRADE, b"Upgrade: a/"], (), id="no version"),
        pytest.param([UPGRADE, b"Upgrade: a/1/2"], (), id="two versions"),
        *(
            pytest.param([UPGRADE, b"Upgrade: " + bad], (), id=bad.decode())
            for bad in (
                b"h2c",
                b"H2C",
                b"h2c/1",
                b"h2c-14",
                b"h2-14",
                b"HTTP2",
                b"spdy/3.1",
                b"h2",
                b"HTTP/2.0",
                b"TLS/1.0",
                b"websocket, h2c",
            )
        ),
    ],
)
def test_protocols_asked(lines, asked):
    assert protocols_asked(asking(*lines)) == asked


def test_http_1_0_knows_no_upgrade():
    # RFC 9110 section 7.8
    assert protocols_asked(asking(UPGRADE, b"Upgrade: a", version=b"1.0")) == ()
    assert protocols_granted(switching(UPGRADE, b"Upgrade: a", version=b"1.0"), (b"a",)) == ()


@pytest.mark.parametrize(
    ("lines", "granted"),
    [
        pytest.param([UPGRADE, b"Upgrade: A"], (b"A",), id="one of them, in another case"),
        pytest.param([UPGRADE, b"Upgrade: a, b"], (b"a", b"b"), id="both"),
        pytest.param([UPGRADE, b"Upgrade: c"], (), id="another"),
        pytest.param([UPGRADE, b"Upgrade: a", b"Upgrade: c"], (), id="another besides"),
        pytest.param([UPGRADE], (), id="none"),
        pytest.param([UPGRADE, b"Upgrade: ,"], (), id="empty"),
        pytest.param([b"Upgrade: a"], (), id="no Connection"),
    ],
)
def test_protocols_granted(lines, granted):
    assert protocols_granted(switching(*lines), (b"a", b"b")) == granted


def test_both_fields_are_written():
    assert upgrade_lines((b"a", b"b/2")) == b"Connection: Upgrade\r\nUpgrade: a, b/2\r\n"
