import struct
from ipaddress import ip_address

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.crc32c import crc32c
from pyproxy.wire.proxy_header import LONGEST_HEADER, header_length, read_proxy_header
from pyproxy.wire.syntax import Malformed

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TCP4 = ip_address("192.0.2.7").packed + ip_address("10.0.0.1").packed + b"\x10\0\x01\xbb"
TCP6 = ip_address("2001:db8::7").packed + ip_address("fd00::1").packed + b"\x10\0\x01\xbb"
MAPPED = ip_address("::ffff:192.0.2.7").packed + TCP6[16:]
LONG_LINE = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
FULL = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def block(content=b"", *, command=0x21, family=0x11, length=None):
    length = len(content) if length is None else length
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", length) + content


def extension(kind, value):
    return bytes([kind]) + struct.pack("!H", len(value)) + value


def checked(content, *, off_by=0):
    """A block with the checksum of section 2.2.3 behind its content."""
    blank = block(content + extension(3, bytes(4)))
    return blank[:-4] + struct.pack("!I", crc32c(blank) ^ off_by)


def read(*pieces):
    """The header of bytes that come in pieces, and what comes after it."""
    begun = b""
    for piece in pieces:
        begun += piece
        length = header_length(begun)
        if length and len(begun) >= length:
            break
    else:
        return None
    rest = b"".join(pieces)[length:]
    return read_proxy_header(begun[:length]).address, rest


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(
    ("header", "address"),
    [
        pytest.param(b"PROXY TCP4 192.0.2.7 10.0.0.1 4096 443\r\n", "192.0.2.7", id="v1 TCP4"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 0 65535\r\n", "1.1.1.1", id="v1 ports"),
        pytest.param(b"PROXY TCP6 2001:DB8::7 fd00::1 1 2\r\n", "2001:db8::7", id="v1 TCP6"),
        pytest.param(b"PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n", "1.2.3.4", id="v1 mapped IPv4"),
        pytest.param(
            f"PROXY TCP6 {FULL} {FULL} 65535 65535\r\n".encode(), FULL, id="v1 longest addresses"
        ),
        pytest.param(b"PROXY UNKNOWN\r\n", None, id="v1 UNKNOWN"),
        pytest.param(b"PROXY UNKNOWN ::1 ::1 1 2\r\n", None, id="v1 UNKNOWN with more"),
        pytest.param(LONG_LINE, None, id="v1 at its bound"),
        pytest.param(block(TCP4), "192.0.2.7", id="v2 TCP4"),
        pytest.param(block(TCP6, family=0x21), "2001:db8::7", id="v2 TCP6"),
        pytest.param(block(MAPPED, family=0x21), "192.0.2.7", id="v2 mapped IPv4"),
        pytest.param(block(bytes(216), family=0x31), "", id="v2 unix"),
        pytest.param(block(family=0), None, id="v2 UNSPEC"),
        pytest.param(block(b"anything", family=0), None, id="v2 UNSPEC with more"),
        pytest.param(block(command=0x20, family=0), None, id="v2 LOCAL"),
        pytest.param(block(b"xyz", command=0x20), None, id="v2 LOCAL with anything"),
        pytest.param(
            block(TCP4 + extension(1, b"h2") + extension(4, b"")), "192.0.2.7", id="v2 extensions"
        ),
        pytest.param(checked(TCP4), "192.0.2.7", id="v2 checksum"),
        pytest.param(
            block(TCP4 + extension(0x20, b"x" * (LONGEST_HEADER - 31))), "192.0.2.7", id="v2 bound"
        ),
    ],
)
@pytest.mark.parametrize("tail", [b"", b"\r\n", b"\x16\x03\x01", b"PROXY UNKNOWN\r\n"])
def test_header_is_read_whole_byte_by_byte_and_with_a_tail(header, address, tail):
    assert read(header + tail) == (address, tail)
    assert read(*bytewise(header + tail)) == (address, tail)
    assert all(header_length(header[:end]) in {0, len(header)} for end in range(len(header)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"G", id="HTTP"),
        pytest.param(b"\x16\x03\x01", id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\n", id="HTTP/2"),
        pytest.param(b"proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n", id="v1 lower case"),
        pytest.param(b"PROXY\tUNKNOWN\r\n", id="v1 tab"),
        pytest.param(b"PROXY UNKNOWN\n", id="v1 bare LF"),
        pytest.param(b"PROXY UNKNOWN\r\r\n", id="v1 bare CR"),
        pytest.param(b"PROXY UNKNOWN \x01\r\n", id="v1 control character"),
        pytest.param(b"PROXY UNKNOWNTCP4\r\n", id="v1 longer word"),
        pytest.param(b"PROXY \r\n", id="v1 nothing"),
        pytest.param(b"PROXY TCP4\r\n", id="v1 no addresses"),
        pytest.param(b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", id="v1 unknown protocol"),
        pytest.param(b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n", id="v1 datagrams"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", id="v1 one port"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", id="v1 three ports"),
        pytest.param(b"PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", id="v1 two spaces"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", id="v1 space at the end"),
        pytest.param(b"PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n", id="v1 leading zero in an address"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", id="v1 leading zero in a port"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", id="v1 port out of range"),
        pytest.param(b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", id="v1 negative port"),
        pytest.param(b"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n", id="v1 short address"),
        pytest.param(b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n", id="v1 octet out of range"),
        pytest.param(b"PROXY TCP4 1.1.1.1 a.b 1 2\r\n", id="v1 destination that is none"),
        pytest.param(b"PROXY TCP4 ::1 ::1 1 2\r\n", id="v1 IPv6 in TCP4"),
        pytest.param(b"PROXY TCP6 1.1.1.1 ::1 1 2\r\n", id="v1 IPv4 in TCP6"),
        pytest.param(b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", id="v1 zone"),
        pytest.param(b"PROXY TCP6 [::1] ::1 1 2\r\n", id="v1 brackets"),
        pytest.param(b"PROXY TCP6 1::2::3 ::1 1 2\r\n", id="v1 two gaps"),
        pytest.param(LONG_LINE[:-2] + b"x\r\n", id="v1 over its bound"),
        pytest.param(b"PROXY UNKNOWN" + b"x" * 94, id="v1 without an end"),
        pytest.param(b"\r\n\r\n\0\r\nQUIT\r", id="v2 broken signature"),
        pytest.param(b"\r\n\r\n\0\r\nX", id="v2 broken in the middle"),
        pytest.param(b"\r\nGET", id="empty line before HTTP"),
        pytest.param(block(TCP4, command=0x11), id="v2 version 1"),
        pytest.param(block(TCP4, command=0x31), id="v2 version 3"),
        pytest.param(block(TCP4, command=0x22), id="v2 unknown command"),
        pytest.param(block(TCP4, family=0x12), id="v2 datagrams"),
        pytest.param(block(TCP4, family=0x10), id="v2 no transport"),
        pytest.param(block(TCP4, family=0x41), id="v2 unknown family"),
        pytest.param(block(TCP4[:11]), id="v2 short IPv4"),
        pytest.param(block(TCP4, family=0x21), id="v2 IPv4 as IPv6"),
        pytest.param(block(bytes(215), family=0x31), id="v2 short unix"),
        pytest.param(block(), id="v2 PROXY without an address"),
        pytest.param(block(TCP4 + b"\x01"), id="v2 half an extension"),
        pytest.param(block(TCP4 + b"\x01\0\x02x"), id="v2 extension too long"),
        pytest.param(checked(TCP4, off_by=1), id="v2 wrong checksum"),
        pytest.param(block(TCP4 + extension(3, b"abc")), id="v2 short checksum"),
        pytest.param(block(length=LONGEST_HEADER - 15), id="v2 over its bound"),
        pytest.param(block(length=65535), id="v2 as long as can be said"),
    ],
)
def test_what_is_no_header_is_refused_however_it_comes(data):
    with pytest.raises(Malformed):
        read(data)
    with pytest.raises(Malformed):
        read(*bytewise(data))


def test_header_of_another_length_than_it_says_is_refused():
    with pytest.raises(Malformed):
        read_proxy_header(block(TCP4) + b"x")


@pytest.mark.parametrize("at", range(28))
def test_checksum_finds_any_changed_byte_of_address_and_head(at):
    header = bytearray(checked(TCP4))
    header[at] ^= 0x80

    with pytest.raises(Malformed):
        read(bytes(header), bytes(65535))


@given(st.binary(max_size=600), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE]))
@settings(max_examples=300, deadline=None)
def test_anything_is_read_the_same_whole_and_byte_by_byte(data, start):
    def outcome(*pieces):
        try:
            return read(*pieces)
        except Malformed:
            return Malformed

    whole = outcome(start + data)

    assert outcome(*bytewise(start + data)) == whole
    if isinstance(whole, tuple) and whole[0]:
        assert str(ip_address(whole[0])) == whole[0]
