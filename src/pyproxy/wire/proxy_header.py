"""Whom a balancer's connection is from: the PROXY protocol, versions 1 and 2.

The source is "The PROXY protocol" of HAProxy, doc/proxy-protocol.txt; its sections
are cited. Of what it leaves to the receiver, the stricter reading is taken: a header
that could mean two addresses would let in one client as another.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from pyproxy.wire.crc32c import crc32c
from pyproxy.wire.forwarded import canonical_address
from pyproxy.wire.syntax import Malformed

# Addresses take 216 bytes at most, but PP2_TYPE_SSL may hold names, or all of the
# certificate, of a client whose TLS ended at the balancer. nginx has the same bound.
LONGEST_HEADER: Final = 4096
_LONGEST_LINE: Final = 107  # section 2.1, CRLF included

_LINE_START: Final = b"PROXY "
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
# Version 2, LOCAL: the balancer itself asks, for nobody (section 2.2).
FOR_NOBODY: Final = _SIGNATURE + b"\x20\x00\x00\x00"
_FIXED_BYTES: Final = 16  # of version 2: signature, version and command, family, length
_FIXED: Final = struct.Struct("!12sBBH")

# Section 2.1: addresses in canonical form, ports without leading zeros, single spaces.
_LINE: Final = re.compile(
    rb"PROXY (?:(?P<unknown>UNKNOWN)(?: [!-~ ]*)?"
    rb"|TCP(?P<family>[46]) (?P<source>[0-9A-Fa-f:.]{2,39}) (?P<destination>[0-9A-Fa-f:.]{2,39})"
    rb" (?P<source_port>0|[1-9][0-9]{0,4}) (?P<destination_port>0|[1-9][0-9]{0,4}))\r\n"
)
_HIGHEST_PORT: Final = 65535

_LOCAL, _PROXY = 0x20, 0x21  # version 2 in the high half, the command in the low one
_UNSPECIFIED = 0x00
_TCP4, _TCP6, _UNIX = 0x11, 0x21, 0x31  # family in the high half, SOCK_STREAM in the low one
_ADDRESS_BYTES: Final = {_TCP4: 12, _TCP6: 36, _UNIX: 216}

_TLV: Final = struct.Struct("!BH")
_TYPE_CRC32C: Final = 0x03
_CRC32C: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a header says.

    Attributes:
        address: The client's IP address in its one spelling; ``""`` for a client of
            the balancer's on a unix socket; ``None`` where the balancer speaks for
            itself (a health check), or does not know: then the peer is the client.
    """

    address: str | None


def header_length(begun: bytes) -> int:
    """How long the header is that bytes begin with.

    Args:
        begun: The connection's first bytes, perhaps with what comes after the header.

    Returns:
        0 while it cannot be told; then every byte of ``begun`` is the header's.

    Raises:
        Malformed: It is none, whatever may follow.
    """
    if begun[:1] == _LINE_START[:1]:
        return _line_length(begun)
    if begun[: len(_SIGNATURE)] != _SIGNATURE[: len(begun)]:
        raise Malformed("no PROXY header")
    if len(begun) < _FIXED_BYTES:
        return 0
    length = _FIXED_BYTES + int(_FIXED.unpack_from(begun)[3])
    if length > LONGEST_HEADER:
        raise Malformed(f"a PROXY header over {LONGEST_HEADER} bytes")
    return length


def read_proxy_header(header: bytes) -> ProxyHeader:
    """Read a whole header, as long as ``header_length`` says.

    Raises:
        Malformed: It breaks the protocol, or is for what is no connection of a stream.
    """
    return _of_line(header) if header.startswith(_LINE_START) else _of_block(header)


# Version 1: a line


def _line_length(begun: bytes) -> int:
    if begun[: len(_LINE_START)] != _LINE_START[: len(begun)]:
        raise Malformed("no PROXY header")
    end = begun.find(b"\n", 0, _LONGEST_LINE)
    if end < 0 and len(begun) >= _LONGEST_LINE:
        raise Malformed(f"a PROXY line over {_LONGEST_LINE} bytes")
    return end + 1


def _of_line(line: bytes) -> ProxyHeader:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Malformed("a malformed PROXY line")
    if match["unknown"]:
        return ProxyHeader(None)
    source = _address(match["source"], match["family"])
    _address(match["destination"], match["family"])
    if max(int(match["source_port"]), int(match["destination_port"])) > _HIGHEST_PORT:
        raise Malformed("a PROXY line with a port that is none")
    return ProxyHeader(canonical_address(source))


def _address(text: bytes, family: bytes) -> str:
    address = text.decode("ascii")
    try:
        IPv4Address(address) if family == b"4" else IPv6Address(address)
    except ValueError as exc:
        raise Malformed("a PROXY line with an address that is none") from exc
    return address


# Version 2: a block


def _of_block(block: bytes) -> ProxyHeader:
    _, command, family, length = _FIXED.unpack_from(block)
    if length != len(block) - _FIXED_BYTES:
        raise Malformed("a PROXY header of another length than it says")
    if command == _LOCAL:
        # Section 2.2: the rest is to be skipped, whatever it is.
        return ProxyHeader(None)
    if command != _PROXY:
        raise Malformed("a PROXY header of an unknown version or command")
    if family == _UNSPECIFIED:
        return ProxyHeader(None)
    size = _ADDRESS_BYTES.get(family)
    if size is None:
        # A datagram's sender is at the other end of no stream: may be refused as UNSPEC
        # may (section 2.2). Every other family is unassigned, and must be.
        raise Malformed("a PROXY header of another family than TCP or unix streams")
    if length < size:
        raise Malformed("a PROXY header too short for its addresses")
    _check_extensions(block, _FIXED_BYTES + size)
    return ProxyHeader(_source(family, block[_FIXED_BYTES:]))


def _source(family: int, addresses: bytes) -> str:
    if family == _UNIX:
        return ""
    address = IPv4Address(addresses[:4]) if family == _TCP4 else IPv6Address(addresses[:16])
    return canonical_address(str(address))


def _check_extensions(block: bytes, at: int) -> None:
    """Section 2.2.1 and on: type, length, value; only the checksum means anything to us."""
    while at < len(block):
        if at + _TLV.size > len(block):
            raise Malformed("a PROXY header that ends within an extension")
        kind, length = _TLV.unpack_from(block, at)
        at += _TLV.size
        if at + length > len(block):
            raise Malformed("a PROXY header with an extension longer than itself")
        if kind == _TYPE_CRC32C:
            _check_sum(block, at, length)
        at += length


def _check_sum(block: bytes, at: int, length: int) -> None:
    """Section 2.2.3: over the whole header, with the sum itself taken as zero."""
    if length != _CRC32C.size:
        raise Malformed("a PROXY header with a checksum of the wrong length")
    (claimed,) = _CRC32C.unpack_from(block, at)
    if crc32c(block[:at] + bytes(length) + block[at + length :]) != claimed:
        raise Malformed("a PROXY header whose checksum does not fit")
