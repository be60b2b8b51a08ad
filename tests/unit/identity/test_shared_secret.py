import pytest

from pyproxy.errors.refusal import InvalidSharedSecret, NoSharedSecret
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.wire.head import read_request_head

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
    assert isinstance(caught.value, NoSharedSecret) is (detail != "wrong")


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([b"X-Other: open sesame"], [], id="another header"),
        pytest.param([b"X-Proxy-Token: open barley"], [], id="another value"),
        pytest.param([b"x-proxy-token:open sesame"], [b"open sesame"], id="the secret"),
        pytest.param(
            [b"X-Proxy-Token: open barley", b"X-PROXY-TOKEN:  open sesame "], [b"open sesame"],
            id="the secret, and another",
        ),
    ],
)  # fmt: skip
def test_the_secret_is_known_again_whoever_asks(lines, values):
    head = read_request_head(b"\r\n".join([b"GET / HTTP/1.1", *lines, b"", b""]))

    assert SECRET.presented(head) == values


def test_secret_is_not_kept():
    assert not any("sesame" in repr(getattr(SECRET, name)) for name in SharedSecret.__slots__)


def test_empty_secret_is_refused_at_load():
    with pytest.raises(ValueError, match="let everybody in"):
        SharedSecret("X-Proxy-Token", "")
