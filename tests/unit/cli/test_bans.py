import json


def test_bans_are_listed_with_what_is_left_of_them(pyproxy, desk):
    desk.bans = {"203.0.113.7": 811.0, "2001:db8:1:2::/64": 30.0}

    code, out, err = pyproxy("bans", "list", "--url", desk.url)

    assert (code, err) == (0, [])
    assert [line.split(maxsplit=1) for line in out] == [
        ["203.0.113.7", "13 min 31 s"],
        ["2001:db8:1:2::/64", "30 s"],
    ]


def test_nobody_banned_leaves_the_output_empty(pyproxy, desk):
    assert pyproxy("bans", "list", "--url", desk.url) == (0, [], ["Nobody is banned."])


def test_bans_are_listed_for_programs(pyproxy, desk):
    desk.bans = {"203.0.113.7": 811.5}

    code, out, _ = pyproxy("bans", "list", "--json", "--url", desk.url)

    assert code == 0
    assert json.loads(out[0]) == {"bans": [{"address": "203.0.113.7", "seconds_left": 811.5}]}


def test_hostile_address_cannot_talk_to_the_terminal(pyproxy, desk):
    desk.bans = {"\x1b[2J": 1.0}

    assert pyproxy("bans", "list", "--url", desk.url)[1][0].split() == ["\\u001b[2J", "1", "s"]


def test_ban_is_lifted(pyproxy, desk):
    desk.bans = {"2001:db8:1:2::/64": 30.0}

    code, out, err = pyproxy("bans", "lift", "2001:db8:1:2::/64", "--url", desk.url)

    assert (code, out, err) == (0, [], ["2001:db8:1:2::/64 may come in again."])
    assert desk.lifted == ["2001:db8:1:2::/64"]


def test_who_is_not_banned_cannot_be_let_in(pyproxy, desk):
    code, _, err = pyproxy("bans", "lift", "203.0.113.7", "--url", desk.url)

    assert (code, err) == (1, ["pyproxy: 203.0.113.7 is not banned"])


def test_what_is_no_address_is_not_asked_about(pyproxy, desk):
    code, _, err = pyproxy("bans", "lift", "somebody", "--url", desk.url)

    assert code == 2
    assert err == [
        "pyproxy: ADDRESS: 'somebody' is no IP address, such as 192.0.2.7 or 2001:db8::/64"
    ]


def test_nobody_there_is_said(pyproxy, unused_port):
    url = f"http://127.0.0.1:{unused_port}"
    for command in (("list",), ("lift", "203.0.113.7")):
        code, _, err = pyproxy("bans", *command, "--url", url)

        assert code == 1
        assert "is the gateway running there?" in err[0]


def test_token_is_taken_from_the_environment(pyproxy, desk, monkeypatch):
    desk.token = "the-admin-token"
    monkeypatch.setenv("ADMIN_TOKEN", "the-admin-token")

    assert pyproxy("bans", "list", "--url", desk.url)[0] == 0
