import pytest

from pyproxy.wire.crc32c import crc32c


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        pytest.param(b"", 0x00000000, id="nothing"),
        pytest.param(b"123456789", 0xE3069283, id="check value of the catalogues"),
        pytest.param(bytes(32), 0x8A9136AA, id="RFC 3720 B.4: zeros"),
        pytest.param(b"\xff" * 32, 0x62A8AB43, id="RFC 3720 B.4: ones"),
        pytest.param(bytes(range(32)), 0x46DD794E, id="RFC 3720 B.4: rising"),
        pytest.param(bytes(range(31, -1, -1)), 0x113FDB5C, id="RFC 3720 B.4: falling"),
    ],
)
def test_checksum(data, checksum):
    assert crc32c(data) == checksum
