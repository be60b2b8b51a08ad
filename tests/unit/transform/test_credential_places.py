import pytest

from pyproxy.transform.credential_places import (
    CREDENTIAL_QUERY,
    credential_fields,
    plain_name,
    without_credentials,
)


def test_fields_are_found_by_the_form_of_their_names():
    names = (
        b"x-new-api-key",
        b"vendor-auth",
        b"content-type",
        b"idempotency-key",
        b"token",
    )

    assert credential_fields(dict.fromkeys(names)) == {
        b"x-new-api-key", b"vendor-auth", b"token",
    }  # fmt: skip


@pytest.mark.parametrize("spelling", [b"Api_Key=1", b"%41PI-KEY", b"+api%5fkey%00=", b"%20api_key"])
def test_a_parameters_name_has_one_spelling(spelling):
    assert plain_name(spelling) == b"api-key"


@pytest.mark.parametrize(
    ("query", "left"),
    [
        pytest.param(b"a=1&b=2;c", b"a=1&b=2;c", id="nothing to take off"),
        pytest.param(b"key=C", None, id="nothing left"),
        pytest.param(b"token=C;key=C", None, id="nothing left of one with a semicolon"),
        pytest.param(b"a;key=C;b&&token=C&c", b"a;b&&c", id="the others in order"),
    ],
)
def test_parameters_are_taken_off(query, left):
    assert without_credentials(query, CREDENTIAL_QUERY) == left
