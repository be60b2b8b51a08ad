"""What it does without a terminal; with one: tests/process/test_top.py."""

import pytest


def test_without_a_terminal_it_prints_once(pyproxy, desk):
    code, out, err = pyproxy("top", "--url", desk.url)

    assert (code, err) == (0, [])
    assert out[0] == "pyproxy 0.1.0  serving  up 12 s, workers 1 of 1"
    assert "\x1b" not in "".join(out)


def test_nobody_there_is_said_with_what_to_do(pyproxy, unused_port):
    code, out, err = pyproxy("top", "--url", f"http://127.0.0.1:{unused_port}", "--once")

    assert (code, out) == (1, [])
    assert "refused; is the gateway running there? server.admin or --url" in err[0]


def test_token_is_wanted(pyproxy, desk):
    desk.token = "the-admin-token"

    code, _, err = pyproxy("top", "--url", desk.url)

    assert code == 1
    assert err[0].endswith(
        "wants the admin token: set server.admin_token or ADMIN_TOKEN, or --token"
    )
    assert pyproxy("top", "--url", desk.url, "--token", "the-admin-token")[0] == 0


@pytest.mark.parametrize("interval", ["1", "0s", "often", "99ms"])
def test_interval_is_a_time(pyproxy, interval):
    assert pyproxy("top", "--interval", interval)[0] == 2
