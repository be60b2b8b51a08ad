import pytest

from pyproxy.models.name import Unreadable, bare_model, core, one_model, plain_model


@pytest.mark.parametrize("text", ["gpt-4o", "org/mod\u00e8le 7", "m" * 256, ""])
def test_plain_text_is_a_name(text):
    assert plain_model(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("m" * 257, id="too long"),
        pytest.param("gpt-5\x00-mini", id="NUL"),
        pytest.param("gpt\n", id="line end"),
        pytest.param("gpt\ud800", id="half of a surrogate pair"),
        pytest.param("gpt\u200b", id="zero width space"),
        pytest.param(" gpt", id="space in front"),
        pytest.param("gpt ", id="space behind"),
    ],
)
def test_what_careless_readers_change_is_no_name(text):
    with pytest.raises(Unreadable):
        plain_model(text)


def test_a_model_may_be_named_again():
    assert one_model(one_model(None, ""), "") == ""


def test_another_model_may_not_be_named():
    with pytest.raises(Unreadable):
        one_model("", "gpt-4o")


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("models/gemini-2.0-flash", "gemini-2.0-flash"),
        ("tunedModels/mine", "mine"),
        ("gemini-2.0-flash", "gemini-2.0-flash"),
        ("org/models/m", "org/models/m"),
        ("models/models/m", "models/m"),
    ],
)
def test_a_collection_before_a_name_is_left_out_once(name, bare):
    assert bare_model(name) == bare


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("model_id", "modelid"),
        ("Model-ID", "modelid"),
        ("mode\u017f\u212a", "modesk"),
        ("\u0130\u0131", "ii"),
        ("\u00e9\ud800\x00", "e"),
        ("\u043c", ""),
    ],
)
def test_a_names_core_is_its_letters(name, letters):
    assert core(name) == letters
