"""Which files are for the owner alone."""

import hashlib
import json

import pytest

from pyproxy.assembly.private_files import holds_secrets, private_files
from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.signing_keys import generate_key_set

PAIR = generate_key_set("ES256")
PUBLIC = {"keys": [without_private(PAIR["keys"][0])]}
HASHED = f"alice:sha256:{hashlib.sha256(b'x').hexdigest()}\n"
ROUTE = '[[routes]]\nname = "one"\nupstream = "https://a"\n'
SCHEMES = {"[store": "redis"}  # of a URL with a password; else http
ANY_KEY = '[auth]\nkeys = ["a-plain-key-of-somebody"]\n'


@pytest.fixture
def put(tmp_path):
    def put_(name, content):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return put_


def test_files_of_secrets_are_secret(configured, put):
    files = (put("api.key", "a-key-of-somebody"), put("shared", "s"), put("provider", "p"))
    settings = configured(
        '[auth]\nkeys = [{ file = "api.key" }, "a-plain-key-of-somebody"]\n'
        + ROUTE
        + 'auth = ["token", "key"]\ntoken = { secret = { file = "shared" } }\n'
        + 'credential = { header = "X", value = { file = "provider" } }\n'
    )

    assert private_files(settings).secret == files


def test_a_secret_of_the_environments_file_is_too(configured, put):
    path = put("shared", "s")
    text = ANY_KEY + ROUTE + 'auth = ["token"]\n'

    assert private_files(configured(text, PROXY_SECRET_FILE=str(path))).secret == (path,)


def test_a_proxys_url_is_where_it_has_a_password(configured, put):
    path = put("proxy", "http://alice:secret@proxy.example:3128")
    bare = put("bare", "http://proxy.example:3128")
    of = ANY_KEY + '[egress]\nproxy = {{ file = "{}" }}\n' + ROUTE

    assert private_files(configured(of.format("proxy"))).secret == (path,)
    assert bare.exists()
    assert private_files(configured(of.format("bare"))).secret == ()


def test_private_keys_towards_upstreams_are(configured, tmp_path):
    tls = 'tls = { certificate = "a.pem", private_key = "b.pem" }\n'

    assert private_files(configured(ANY_KEY + ROUTE + tls)).secret == (tmp_path / "b.pem",)


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        pytest.param(HASHED, False, id="hashes"),
        pytest.param(HASHED + "a-plain-key-of-somebody\n", True, id="a plain key"),
        pytest.param("a b c\n", False, id="malformed: its reader says so"),
    ],
)
def test_a_keys_file_is_what_it_holds(configured, put, text, is_secret):
    path = put("keys.txt", text)

    found = private_files(configured('[auth]\nkeys_file = "keys.txt"\n'))

    assert (found.secret, found.hashed) == (((path,), ()) if is_secret else ((), (path,)))


@pytest.mark.parametrize(
    ("content", "is_secret"),
    [
        pytest.param(PUBLIC, False, id="public"),
        pytest.param(PAIR, True, id="private"),
        pytest.param({"keys": [7, {"kty": "oct", "k": "AAAA"}]}, True, id="symmetric"),
        pytest.param("rubbish", False, id="rubbish: its reader says so"),
        pytest.param(None, False, id="missing: likewise"),
    ],
)
def test_a_key_set_is_what_it_holds(configured, put, tmp_path, content, is_secret):
    path = tmp_path / "set.json"
    if content is not None:
        put("set.json", content)

    found = private_files(configured(ANY_KEY + '[auth.jwt]\njwks_file = "set.json"\n'))

    assert found.secret == ((path,) if is_secret else ())


def test_signing_keys_always_are(configured, tmp_path):
    settings = configured(ANY_KEY + '[auth.jwt]\nsigning_keys_file = "set.json"\n')

    assert private_files(settings).secret == (tmp_path / "set.json",)


TRACED = "[traces]\nheaders = {{ Authorization = {} }}\n"


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("[server]\nadmin_token = {}\n", id="admin_token"),
        pytest.param("[store]\nurl = {}\n", id="store"),
        pytest.param("[egress]\nproxy = {}\n", id="proxy"),
        pytest.param(TRACED, id="traces"),
        pytest.param(ROUTE + 'credential = {{ header = "X", value = {} }}\n', id="credential"),
        pytest.param(ROUTE + 'auth = ["token"]\ntoken = {{ secret = {} }}\n', id="token"),
        pytest.param("[auth]\nkeys = [{}]\n", id="keys"),
    ],
)
def test_each_secret_counts_wherever_it_stands(configured, put, setting):
    text = SCHEMES.get(setting.partition("]")[0], "http") + "://alice:secret-of-hers@h.example:1"
    path = put("secret", text)
    # A key of the environment: the one secret besides must not stand in the file.
    key = {} if "keys" in setting else {"API_KEY": "a-plain-key-of-somebody"}

    in_file = configured(setting.format('{ file = "secret" }'), **key)
    literal = configured(setting.format(json.dumps(text)), **key)

    assert (private_files(in_file).secret, holds_secrets(in_file)) == ((path,), False)
    assert (private_files(literal).secret, holds_secrets(literal)) == ((), True)


@pytest.mark.parametrize(
    ("variable", "text"),
    [("ADMIN_TOKEN", "a-token"), ("REDIS_URL", "rediss://:secret@redis.example")],
)
def test_a_file_that_a_variable_names_counts_too(configured, put, variable, text):
    path = put("secret", text)

    settings = configured(ANY_KEY, **{f"{variable}_FILE": str(path)})

    assert private_files(settings).secret == (path,)


def test_a_stores_url_without_a_password_is_no_secret(configured, put):
    put("url", "redis://redis.example")
    settings = configured('[store]\nurl = { file = "url" }\n', API_KEY="a-plain-key-of-somebody")

    assert (private_files(settings).secret, holds_secrets(settings)) == ((), False)


def test_the_private_key_towards_the_store_is(configured, tmp_path):
    tls = '[store]\nurl = "rediss://h"\ncertificate = "a.pem"\nprivate_key = "b.pem"\n'

    assert private_files(configured(ANY_KEY + tls)).secret == (tmp_path / "b.pem",)
