import pytest
from pydantic import TypeAdapter, ValidationError

from pyproxy.config.bind import Bind, BindText, OptionalBindText


@pytest.mark.parametrize(
    ("text", "bind", "is_public"),
    [
        pytest.param("0.0.0.0:5000", Bind("0.0.0.0", 5000), True, id="every interface"),
        pytest.param("[::]:5000", Bind("::", 5000), True, id="every IPv6 interface"),
        pytest.param("127.0.0.1:0", Bind("127.0.0.1", 0), False, id="loopback, any port"),
        pytest.param("[::1]:80", Bind("::1", 80), False, id="IPv6 loopback"),
        pytest.param("10.1.2.3:80", Bind("10.1.2.3", 80), False, id="private"),
        pytest.param("8.8.8.8:443", Bind("8.8.8.8", 443), True, id="public"),
        pytest.param("LocalHost:80", Bind("localhost", 80), False, id="localhost"),
        pytest.param("gateway:80", Bind("gateway", 80), True, id="name"),
        pytest.param("unix:/run/p.sock", Bind("", 0, "/run/p.sock"), False, id="unix socket"),
    ],
)
def test_an_address_is_taken_apart(text, bind, is_public):
    assert Bind.parse(text) == bind
    assert Bind.parse(text).is_public == is_public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5000",
        ":5000",
        "0.0.0.0",
        "0.0.0.0:",
        "0.0.0.0:65536",
        "::1:80",
        "[x]:80",
        "[::1::]:80",
        "unix:",
        "unix:a\0b",
        "a b:80",
    ],
    ids=repr,
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="must be an address with a port"):
        Bind.parse(text)
    with pytest.raises(ValidationError):
        TypeAdapter(BindText).validate_python(text)


def test_an_address_may_be_none_where_none_is_meant():
    adapter = TypeAdapter(OptionalBindText)

    assert adapter.validate_python("") == ""
    assert adapter.validate_python("[::1]:1") == "[::1]:1"


@pytest.mark.parametrize(
    ("one", "other", "do_meet"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "127.0.0.1:81", False),
        ("127.0.0.1:80", "127.0.0.2:80", False),
        ("127.0.0.1:80", "0.0.0.0:80", True),
        ("localhost:80", "0.0.0.0:80", True),
        ("[::1]:80", "[::]:80", True),
        ("[::1]:80", "0.0.0.0:80", False),
        ("127.0.0.1:80", "[::]:80", False),
        ("0.0.0.0:80", "[::]:80", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
        ("unix:/x", "unix:/x", True),
        ("unix:/x", "unix:/y", False),
        ("unix:/x", "127.0.0.1:80", False),
    ],
)
def test_two_listeners_may_meet(one, other, do_meet):
    assert Bind.parse(one).meets(Bind.parse(other)) == do_meet
    assert Bind.parse(other).meets(Bind.parse(one)) == do_meet
