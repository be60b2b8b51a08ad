"""Messages made worse: a corpus, a dictionary of what parsers disagree on, and a seeded hand."""

import random
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MAX_SIZE = 20_000

TOKENS = tuple(
    line[1:-1].encode().decode("unicode_escape").encode("latin-1")
    for line in (Path(__file__).parent / "http.dict").read_text().splitlines()
    if line.startswith('"')
)


def corpus(kind):
    """Messages to begin with, by name."""
    return {path.stem: path.read_bytes() for path in sorted((CORPUS / kind).iterdir())}


def seeds(kind):
    """The same for a hand that changes them: those that pass more often, or little would."""
    found = corpus(kind)
    sound = [data for name, data in found.items() if name.startswith("sound-")]
    return [*found.values(), *sound * (2 * len(found) // len(sound))]


def mutated(seeds, seed):
    """One message made of others; the same for the same ``seed``."""
    hand = random.Random(seed)  # noqa: S311 - to be repeated, not to be unknown
    data = hand.choice(seeds)
    for _ in range(hand.choice((1, 1, 2, 3, 6))):
        data = hand.choice(_CHANGES)(hand, data, seeds)
    return data[:MAX_SIZE]


def split(data, seed):
    """The same bytes in pieces."""
    hand = random.Random(seed)  # noqa: S311 - likewise
    if not data or hand.random() < 0.2:
        return [data[at : at + 1] for at in range(min(len(data), 400))] + [data[400:]] * (
            len(data) > 400
        )
    cuts = sorted(hand.randrange(len(data)) for _ in range(hand.choice((1, 2, 3, 8))))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


def _insert(hand, data, _):
    at = hand.randrange(len(data) + 1)
    return data[:at] + hand.choice(TOKENS) + data[at:]


def _insert_line(hand, data, _):
    ends = [at + 2 for at in range(len(data)) if data.startswith(b"\r\n", at)] or [0]
    at = hand.choice(ends)
    return data[:at] + hand.choice(TOKENS) + data[at:]


def _replace(hand, data, _):
    at = hand.randrange(len(data) + 1)
    return data[:at] + hand.choice(TOKENS) + data[at + hand.choice((1, 2, 8)) :]


def _flip(hand, data, _):
    if not data:
        return data
    at = hand.randrange(len(data))
    return data[:at] + bytes([hand.randrange(256)]) + data[at + 1 :]


def _delete(hand, data, _):
    at = hand.randrange(len(data) + 1)
    return data[:at] + data[at + hand.choice((1, 2, 4, 20)) :]


def _double(hand, data, _):
    at = hand.randrange(len(data) + 1)
    piece = data[at : at + hand.choice((2, 20, 200))]
    return data[:at] + piece * hand.choice((2, 3)) + data[at + len(piece) :]


def _double_line(hand, data, _):
    lines = data.split(b"\r\n")
    at = hand.randrange(len(lines))
    lines.insert(hand.randrange(len(lines) + 1), lines[at])
    return b"\r\n".join(lines)


def _append(hand, data, seeds):
    return data + hand.choice(seeds)


def _cross(hand, data, seeds):
    other = hand.choice(seeds)
    return data[: hand.randrange(len(data) + 1)] + other[hand.randrange(len(other) + 1) :]


def _cut(hand, data, _):
    return data[: hand.randrange(len(data) + 1)]


def _number(hand, data, _):
    places = [at for at in range(len(data)) if 0x30 <= data[at] <= 0x39]
    if not places:
        return data
    at = hand.choice(places)
    return data[:at] + hand.choice((b"0", b"1", b"9", b"00", b"7f", b"")) + data[at + 1 :]


_CHANGES = (
    _insert, _insert, _insert_line, _insert_line, _replace, _flip, _delete, _double, _double_line,
    _append, _append, _cross, _cut, _number,
)  # fmt: skip
