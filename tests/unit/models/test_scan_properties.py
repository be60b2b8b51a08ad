"""The scan beside ``json.loads``: it is never more lenient, and cuts make no difference."""

import json

from hypothesis import example, given, settings, strategies as st

from pyproxy.models.key import ModelKey
from pyproxy.models.name import Unreadable, core
from pyproxy.models.scan import ModelScan

MODEL = ModelKey.of("model")

COURSE = settings(max_examples=100, derandomize=True, deadline=None)

KEYS = st.sampled_from(["model", "model", "Model", "mode\u017f", "mo_del", "models", "a", ""])
NAMES = KEYS | st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
WHITE = st.sampled_from(["", "", "", " ", "\n", "\t\r "])
MODELS = st.sampled_from(["gpt-4o", "gpt-4o", "o3", "", " o3", "\u00e9", "a\nb", "\U0001f600"])
NUMBERS = st.sampled_from(["0", "-1", "12.5", "1e9", "-0.0E-2", "1E+4"])
WORDS = st.sampled_from(["true", "false", "null"])
CUTS = st.lists(st.integers(0, 300), max_size=8)

# Pieces that garble a text in the ways lenient readers forgive, and some they do not.
NOISE = st.sampled_from(
    [
        *("'", '"', "\\", "/", "//", "/*", "#", ",", ",,", ":", "{", "}", "[", "]", "{]", "}}"),
        *("0", "01", "+1", ".5", "1.", "NaN", "Infinity", "nul", "a", "\\u006", "\\x"),
        *("\x00", "\x0b", "\x1f", "\ufeff", "\xa0", "\ud800", '"\\ud800"'),
        *('"model"', '"model":"o3",', ',"model":"o3"', '{"model":"o3"}'),
    ]
)
TOKENS = ["[", "]", "[", "]", "{", "}", ",", "1", '"a"', '"a":', '"model":"o3"']


@st.composite
def strings(draw, texts):
    """A JSON string, some of its characters escaped."""
    text = draw(texts)
    are_plain = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return '"' + "".join(map(_spelled, text, are_plain)) + '"'


def _spelled(character, is_plain):
    if is_plain or character > "\uffff":
        return json.dumps(character, ensure_ascii=not is_plain)[1:-1]
    return f"\\u{ord(character):04x}"


@st.composite
def containers(draw, values):
    """A list or an object, with white space wherever it may stand."""
    if draw(st.booleans()):
        inner = draw(st.lists(values, max_size=4))
        return "[" + ",".join(draw(WHITE) + value + draw(WHITE) for value in inner) + "]"
    pairs = draw(st.lists(st.tuples(strings(NAMES), values), max_size=4))
    return _object(draw, pairs)


def _object(draw, pairs):
    members = (
        draw(WHITE) + name + draw(WHITE) + ":" + draw(WHITE) + value + draw(WHITE)
        for name, value in pairs
    )
    return "{" + (",".join(members) or draw(WHITE)) + "}"


LEAVES = strings(MODELS) | strings(st.text(max_size=5)) | NUMBERS | WORDS
VALUES = st.recursive(LEAVES, containers, max_leaves=12)


@st.composite
def bodies(draw):
    """An object whose members are often models."""
    member = st.one_of(
        st.tuples(strings(NAMES), VALUES),
        st.tuples(st.just('"model"'), strings(st.just("gpt-4o"))),
        st.tuples(strings(KEYS), strings(MODELS)),
    )
    pairs = draw(st.lists(member, max_size=5))
    return (draw(WHITE) + _object(draw, pairs) + draw(WHITE)).encode("utf-8", "surrogatepass")


@st.composite
def garbled(draw):
    """A body with pieces put in, left out or repeated."""
    text = draw(bodies()).decode()
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        stop = start + draw(st.integers(0, 6))
        text = text[:start] + draw(NOISE | st.just("")) + text[stop:]
    return text.encode("utf-8", "surrogatepass")


def split(data, cuts):
    """The data cut at these places."""
    ends = sorted(min(cut, len(data)) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


def scanned(pieces):
    """What the scan says: a model, ``None``, or that the body is unreadable."""
    scan = ModelScan(MODEL)
    try:
        for piece in pieces:
            scan.feed(piece)
        scan.end()
    except Unreadable:
        return Unreadable
    return scan.model


def loaded(data):
    """What the standard library reads; ``Unreadable`` where others may read something else."""
    try:
        pairs = json.loads(data, object_pairs_hook=tuple, parse_constant=_no_constant)
    except ValueError:
        return Unreadable
    if not isinstance(pairs, tuple):
        return Unreadable
    named = [(name, value) for name, value in pairs if core(name) == "model"]
    models = {value if isinstance(value, str) else 0 for _, value in named}
    is_odd = any(name != "model" for name, _ in named) or any("\0" in name for name, _ in pairs)
    if is_odd or len(models) > 1 or not all(map(_is_plain, models)):
        return Unreadable
    return next(iter(models), None)


def _no_constant(name):
    raise ValueError(name)


def _is_plain(model):
    return isinstance(model, str) and model.isprintable() and model == model.strip()


@COURSE
@given(bodies(), CUTS)
def test_sound_bodies_are_read_as_the_standard_library_reads_them(body, cuts):
    assert scanned([body]) == loaded(body)
    assert scanned(split(body, cuts)) == loaded(body)


@COURSE
@given(garbled(), CUTS)
@example(b'{"model":"o3"}}', [])
@example(b'{"a":[1}]}', [])
@example(b'{"a":{"b"},"model":"o3"}', [5])
def test_a_garbled_body_is_read_alike_or_not_at_all(body, cuts):
    assert scanned(split(body, cuts)) == loaded(body)


@COURSE
@given(bodies() | garbled())
def test_a_body_byte_by_byte_is_the_same_body(body):
    assert scanned([body[at : at + 1] for at in range(len(body))]) == scanned([body])


@COURSE
@given(bodies(), st.integers(0, 10_000))
def test_a_body_cut_off_is_never_complete(body, at):
    whole = body.rstrip()

    assert scanned([whole[: at % len(whole)]]) is Unreadable


@COURSE
@given(st.lists(st.sampled_from(["[", '{"a":', '{"b":1,"a":', "[[],", "[1,"]), max_size=40), CUTS)
def test_deep_nesting_is_read_alike_however_it_is_cut(openings, cuts):
    closings = "".join(
        "]" if opening.startswith("[") else ',"model":"b"}' for opening in reversed(openings)
    )
    body = f'{{"model":"a","x":{"".join(openings)}1{closings}}}'.encode()

    assert scanned([body]) == "a"
    assert scanned(split(body, cuts)) == "a"


@COURSE
@given(st.lists(st.sampled_from(TOKENS), max_size=40), CUTS)
def test_brackets_at_random_are_read_alike_or_not_at_all(tokens, cuts):
    body = ('{"x":[' + "".join(tokens) + "]}").encode()

    assert scanned(split(body, cuts)) == loaded(body)
