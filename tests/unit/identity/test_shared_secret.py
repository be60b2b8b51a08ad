import pytest

from pyproxy.errors.refusal import InvalidSharedSecret
from pyproxy.identity.shared_secret import SharedSecret

SECRET = SharedSecret("X-Proxy-Token", "open sesame")


def test_right_secret_lets_in():
    principal = SECRET.verify({b"x-proxy-token": b"open sesame"}, ())

    assert (principal.kind, principal.name) == ("token", "shared-secret")


@pytest.mark.parametrize(
    ("index", "repeated", "detail"),
    [
        pytest.param({}, (), "missing", id="missing"),
        pytest.param({b"x-proxy-token": b""}, (), "wrong", id="empty"),
        pytest.param({b"x-proxy-token": b"open sesam"}, (), "wrong", id="beginning"),
        pytest.param({b"x-proxy-token": b"Open Sesame"}, (), "wrong", id="other case"),
        pytest.param({b"x-proxy-token": b"\xff\xfe"}, (), "wrong", id="not ASCII"),
        pytest.param({b"authorization": b"open sesame"}, (), "missing", id="other header"),
        pytest.param(
            {b"x-proxy-token": b"open sesame"}, {b"x-proxy-token"}, "sent twice", id="twice"
        ),
    ],
)
def test_anything_else_does_not(index, repeated, detail):
    with pytest.raises(InvalidSharedSecret) as caught:
        SECRET.verify(index, repeated)

    assert (caught.value.status, caught.value.code, caught.value.detail) == (
        403,
        "invalid_token",
        detail,
    )


def test_secret_is_not_kept():
    assert not any("sesame" in repr(getattr(SECRET, name)) for name in SharedSecret.__slots__)


def test_empty_secret_is_refused_at_load():
    with pytest.raises(ValueError, match="let everybody in"):
        SharedSecret("X-Proxy-Token", "")
