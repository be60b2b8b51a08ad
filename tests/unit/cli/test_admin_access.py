import pytest

from pyproxy.cli.admin_access import AdminAccess, NoAnswer, access_to
from pyproxy.config.bind import Bind
from pyproxy.errors.fault import ConfigurationError
from tests.desk import Desk

CONFIGURATION = """
[server]
admin = "{admin}"
{more}
[[listeners]]
bind = "127.0.0.1:5000"
[auth]
keys = ["a-plain-key-of-somebody"]
"""
TOKEN = "the-admin-token-of-this-gateway"


@pytest.fixture
def configure(here):
    def configure_(admin, more=""):
        (here / "pyproxy.toml").write_text(CONFIGURATION.format(admin=admin, more=more))

    return configure_


def test_listener_is_where_the_configuration_says(configure):
    configure("127.0.0.1:9123")

    assert access_to(None, "", "").address == Bind("127.0.0.1", 9123)


def test_without_a_file_it_is_where_it_is_by_default(here):
    del here

    assert access_to(None, "", "").address == Bind("127.0.0.1", 9100)
    assert access_to(None, "", TOKEN).token.reveal() == TOKEN


@pytest.mark.parametrize(("admin", "host"), [("[::]:9100", "::1"), ("10.1.2.3:9100", "10.1.2.3")])
def test_every_interface_is_reached_by_loopback(configure, admin, host):
    configure(admin, f'admin_token = "{TOKEN}"')

    assert access_to(None, "", "").address.host == host


def test_configured_token_is_shown(configure, desk):
    desk.token = TOKEN
    configure(f"127.0.0.1:{desk.server_port}", f'admin_token = "{TOKEN}"')

    assert access_to(None, "", "").ask("/status").status == 200


def test_token_of_the_command_line_wins(configure, desk):
    desk.token = TOKEN
    configure(f"127.0.0.1:{desk.server_port}", 'admin_token = "another-token-altogether"')

    assert access_to(None, "", TOKEN).ask("/status").status == 200


def test_configured_token_is_shown_to_no_other_gateway(configure, desk):
    desk.token = TOKEN
    configure("127.0.0.1:9123", f'admin_token = "{TOKEN}"')

    with pytest.raises(NoAnswer, match="wants the admin token"):
        access_to(None, desk.url, "").ask("/status")


def test_wrong_token_is_not_told_for_a_missing_one(desk):
    desk.token = TOKEN

    with pytest.raises(NoAnswer, match=r"does not take this token: see server\.admin_token"):
        access_to(None, desk.url, "another-token-altogether").ask("/status")


def test_token_stands_in_no_sentence_and_no_repr(desk):
    desk.token = "quite another token"
    access = access_to(None, desk.url, TOKEN)

    with pytest.raises(NoAnswer) as caught:
        access.ask("/status")

    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(access)


def test_unix_socket_is_asked(here, configure):
    desk = Desk(str(here / "admin.sock"))
    configure("unix:admin.sock")
    try:
        assert access_to(None, "", "").ask("/status").status == 200
        assert access_to(None, "unix:admin.sock", "").ask("/status").status == 200
    finally:
        desk.leave()


def test_proxy_of_the_environment_is_not_used(desk, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert AdminAccess.at(desk.url).ask("/status").status == 200


def test_listener_that_is_turned_off_cannot_be_asked(configure):
    configure("")

    with pytest.raises(ConfigurationError, match=r"server\.admin: is turned off"):
        access_to(None, "", "")


def test_port_that_the_system_chose_must_be_named(configure):
    configure("127.0.0.1:0")

    with pytest.raises(ConfigurationError, match="name it by --url"):
        access_to(None, "", "")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:9100",
        "ftp://127.0.0.1",
        "http://",
        "http://127.0.0.1:99999",
        "http://user:password@127.0.0.1:9100",
        "http://127.0.0.1:9100/status",
        "http://127.0.0.1:9100/?x",
        "http://[::1",
        "unix:",
    ],
)
def test_url_that_leads_nowhere_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"--url: must be http://HOST:PORT"):
        AdminAccess.at(url)


@pytest.mark.parametrize(
    ("url", "address", "is_tls"),
    [
        ("http://127.0.0.1:9100", Bind("127.0.0.1", 9100), False),
        ("http://[::1]:9100/", Bind("::1", 9100), False),
        ("https://admin.example", Bind("admin.example", 443), True),
    ],
)
def test_url_says_where(url, address, is_tls):
    access = AdminAccess.at(url)

    assert (access.address, access.is_tls) == (address, is_tls)


@pytest.mark.parametrize("token", ["snow\N{SNOWMAN}man", "a\r\nHost: b", " "])
def test_token_that_no_header_can_hold_is_refused(token):
    with pytest.raises(ConfigurationError, match="--token: cannot be sent"):
        access_to(None, "http://127.0.0.1:9100", token)


def test_nobody_there_is_said_with_what_to_do(unused_port):
    said = r":\d+: connection refused; is the gateway running there\? server\.admin"
    with pytest.raises(NoAnswer, match=said):
        AdminAccess.at(f"http://127.0.0.1:{unused_port}").ask("/status")


def test_socket_that_is_not_there_is_said_with_what_to_do():
    with pytest.raises(NoAnswer, match=r"nowhere\.sock: no such file or directory; is the"):
        AdminAccess.at("unix:nowhere.sock").ask("/status")


def test_name_that_cannot_be_one_is_said():
    with pytest.raises(NoAnswer, match=r"name not known.*is the gateway running"):
        AdminAccess.at(f"http://{'a' * 70}.example:1").ask("/status")


def test_what_is_not_http_is_told_apart(saying):
    with pytest.raises(NoAnswer, match="is the gateway running"):
        AdminAccess.at(f"http://127.0.0.1:{saying(bytes(range(128, 256)))}").ask("/status")


def test_certificate_of_a_stranger_is_not_trusted(answering, certificates):
    port = answering(tls=certificates[1])

    with pytest.raises(NoAnswer, match="certificate"):
        AdminAccess.at(f"https://127.0.0.1:{port}").ask("/status")


@pytest.mark.parametrize(
    "body", [b"<html>", b"[" * 100_000, b"\xff"], ids=["HTML", "deep", "bytes"]
)
def test_what_is_not_json_is_another_servers(answering, body):
    with pytest.raises(NoAnswer, match="another server answers there"):
        AdminAccess.at(f"http://127.0.0.1:{answering(body=body)}").ask("/status")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"host_not_allowed","message":"Not by this name."}', ": Not by this name."),
        (b'{"error":"rate_limited"}', ": rate_limited"),
        (b'{"message":"\\u001b[2J"}', r": \u001b[2J"),
        (b"[]", ""),
    ],
)
def test_refusal_is_passed_on_without_control_characters(answering, body, said):
    access = AdminAccess.at(f"http://127.0.0.1:{answering(status=403, body=body)}")

    with pytest.raises(NoAnswer) as caught:
        access.ask("/status")

    assert str(caught.value) == f"{access.where}: answers 403{said}"


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (b"12", " (Retry-After: 12 s)"),
        (b"Wed, 21 Oct 2026 07:28:00 GMT", ""),
        (b"\x1b[2J", ""),
        (b"-1", ""),
        (b"\xb2", ""),
        (b"9" * 7, ""),
    ],
    ids=["seconds", "date", "control characters", "negative", "superscript", "months"],
)
def test_how_long_to_wait_is_said(answering, wait, said):
    body = b'{"error":"rate_limited","message":"Too many requests."}'
    port = answering(status=429, fields=[(b"Retry-After", wait)], body=body)
    access = AdminAccess.at(f"http://127.0.0.1:{port}")

    with pytest.raises(NoAnswer) as caught:
        access.ask("/status")

    assert str(caught.value) == f"{access.where}: answers 429: Too many requests.{said}"


def test_redirection_is_not_followed(answering, desk):
    port = answering(status=302, fields=[(b"Location", desk.url.encode())], body=b"")

    with pytest.raises(NoAnswer, match="another server answers there"):
        AdminAccess.at(f"http://127.0.0.1:{port}").ask("/status")
