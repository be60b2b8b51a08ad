import click
import pytest

from pyproxy.cli.manual.values import fields, seconds

CTX, PARAM = click.Context(click.Command("x")), click.Option(["--x"])


def test_seconds_are_a_number():
    assert seconds(CTX, PARAM, "2.5") == 2.5


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "nan", "inf", "3601"])
def test_other_times_are_refused(text):
    with pytest.raises(click.BadParameter, match="more than 0 and at most 3600"):
        seconds(CTX, PARAM, text)


def test_fields_have_a_colon():
    assert fields(CTX, PARAM, ("a: b",)) == ("a: b",)
    with pytest.raises(click.BadParameter) as refused:
        fields(CTX, PARAM, ("my-secret",))

    assert "my-secret" not in refused.value.message
