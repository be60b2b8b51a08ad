import json
import subprocess

import pytest

from pyproxy.cli.client_proof import Variable
from pyproxy.cli.client_variables import Group
from pyproxy.cli.env import settled

KEY = "the-one-key-of-this-gateway"
SECRET = "the-secret-that-callers-share"
CONFIG = f"""
[[listeners]]
bind = "0.0.0.0:5000"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
routes = ["openai", "claude", "own"]
[[listeners]]
bind = "127.0.0.1:6000"
routes = ["secret"]
[auth]
keys = ["{KEY}"]
[[routes]]
name = "openai"
provider = "openai"
path = "/openai"
[[routes]]
name = "claude"
provider = "anthropic"
path = "/claude"
[[routes]]
name = "own"
provider = "anthropic"
path = "/own"
credential_from = ["X-Gateway-Key"]
[[routes]]
name = "secret"
provider = "gemini"
auth = ["token"]
token = {{ secret = "{SECRET}" }}
"""


@pytest.fixture
def configured(here, certificates):
    """A gateway with routes of several kinds."""
    assert certificates
    (here / "pyproxy.toml").write_text(CONFIG)
    return here


@pytest.fixture
def env(pyproxy, configured):
    """Run it; whatever it says holds no secret."""
    assert configured

    def command(*arguments):
        code, out, err = pyproxy("env", *arguments)
        assert KEY not in "".join(out + err)
        assert SECRET not in "".join(out + err)
        return code, out, err

    return command


def test_shell_gets_what_every_route_needs(env, configured):
    code, out, err = env()
    done = subprocess.run(
        ["sh", "-euc", 'eval "$1"; env', "sh", "\n".join(out)],
        env={"PATH": "/usr/bin:/bin", "ANTHROPIC_API_KEY": "x"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())

    assert (code, err) == (0, [])
    assert found.keys() - {"PATH", "PWD", "SHLVL", "_", "OLDPWD"} == {
        "OPENAI_BASE_URL",
        "OPENAI_API_KEY",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_AUTH_TOKEN",
        "GOOGLE_GEMINI_BASE_URL",
        "GEMINI_API_BASE_URL",
        "GEMINI_API_KEY",
        "GEMINI_CLI_CUSTOM_HEADERS",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
    }
    assert found["OPENAI_BASE_URL"] == "https://localhost:5000/openai/v1"
    assert found["ANTHROPIC_BASE_URL"] == "https://localhost:5000/claude"
    assert found["GOOGLE_GEMINI_BASE_URL"] == "http://localhost:6000"
    assert found["SSL_CERT_FILE"] == str(configured / "certs" / "ca.crt")


def test_route_that_comes_second_is_named_in_a_comment(env):
    _, out, _ = env()

    assert "#   ANTHROPIC_BASE_URL is claude's already; choose with --route own" in out


def test_route_that_comes_second_can_be_chosen(env):
    _, out, _ = env("--route", "own", "--format", "json")

    found = json.loads("\n".join(out))
    assert found["ANTHROPIC_BASE_URL"] == "https://localhost:5000/own"
    assert "OPENAI_BASE_URL" not in found


@pytest.mark.parametrize("form", ["json", "k8s"])
def test_other_formats_say_on_standard_error_what_they_cannot_hold(env, form):
    code, out, err = env("--format", form)

    assert code == 0
    assert "own: ANTHROPIC_BASE_URL is claude's already; choose with --route own" in err
    assert not any("#" in line for line in out)


def test_unknown_route_is_compared_with_those_there_are(env):
    code, out, err = env("--route", "opnai", "--route", "openai")

    assert (code, out) == (2, [])
    assert err == ['pyproxy: --route: "opnai" is no route; did you mean "openai"?']


def test_url_is_where_clients_elsewhere_find_it(env):
    url = "https://localhost:443"
    _, out, _ = env("--route", "openai", "--url", url, "--format", "json")

    found = json.loads("\n".join(out))
    assert found["OPENAI_BASE_URL"] == f"{url}/openai/v1"


def test_url_cannot_stand_for_two_listeners(env):
    code, _, err = env("--url", "https://localhost:443")

    assert code == 2
    assert "--url: no listener serves all of these routes" in err[0]


def test_host_holds_for_every_listener(env):
    _, out, _ = env("--host", "gateway", "--format", "json")

    found = json.loads("\n".join(out))
    assert found["OPENAI_BASE_URL"] == "https://gateway:5000/openai/v1"
    assert found["GOOGLE_GEMINI_BASE_URL"] == "http://gateway:6000"


@pytest.mark.parametrize("host", ["::1", "fe80::1", "::"])
def test_host_may_be_an_address(env, host):
    _, out, _ = env("--host", host, "--format", "json", "--route", "openai")

    found = json.loads("\n".join(out))
    assert found["OPENAI_BASE_URL"] == f"https://[{host}]:5000/openai/v1"


@pytest.mark.parametrize("host", ["a/b", "a:1", "[::1]", "u@a", "a b", "", "[::1", "a\n"])
def test_what_is_no_host_is_said(env, host):
    code, _, err = env("--host", host, "--route", "openai")

    assert (code, "--host" in "".join(err)) == ((2, True) if host else (0, False))


def group(route, *pairs, unset=()):
    return Group(route, tuple(Variable(*pair) for pair in pairs), unset)


def test_group_is_given_up_as_a_whole():
    first, second = group("a", ("URL", "1")), group("b", ("URL", "2"), ("KEY", "2"))

    kept, lost = settled([first, second])

    assert kept == first
    assert lost.variables == ()
    assert "URL is a's already" in lost.remarks[0]


def test_group_of_which_all_is_said_already_is_left_out():
    first, second = group("a", ("CA", "1")), group("b", ("CA", "1"))

    assert list(settled([first, second])) == [first]


def test_group_says_only_what_is_new():
    first, second = group("a", ("CA", "1")), group("b", ("CA", "1"), ("X", "2"))

    assert [each.name for found in settled([first, second]) for each in found.variables] == [
        "CA",
        "X",
    ]


def test_what_another_route_sets_is_not_unset():
    first, second = group("a", ("KEY", "1")), group("b", ("X", "2"), unset=("KEY", "OTHER"))

    _, found = settled([first, second])

    assert found.unset == ("OTHER",)
