import pytest

from pyproxy.models.key import ModelKey, text_of
from pyproxy.models.name import Unreadable

MODEL = ModelKey.of("model")
MODEL_ID = ModelKey.of("model_id")


@pytest.mark.parametrize(
    ("string", "is_key"),
    [
        (b'"model"', True),
        (b'"mod\\u0065l"', True),
        (b'"models"', False),
        (b'"mode"', False),
        (b'""', False),
        (b'"model_id"', False),
    ],
)
def test_a_key_is_known_whatever_is_escaped(string, is_key):
    assert MODEL.is_spelled(string) is is_key


@pytest.mark.parametrize(
    ("key", "name"),
    [
        pytest.param(MODEL, "Model", id="other case"),
        pytest.param(MODEL, "mo-del_", id="signs"),
        pytest.param(MODEL, "model\\u0000", id="NUL"),
        pytest.param(MODEL, "x\\u0000", id="NUL anywhere"),
        pytest.param(MODEL, "mo\\ud800del", id="half a surrogate pair"),
        pytest.param(MODEL_ID, "MODEL_\u0130D", id="dotted capital I"),
        pytest.param(MODEL_ID, "model_\u0131d", id="dotless i"),
        pytest.param(MODEL_ID, "modelId", id="camel case"),
    ],
)
def test_what_some_take_for_the_key_is_refused(key, name):
    with pytest.raises(Unreadable):
        key.is_spelled(f'"{name}"'.encode())


def test_others_are_matched_in_a_run_that_ends_at_the_key():
    found = MODEL.others.match(b'"a":1,"models":[2],"mode":"model","Model":3,"b":4}')

    assert found[0] == b'"a":1,"models":[2],"mode":"model",'


@pytest.mark.parametrize(
    "name", [b"model", b"MODEL", b"_mo-del", b"m o d e l", b"\\u006d", b"\xc3\xa9"]
)
def test_no_other_is_what_might_be_the_key(name):
    assert MODEL.others.match(b'"' + name + b'":1,') is None


@pytest.mark.parametrize(
    ("string", "text"),
    [(b'"a"', "a"), ('"\u00e9"'.encode(), "\u00e9"), (b'"\\u0061\\n\\""', 'a\n"'), (b'""', "")],
)
def test_a_string_stands_for_a_text(string, text):
    assert text_of(string) == text
