"""Pictures made small for a repository: their 256 most used colours, packed hard (RFC 2083)."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

Colour = bytes

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = ">IIBBBBB"
_TRUE_COLOUR: Final = (8, 2, 0, 0, 0)
_INDEXED: Final = (8, 3, 0, 0, 0)
_MOST_COLOURS: Final = 256
_PIXEL: Final = 3
_LEFT, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


def packed(png: bytes) -> bytes:
    """The same picture with a palette; a colour that is too rare becomes its nearest.

    Args:
        png: Eight bits a channel, red, green and blue, as Chromium makes it.

    Raises:
        ValueError: Another kind of PNG.
    """
    chunks = list(_chunks(png))
    width, height, *form = struct.unpack(_HEADER, chunks[0][1])
    if tuple(form) != _TRUE_COLOUR:
        raise ValueError("not a PNG of 24 bits a pixel")
    data = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    rows = [_pixels(row) for row in _unfiltered(data, width * _PIXEL, height)]
    counts = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in counts.most_common(_MOST_COLOURS)]
    places = {colour: _nearest(colour, palette) for colour in counts}
    indices = b"".join(b"\0" + bytes(places[pixel] for pixel in row) for row in rows)
    return _SIGNATURE + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", struct.pack(_HEADER, width, height, *_INDEXED)),
            (b"PLTE", b"".join(palette)),
            (b"IDAT", zlib.compress(indices, 9)),
            (b"IEND", b""),
        )
    )


def _nearest(colour: Colour, palette: Sequence[Colour]) -> int:
    distances = (
        sum((one - other) ** 2 for one, other in zip(colour, each, strict=True)) for each in palette
    )
    return min(enumerate(distances), key=lambda pair: pair[1])[0]


def _pixels(row: bytes) -> list[Colour]:
    ends = range(0, len(row) + 1, _PIXEL)
    return [row[start:end] for start, end in pairwise(ends)]


def _unfiltered(data: bytes, stride: int, height: int) -> Iterator[bytes]:
    """The rows as they were before each was told from the pixels around it (section 6)."""
    above = bytes(stride)
    for number in range(height):
        start = number * (stride + 1)
        row = bytearray(data[start + 1 : start + 1 + stride])
        _undo(data[start], row, above)
        above = bytes(row)
        yield above


def _undo(kind: int, row: bytearray, above: bytes) -> None:
    for i in range(len(row)):
        left, up = (row[i - _PIXEL], above[i]) if i >= _PIXEL else (0, above[i])
        corner = above[i - _PIXEL] if i >= _PIXEL else 0
        match kind:
            case _ if kind == _LEFT:
                guess = left
            case _ if kind == _UP:
                guess = up
            case _ if kind == _AVERAGE:
                guess = (left + up) // 2
            case _ if kind == _PAETH:
                guess = _paeth(left, up, corner)
            case _:
                return
        row[i] = (row[i] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check
