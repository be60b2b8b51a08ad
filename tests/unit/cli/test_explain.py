import pytest

KEY = "a-plain-key-of-somebody"
CONFIG = f"""
[[listeners]]
bind = "127.0.0.1:5000"
[[listeners]]
bind = "127.0.0.1:5001"
routes = ["second"]
[[listeners]]
bind = "unix:x.sock"
[auth]
keys = ["{KEY}"]
[rate_limits.none]
rate = "1r/h"
burst = 0
[[routes]]
name = "first"
path = "/first"
upstream = "https://api.example.test/base"
credential = {{ header = "Authorization", value = "Bearer very-secret-value" }}
request_headers = {{ X-Team = "secret-team" }}
allow_from = ["192.0.2.0/24"]
[[routes]]
name = "second"
path = "/second"
upstream = "http://127.0.0.1:1"
credential = {{ query = "code", value = "very-secret-value" }}
[[routes]]
name = "copilot"
path = "/copilot"
provider = "copilot-api"
[[routes]]
name = "gemini"
path = "/gemini"
provider = "gemini"
credential = {{ value = "very-secret-value" }}
models = ["gemini-3*"]
"""


@pytest.fixture
def explain(pyproxy, here):
    (here / "pyproxy.toml").write_text(CONFIG)

    def ask(method, path, *arguments, port=5000):
        code, out, err = pyproxy("explain", method, f"http://localhost:{port}{path}", *arguments)
        assert err == []
        return code, "\n".join(out)

    return ask


BEARER = ("-H", f"Authorization: Bearer {KEY}")


def test_request_that_is_let_in_is_shown_as_it_would_be_sent(explain):
    code, text = explain("GET", "/first/x?a=1", *BEARER, "--from", "192.0.2.7")

    assert code == 0
    assert "route      first" in text
    assert "let in     yes; sent to api.example.test:443" in text
    assert "GET /base/x?a=1 HTTP/1.1" in text
    assert "Host: api.example.test" in text
    assert "limits     api 10r/s burst 20 per ip" in text


def test_secrets_are_left_out(explain):
    _, header = explain("GET", "/first/x", *BEARER, "--from", "192.0.2.7")
    _, query = explain("GET", "/second/x?a=1", *BEARER, "-H", "Cookie: id=very-secret-value")

    assert "Cookie: ***" in query
    assert "Authorization: ***" in header
    assert "X-Team: ***" in header
    assert "code=***" in query
    for text in (header, query):
        assert "very-secret-value" not in text
        assert "secret-team" not in text
        assert KEY not in text


@pytest.mark.parametrize(
    ("path", "arguments", "verdict"),
    [
        pytest.param("/nowhere", (), "404 not_found", id="no route"),
        pytest.param("/second", (), "401 missing_token", id="no credential"),
        pytest.param("/second", ("-H", "x-api-key: wrong"), "401 invalid_token", id="wrong key"),
        pytest.param("/second", ("-H", "no token: x"), "400 bad_request", id="malformed field"),
        pytest.param("/second/../first", BEARER, "400 bad_request", id="dots"),
        pytest.param(
            "/second",
            ("-H", "Content-Length: 1", "-H", "Transfer-Encoding: chunked"),
            "400 bad_request",
            id="CL.TE",
        ),
        pytest.param("/first", BEARER, "403 ip_not_allowed", id="address"),
        pytest.param("/copilot/token", BEARER, "403 path_denied", id="copilot's token"),
        pytest.param("/token", BEARER, "405 method_not_allowed", id="own endpoint"),
    ],
)
def test_request_that_is_refused_is_not_sent(explain, path, arguments, verdict):
    code, text = explain("GET", path, *arguments)

    assert code == 1
    assert f"refused    {verdict}" in text
    assert "because    " in text
    assert "would send" not in text


def test_model_in_a_url_is_judged(explain):
    let_in, _ = explain("POST", "/gemini/v1beta/models/gemini-3-pro:generateContent", *BEARER)
    code, text = explain("POST", "/gemini/v1beta/models/gemini-2:generateContent", *BEARER)

    assert (let_in, code) == (0, 1)
    assert "refused    403 model_not_allowed" in text
    assert "because    the model gemini-2" in text
    assert "models     gemini-3*" in text


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_body_in_which_the_model_would_be_is_not_waited_for(explain, framing):
    json = ("-H", "Content-Type: application/json", "-H", framing)
    code, text = explain("POST", "/gemini/v1beta/openai/chat/completions", *BEARER, *json)

    assert code == 1
    assert "because    the model would be in the body, which is not looked at here" in text


def test_reason_is_the_operators(explain):
    _, text = explain("GET", "/second", "-H", "Authorization: Bearer wrong")

    assert "because    unknown key" in text or "because    no " in text


def test_own_endpoint_answers_itself(explain):
    code, text = explain("GET", "/health")

    assert code == 0
    assert "answered   200 by the gateway itself" in text


def test_port_says_which_listener(explain):
    assert "404" in explain("GET", "/first", port=5001)[1]


def test_port_that_no_listener_has_is_said(pyproxy, here):
    (here / "pyproxy.toml").write_text(CONFIG)

    code, out, err = pyproxy("explain", "GET", "http://localhost:9/first")

    assert code == 1
    assert any("403" in line for line in out)
    assert err == ["no listener has port 9; asked of 127.0.0.1:5000"]


def test_field_without_a_colon_is_a_mistake_and_not_shown(pyproxy, here):
    (here / "pyproxy.toml").write_text(CONFIG)

    code, out, err = pyproxy("explain", "GET", "http://localhost:5000/first", "-H", f"x-k {KEY}")

    assert code == 2
    assert out == []
    assert "must be 'NAME: VALUE', with a colon" in "".join(err)
    assert KEY not in "".join(err)


def test_path_is_enough_of_nothing(explain):
    assert "route      " not in explain("GET", "")[1]


def test_what_is_no_url_is_said(pyproxy, here):
    (here / "pyproxy.toml").write_text(CONFIG)

    code, _, err = pyproxy("explain", "GET", "/first")

    assert code == 2
    assert err == [
        "pyproxy: URL: '/first' is a path; write all of it, such as http://localhost:5000/first"
    ]


def test_what_is_neither_url_nor_path_is_said(pyproxy, here):
    (here / "pyproxy.toml").write_text(CONFIG)

    code, _, err = pyproxy("explain", "GET", "localhost:5000")

    assert code == 2
    assert "is none, such as http://localhost:5000/v1/models" in err[0]


def test_scheme_says_which_port(explain, pyproxy):
    code, out, _ = pyproxy("explain", "GET", "https://localhost/health")

    assert explain
    assert code == 0
    assert out
