import base64

import pytest

from pyproxy.gateway.trailers import Withheld
from pyproxy.transform.request import upward_rules

KEY = b"pyp_ours-0123456789abcdef"
PLAIN = upward_rules(also_dropped=frozenset({b"x-gate"}))
INJECTING = upward_rules(injected=((b"X-Cred", b"PROVIDER"),))
PUBLIC = upward_rules(injected=((b"X-Cred", b"PROVIDER"),), tells_client=False)


def trailer(name, value):
    return name.lower(), b"%b: %b\r\n" % (name, value)


@pytest.mark.parametrize(
    ("name", "value", "stays"),
    [
        pytest.param(b"X-Sum", b"1", False, id="anything"),
        pytest.param(b"X-Gate", b"1", True, id="a field that does not travel"),
        pytest.param(b"X-Sum", b"a" + KEY, True, id="the caller's key"),
        pytest.param(b"X-Sum", KEY.replace(b"_", b"%5F"), True, id="escaped"),
        pytest.param(b"X-Sum", b"Basic " + base64.b64encode(b"u:" + KEY), True, id="for Basic"),
    ],
)
def test_trailers_travel_but_for_what_is_the_callers_or_ours(name, value, stays):
    assert Withheld(PLAIN, KEY)(trailer(name, value)) is stays


def test_nobodys_credential_is_in_no_trailer():
    assert not Withheld(PLAIN, b"")(trailer(b"X-Sum", b""))


def test_beside_an_injected_credential_no_other_travels_and_to_a_public_api_nothing():
    assert not Withheld(INJECTING, b"")(trailer(b"X-Sum", b"1"))
    assert Withheld(INJECTING, b"")(trailer(b"X-Cred", b"1"))
    assert Withheld(PUBLIC, b"")(trailer(b"X-Sum", b"1"))


def test_a_token_does_not_print():
    assert KEY.decode() not in repr(Withheld(PLAIN, KEY))
