import pytest

from pyproxy.models.json_nesting import MAX_DEPTH
from pyproxy.models.json_runs import MAX_DIGITS
from pyproxy.models.key import ModelKey
from pyproxy.models.name import Unreadable
from pyproxy.models.scan import MAX_ODD_NAMES, MAX_TOKEN, ModelScan

MODEL = ModelKey.of("model")
MODEL_ID = ModelKey.of("model_id")

CHAT = b"""{"model": "gpt-4o", "stream": true, "temperature": 0.7, "messages": [
  {"role": "system", "content": "Be brief.\\n\\"Very\\" brief: {\\u00fc}"},
  {"role": "user", "content": [{"type": "text", "text": "{\\"model\\": \\"gpt-5\\"}"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object",
    "properties": {"a": {"type": "array", "items": {"enum": [1, -2.5e3, null, false]}},
                   "b": {"model": "o3"}}, "required": []}}}], "metadata": {}}
"""


def scanned(pieces, key=MODEL):
    scan = ModelScan(key)
    feed(scan, pieces)
    scan.end()
    return scan.model


def feed(scan, pieces):
    for piece in pieces:
        scan.feed(piece)


def in_bytes(body):
    return [body[at : at + 1] for at in range(len(body))]


def outcome(pieces):
    try:
        return scanned(pieces)
    except Unreadable:
        return Unreadable


@pytest.mark.parametrize(
    ("body", "model"),
    [
        pytest.param(CHAT, "gpt-4o", id="chat"),
        pytest.param(b'{"messages":[{"a":1}],"model":"o3"}', "o3", id="model in the tail"),
        pytest.param(b'{"a":{"model":"gpt-5"},"model":"o3"}', "o3", id="model within"),
        pytest.param(b'{"a":[{"model":"gpt-5"},1]}', None, id="model within alone"),
        pytest.param(b'{"a":"\\",\\"model\\":\\"o3\\""}', None, id="model in a string"),
        pytest.param(b'{"a":["model","o3"]}', None, id="model in a list"),
        pytest.param(b'{"models":"o3","mode":"o3"}', None, id="names that resemble it"),
        pytest.param(b"{}", None, id="empty object"),
        pytest.param(b" \r\n\t{ } \n", None, id="white space around"),
        pytest.param(b'\xef\xbb\xbf {"model":"o3"}', "o3", id="byte order mark"),
        pytest.param(b'{ "model" : "o3" }', "o3", id="white space within"),
        pytest.param(b'{"mod\\u0065l":"o3"}', "o3", id="escaped key"),
        pytest.param(b'{"model":"\\u006f3"}', "o3", id="escaped model"),
        pytest.param(b'{"model":"\\ud83d\\ude00"}', "\U0001f600", id="surrogate pair"),
        pytest.param('{"model":"modèle"}'.encode(), "modèle", id="UTF-8"),
        pytest.param(b'{"model":"o3","model":"o3"}', "o3", id="the same twice"),
        pytest.param(b'{"model":"o3","model":"\\u006f3"}', "o3", id="the same in two spellings"),
        pytest.param(b'{"model":""}', "", id="empty model"),
        pytest.param(b'{"model":"' + b"e" * 256 + b'"}', "e" * 256, id="256 characters"),
        pytest.param(b'{"model":"' + b"\\u0065" * 256 + b'"}', "e" * 256, id="256 escapes"),
        pytest.param(b'{"a":"\\ud800","model":"o3"}', "o3", id="half a pair elsewhere"),
        pytest.param(b'{"' + b"a" * (MAX_TOKEN - 2) + b'":[]}', None, id="long name"),
        pytest.param(b'{"a":' + b"9" * MAX_DIGITS + b',"model":"o3"}', "o3", id="400 digits"),
        pytest.param('{"schlüssel":[[]],"model":"o3"}'.encode(), "o3", id="other letters"),
    ],
)
def test_the_model_is_read_whole_and_byte_by_byte(body, model):
    assert scanned([body]) == model
    assert scanned(in_bytes(body)) == model


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b" ", id="white space alone"),
        pytest.param(b"\xef\xbb", id="half a byte order mark"),
        pytest.param(b'{"model":"o3"', id="cut off"),
        pytest.param(b'{"model":"o', id="cut off in the model"),
        pytest.param(b'{"a":"', id="cut off in a string"),
        pytest.param(b'["model","o3"]', id="list"),
        pytest.param(b'"model"', id="string"),
        pytest.param(b"null", id="null"),
        pytest.param(b'--x\r\n{"model":"o3"}', id="multipart"),
        pytest.param(b"model=o3", id="form"),
        pytest.param(b'{"model":"o3","model":"gpt-5"}', id="duplicate key"),
        pytest.param(b'{"model":"o3","a":[],"mod\\u0065l":"gpt-5"}', id="escaped duplicate key"),
        pytest.param(b'{"model":"o3","Model":"gpt-5"}', id="duplicate key in other case"),
        pytest.param(b'{"Model":"o3"}', id="key in other case"),
        pytest.param(b'{"MODEL":"o3"}', id="key in upper case"),
        pytest.param(b'{"mo_del":"o3"}', id="key with an underscore"),
        pytest.param(b'{" model":"o3"}', id="key with a space"),
        pytest.param(b'{"model\\u0000":"o3"}', id="key with NUL"),
        pytest.param(b'{"model\\u0000x":"o3"}', id="key before NUL"),
        pytest.param(b'{"mod\\ud800el":"o3"}', id="key with half a pair"),
        pytest.param('{"modél":"o3"}'.encode(), id="key with a mark"),
        pytest.param('{"ｍodel":"o3"}'.encode(), id="key in full width"),  # noqa: RUF001
        pytest.param(b'{"model":null}', id="model null"),
        pytest.param(b'{"model":["o3"]}', id="model in a list"),
        pytest.param(b'{"model":{"id":"o3"}}', id="model in an object"),
        pytest.param(b'{"model":3}', id="model a number"),
        pytest.param(b'{"model":"o3\\u0000"}', id="model with NUL"),
        pytest.param(b'{"model":"o3\\n"}', id="model with a line end"),
        pytest.param(b'{"model":"o3 "}', id="model with a space"),
        pytest.param(b'{"model":"\\ud800"}', id="model with half a pair"),
        pytest.param(b'{"model":"\\ude00\\ud83d"}', id="model with a pair turned round"),
        pytest.param(b'{"model":"' + b"e" * 257 + b'"}', id="model too long"),
        pytest.param(b'{"model":"' + b"e" * MAX_TOKEN + b'"}', id="model much too long"),
        pytest.param(b'{"' + b"a" * (MAX_TOKEN - 1) + b'":1}', id="name too long"),
        pytest.param(b'{"a":' + b"9" * (MAX_DIGITS + 1) + b"}", id="401 digits"),
        pytest.param(b'{"a":' + b"9" * MAX_TOKEN + b"}", id="number too long"),
        pytest.param(b'{"a":1}{"model":"o3"}', id="second document"),
        pytest.param(b'{"a":1},{"model":"o3"}', id="second document behind a comma"),
        pytest.param(b'{"a":1}\n{"model":"o3"}', id="JSON lines"),
        pytest.param(b'{"a":1}\x00', id="NUL behind"),
        pytest.param(b'{"a":1}]', id="bracket too many"),
        pytest.param(b'{"a":1}}', id="brace too many"),
        pytest.param('{"model":"o3"}'.encode("utf-16"), id="UTF-16"),
        pytest.param('{"model":"o3"}'.encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param('{"model":"o3"}'.encode("utf-32"), id="UTF-32"),
        pytest.param(b"+AHs-+ACI-model+ACI-:+ACI-o3+ACI-+AH0-", id="UTF-7"),
        pytest.param(b'{"a":"\xff"}', id="no UTF-8"),
        pytest.param(b'{"a":"\xe3"}', id="UTF-8 that swallows the quotation mark"),
        pytest.param(b'{"a":"\xc0\xa2,"}', id="overlong quotation mark"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', id="surrogate in UTF-8"),
        pytest.param('\ufeff\ufeff{"a":1}'.encode(), id="two byte order marks"),
        pytest.param('{\ufeff"a":1}'.encode(), id="byte order mark within"),
        pytest.param(b"{'model':'o3'}", id="single quotes"),
        pytest.param(b"{model:'o3'}", id="name without quotes"),
        pytest.param(b'{"a":1,model:"o3"}', id="one name without quotes"),
        pytest.param(b'{/*"a":1,*/"model":"o3"}', id="comment"),
        pytest.param(b'{"a":1//,"b":"\n,"model":"o3"}', id="comment to the line's end"),
        pytest.param(b'{"a":[1#]\n]}', id="comment in a list"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":-Infinity}', id="Infinity"),
        pytest.param(b'{"a":True}', id="Python's True"),
        pytest.param(b'{"a":undefined}', id="undefined"),
        pytest.param(b'{"a":01}', id="octal"),
        pytest.param(b'{"a":0x1}', id="hexadecimal"),
        pytest.param(b'{"a":+1}', id="plus"),
        pytest.param(b'{"a":1.}', id="no decimals"),
        pytest.param(b'{"a":-}', id="minus alone"),
        pytest.param(b'{"a":1 2}', id="two values"),
        pytest.param(b'{"a":"b" "c"}', id="two strings"),
        pytest.param(b'{"a" "b"}', id="no colon"),
        pytest.param(b'{"model" "b"}', id="no colon behind the key"),
        pytest.param(b'{"a"}', id="name alone"),
        pytest.param(b'{"a":}', id="no value"),
        pytest.param(b'{"a":,"b":1}', id="no value before a comma"),
        pytest.param(b'{"a":{"b":}}', id="no value within"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b'{"a":[1,]}', id="trailing comma in a list"),
        pytest.param(b'{"a":{"b":1,}}', id="trailing comma within"),
        pytest.param(b'{,"a":1}', id="leading comma"),
        pytest.param(b'{"a":[,1]}', id="leading comma in a list"),
        pytest.param(b'{"a":1,,"b":1}', id="two commas"),
        pytest.param(b'{"a":1;"b":1}', id="semicolon"),
        pytest.param(b'{"a"=1}', id="equals sign"),
        pytest.param(b'{"a":{]}', id="brace and bracket"),
        pytest.param(b'{"a":[}', id="bracket and brace"),
        pytest.param(b'{"a":[[[[[[1}]]]]]}', id="one wrong bracket of many"),
        pytest.param(b'{"a":[[[[1]]]]]}', id="one bracket of many too many"),
        pytest.param(b'{"a":["b":1]}', id="member in a list"),
        pytest.param(b'{"a":{1}}', id="element in an object"),
        pytest.param(b'{"a":{"b":[[[[1]]]],1}}', id="element in an object behind a list"),
        pytest.param(b'{"a":[[[[1]]],"b":1]}', id="member in a list behind a list"),
        pytest.param(b'{"a":\\"b"}', id="backslash outside"),
        pytest.param(b'{"a":"\\x41"}', id="unknown escape"),
        pytest.param(b'{"a":"\\u00g0"}', id="broken escape"),
        pytest.param(b'{"a\\":1}', id="no end of a name"),
        pytest.param(b'{"a":"\n"}', id="line end in a string"),
        pytest.param(b'{"a\t":1}', id="tab in a name"),
        pytest.param(b'{"a":"\x00"}', id="NUL in a string"),
        pytest.param(b'{\x00"a":1}', id="NUL between"),
        pytest.param(b'{\x0b"a":1}', id="vertical tab between"),
        pytest.param('{\u00a0"a":1}'.encode(), id="no-break space between"),
        pytest.param(b'{"a":1\x0c}', id="form feed behind"),
        pytest.param(b'\x1f\x8b\x08{"a":1}', id="compressed"),
    ],
)
def test_what_readers_read_differently_is_refused_whole_and_byte_by_byte(body):
    assert outcome([body]) is Unreadable
    assert outcome(in_bytes(body)) is Unreadable


def test_the_model_is_known_before_the_body_ends():
    scan = ModelScan(MODEL)

    scan.feed(b'{"messages":[],"model":"o3')
    assert scan.model is None
    scan.feed(b'"')
    assert scan.model == "o3"
    assert not scan.is_complete
    scan.feed(b"} ")
    assert scan.is_complete


def test_the_key_is_the_providers():
    body = b'{"model":"x","model_id":"eleven_v3"}'

    assert scanned([body], MODEL_ID) == "eleven_v3"


@pytest.mark.parametrize("name", ["modelId", "model-id", "modelid", "MODEL_ID", "model_\u0131d"])
def test_the_providers_key_has_no_other_spelling(name):
    body = f'{{"{name}":"x"}}'.encode()

    with pytest.raises(Unreadable):
        scanned([body], MODEL_ID)


@pytest.mark.parametrize("size", [1000, 7, MAX_DEPTH * 4])
@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b"[[],", b",1]")]
)
def test_nesting_has_a_bound_that_includes_its_last_level(opening, closing, size):
    deepest = MAX_DEPTH - (2 if b"[]" in opening else 1)

    def body(depth):
        whole = b'{"model":"o3","a":' + opening * depth + b"1" + closing * depth + b"}"
        return [whole[at : at + size] for at in range(0, len(whole), size)]

    assert outcome(body(deepest)) == "o3"
    assert outcome(body(MAX_DEPTH)) is Unreadable


@pytest.mark.parametrize("name", ["a\\n", "\u00e9", "model", "a" * 300])
def test_odd_names_have_a_bound(name):
    member = f'"{name}":"o3",'.encode()

    assert outcome([b"{" + member * MAX_ODD_NAMES + b'"a":1}']) in {"o3", None}
    assert outcome([b"{" + member * (MAX_ODD_NAMES + 1) + b'"a":1}']) is Unreadable


@pytest.mark.parametrize("size", [1, 1000])
def test_plain_names_have_none_however_they_are_cut(size):
    body = b"{" + b'"a":[[[[1]]]],' * (MAX_ODD_NAMES + 1) + b'"model":"o3"}'

    assert scanned(body[at : at + size] for at in range(0, len(body), size)) == "o3"


def test_a_long_string_is_not_kept():
    scan = ModelScan(MODEL)
    scan.feed(b'{"a":"')
    for _ in range(64):
        scan.feed(b"QUJD" * 16_384)
        assert len(scan._held) == 0
    scan.feed(b'","model":"o3"}')
    scan.end()

    assert scan.model == "o3"


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b'{"', id="names"),
        pytest.param(b'{"model":"', id="models"),
        pytest.param(b'{"a":1', id="numbers"),
        pytest.param(b'{"a":tru', id="words"),
    ],
)
def test_what_is_kept_has_a_bound(piece):
    scan = ModelScan(MODEL)
    pieces = [piece, *[b"1"] * (MAX_TOKEN - 10), b"1" * 20]

    with pytest.raises(Unreadable):
        feed(scan, pieces)
    assert len(scan._held) < MAX_TOKEN
