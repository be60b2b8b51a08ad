import struct
import zlib

import pytest

from bench.pictures.png import packed

WIDTH, HEIGHT = 4, 5
# One filter a row (RFC 2083 section 6): none, left, up, average, Paeth.
ROWS = [
    bytes((17 * x * y + 5 * c) % 256 for x in range(WIDTH) for c in range(3)) for y in range(1, 6)
]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + b"\0\0\0\0"


def filtered(kind, row, above):
    result = bytearray()
    for i, value in enumerate(row):
        left, up = (row[i - 3] if i >= 3 else 0), above[i]
        corner = above[i - 3] if i >= 3 else 0
        nearest = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
        guess = (0, left, up, (left + up) // 2, nearest)[kind]
        result.append((value - guess) % 256)
    return bytes([kind]) + bytes(result)


def png(depth=8, colour=2):
    above, data = bytes(WIDTH * 3), b""
    for kind, row in enumerate(ROWS):
        data += filtered(kind, row, above)
        above = row
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    stream = zlib.compress(data)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", stream[:7])
        + chunk(b"IDAT", stream[7:])
        + chunk(b"IEND", b"")
    )


def test_pixels_stay_what_they_were():
    result = packed(png())

    at, parts = 8, {}
    while at < len(result):
        length, kind = struct.unpack_from(">I4s", result, at)
        parts[kind] = result[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", result, at + 8 + length)
        assert check == zlib.crc32(kind + parts[kind])
        at += length + 12
    palette = [parts[b"PLTE"][i : i + 3] for i in range(0, len(parts[b"PLTE"]), 3)]
    lines = zlib.decompress(parts[b"IDAT"])
    rows = [lines[y * (WIDTH + 1) : (y + 1) * (WIDTH + 1)] for y in range(HEIGHT)]

    assert parts[b"IHDR"] == struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    assert [b"".join(palette[i] for i in row[1:]) for row in rows] == ROWS


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="24 bits"):
        packed(png(colour=6))
