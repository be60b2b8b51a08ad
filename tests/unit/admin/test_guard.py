import pytest

from pyproxy.admin.guard import FAILURES, Guard, is_local_name, refuse_strangers
from pyproxy.config.secret import Secret
from pyproxy.errors.refusal import (
    CrossOrigin,
    HostNotAllowed,
    InvalidToken,
    MissingToken,
    RateLimited,
)
from pyproxy.wire.head import read_request_head

TOKEN = "a-token-of-operators"
HERE = "192.0.2.7"


def head(*lines):
    return read_request_head("\r\n".join(("GET / HTTP/1.1", *lines, "", "")).encode())


def bearer(token=TOKEN):
    return head(f"Authorization: Bearer {token}")


def admit(guard, request, *, host=b"localhost", address=HERE, now=0.0):
    guard.admit(request, host, address, now)


@pytest.fixture
def guard():
    return Guard(Secret(TOKEN))


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1", b"[::1]", b"10.1.2.3", b"[fe80::1]", b"localhost", b"localhost.", b"pyproxy",
        b"a.localhost", b"printer.local", b"db.internal", b"nas.home.arpa",
        b"pyproxy.ns.svc", b"pyproxy.ns.svc.cluster.local", b"",
    ],
)  # fmt: skip
def test_a_name_that_no_stranger_can_have_is_local(host):
    assert is_local_name(host)


@pytest.mark.parametrize(
    "host",
    [
        b"evil.test", b"127.0.0.1.evil.test", b"localhost.evil.test", b"evil.local.test",
        b"1.2.3", b"127.0.0.1.nip.io", b"evillocal.com", b"x.svc.evil.com", b"a..", b"0x7f.1",
    ],
)  # fmt: skip
def test_a_name_that_may_be_a_strangers_is_not(host):
    assert not is_local_name(host)


def test_without_a_token_a_rebound_name_is_refused():
    with pytest.raises(HostNotAllowed):
        admit(Guard(), head(), host=b"evil.test")

    admit(Guard(), head())


def test_with_a_token_the_name_does_not_matter(guard):
    admit(guard, bearer(), host=b"metrics.example.com")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_taken_in_any_case(guard, scheme):
    admit(guard, head(f"Authorization: {scheme} {TOKEN}"))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="nothing"),
        pytest.param([f"Authorization: {TOKEN}"], id="no scheme"),
        pytest.param(["Authorization: Basic YTpi"], id="Basic"),
        pytest.param([f"X-Api-Key: {TOKEN}"], id="another field"),
        pytest.param([f"Authorization: Bearer {TOKEN}"] * 2, id="twice"),
        pytest.param(["Authorization: Bearer"], id="scheme alone"),
    ],
)
def test_who_shows_no_token_is_refused(guard, lines):
    with pytest.raises(MissingToken):
        admit(guard, head(*lines))


@pytest.mark.parametrize(
    "token", [TOKEN[:-1], TOKEN + "x", TOKEN.upper(), f"{TOKEN} {TOKEN}", "x", f'"{TOKEN}"']
)
def test_another_token_is_refused(guard, token):
    with pytest.raises(InvalidToken):
        admit(guard, bearer(token))


def test_guesses_are_slowed_down_and_the_right_one_with_them(guard):
    for _ in range(FAILURES.quota):
        with pytest.raises(InvalidToken):
            admit(guard, bearer("guess"))

    with pytest.raises(RateLimited) as refused:
        admit(guard, bearer())
    assert dict(refused.value.fields)[b"Retry-After"]
    admit(guard, bearer(), now=FAILURES.interval_s + 1.0)


def test_guesses_of_one_address_are_no_matter_to_another(guard):
    for _ in range(FAILURES.quota):
        with pytest.raises(InvalidToken):
            admit(guard, bearer("guess"))

    admit(guard, bearer(), address="192.0.2.8")


def test_who_knows_the_token_may_ask_as_often_as_it_likes(guard):
    for _ in range(10 * FAILURES.quota):
        admit(guard, bearer())


def test_who_shows_nothing_does_not_use_up_the_guesses(guard):
    for _ in range(10 * FAILURES.quota):
        with pytest.raises(MissingToken):
            admit(guard, head())

    admit(guard, bearer())


def test_another_token_counts_from_now_on(guard):
    guard.renew(Secret("another-one"))

    with pytest.raises(InvalidToken):
        admit(guard, bearer())
    admit(guard, bearer("another-one"))
    guard.renew(None)
    assert not guard.wants_token
    admit(guard, head())


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="a program"),
        pytest.param(["Origin: http://localhost:9100"], id="our page"),
        pytest.param(["Origin: https://LOCALHOST:9100"], id="our page behind TLS"),
        pytest.param(["Sec-Fetch-Site: same-origin"], id="same-origin"),
        pytest.param(["Sec-Fetch-Site: none"], id="typed"),
    ],
)
def test_who_is_no_strangers_page_may_change_something(lines):
    refuse_strangers(head("Host: localhost:9100", *lines))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Origin: https://evil.test"], id="another origin"),
        pytest.param(["Origin: null"], id="sandboxed"),
        pytest.param(["Origin:"], id="empty"),
        pytest.param(["Origin: http://localhost:9101"], id="another port"),
        pytest.param(["Origin: http://localhost:9100.evil.test"], id="longer"),
        pytest.param(["Origin: localhost:9100"], id="no scheme"),
        pytest.param(["Sec-Fetch-Site: cross-site"], id="cross-site"),
        pytest.param(["Sec-Fetch-Site: same-site"], id="same-site"),
        pytest.param(
            ["Origin: https://evil.test", "Origin: http://localhost:9100"], id="two origins"
        ),
        pytest.param(["Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"], id="two sites"),
    ],
)
def test_a_strangers_page_may_not(lines):
    with pytest.raises(CrossOrigin):
        refuse_strangers(head("Host: localhost:9100", *lines))
