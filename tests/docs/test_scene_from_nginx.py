"""docs/from-nginx.md: both sides of both examples, asked the same; and every key that it names."""

import json
import re
import shlex

import pytest

from pyproxy.config.schema import json_schema
from tests.docs.compared import OWN
from tests.docs.fronts import missing, nginx
from tests.docs.pages import ROOT
from tests.docs.scene import Scene, play
from tests.programs import demand

PAGE = "docs/from-nginx.md"
KEY = re.compile(
    r"`((?:listeners|routes|server|auth|rate_limits|endpoints|headers|cors|egress|store)"
    r"\.[\w.]+)(?: = [^`]*)?`"
)
CHAT = {
    "method": "POST",
    "path": "/v1/chat/completions?x=1",
    "body": '{"model": "m", "messages": []}',
    "fields": {"Content-Type": "application/json", "Authorization": "Bearer KEY"},
}
GUARDED = [
    {"path": "/health"},
    CHAT,
    {"path": "/v1/models", "fields": {"Authorization": "Bearer KEY"}},
    {"method": "HEAD", "path": "/v1/models", "fields": {"Authorization": "Bearer KEY"}},
    {"path": "/a%20b?q=%2F&r=1+2", "fields": {"Authorization": "Bearer KEY"}},
    {"path": "/v1/models"},
    {"path": "/v1/models", "fields": {"Authorization": "Bearer not-a-key"}},
]
UNLIKE = [
    {"path": "/v1/models", "fields": {"x-api-key": "KEY"}},
    {"path": "/usage", "fields": {"Authorization": "Bearer KEY"}},
    {"path": "/v1/../usage", "fields": {"Authorization": "Bearer KEY"}},
]
SECRET = {"X-Proxy-Token": "a-secret-of-32-characters-or-more", "xi-api-key": "sk_..."}
POD = "10.0.1.50"
PASSED = [
    {"path": "/health", "from": POD},
    {"path": "/elevenlabs/v1/voices", "from": POD, "fields": SECRET},
    {
        "method": "POST",
        "path": "/elevenlabs/v1/text-to-speech/a-voice",
        "from": POD,
        "body": '{"text": "Hello"}',
        "fields": {**SECRET, "Content-Type": "application/json"},
    },
    {"path": "/elevenlabs/v1/voices", "from": POD, "fields": {**SECRET, "X-Proxy-Token": "x"}},
    {"path": "/elevenlabs/v1/voices", "from": POD},
    {"path": "/elevenlabs/v1/voices", "from": POD, "fields": {**SECRET, "xi-api-key": "other"}},
    {"path": "/elevenlabs/v1/voices", "from": "127.0.0.1", "fields": SECRET},
    {"path": "/nobodys", "from": POD},
]


def compare(name, first, second, questions):
    """A line that asks both; ``KEY`` is the shell's."""
    text = shlex.quote(json.dumps(questions))
    return (
        f'python -m tests.docs.compared {name} {first} {second} "$PWD/certs/ca.crt" '
        f'"$(echo {text} | sed "s/KEY/$KEY/g")"'
    )


BOTH = ("https://localhost:5443", "https://localhost:5000")
SCENE = Scene(
    PAGE,
    stand_ins=("echo", "verifier", "providers"),
    before="pyproxy cert; ln -s ../certs .notes/certs",
    files={"listen 5443 ssl": "copilot.conf", "listen 8081": "egress.conf"},
    replace={"/etc/pyproxy/certs/copilot": "certs/copilot"},
    after={
        "listen 5443 ssl": nginx("copilot.conf"),
        "keys new alice": "KEY=$(cat alice.key); echo $KEY >$PYPROXY_STAGE/known_keys",
        "https://localhost:5000/v1/models -H": "\n".join(
            [
                compare("guarded", *BOTH, GUARDED),
                compare("unlike", *BOTH, UNLIKE),
            ]
        ),
        "listen 8081": nginx("egress.conf"),
        "http://10.0.1.50:8080/elevenlabs": compare(
            "passed", "http://10.0.1.50:8081", "http://10.0.1.50:8080", PASSED
        ),
    },
    prints={"http://10.0.1.50:8080/elevenlabs": ["Aria"]},
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    demand(missing("nginx"))
    folder = tmp_path_factory.mktemp("nginx")
    played = play(SCENE, folder)

    def compared_(name):
        return json.loads((played.folder / ".notes" / f"compared-{name}.json").read_text())

    return compared_


def echoed(body):
    """What the API got, without what is a proxy's own."""
    lines = body.split("\n")
    return {line for line in lines if line.partition(":")[0].lower() not in OWN}


def test_guarded_api_is_asked_and_answers_the_same(compared):
    for each in compared("guarded"):
        first, second = each["first"], each["second"]
        assert first["status"] == second["status"], each
        if first["status"] == 200:
            assert echoed(first["body"]) == echoed(second["body"]), each
        protection = {
            name: value
            for name, value in first["fields"].items()
            if name.startswith(("strict", "x-", "referrer", "content-security"))
        }
        assert len(protection) == 5
        assert protection.items() <= second["fields"].items()


def test_what_differs_is_as_the_page_says(compared):
    statuses = [(each["first"]["status"], each["second"]["status"]) for each in compared("unlike")]

    assert statuses == [(401, 200), (200, 403), (200, 400)]


def test_way_out_answers_the_same(compared):
    *alike, other = compared("passed")

    for each in alike:
        first, second = each["first"], each["second"]
        assert (first["status"], first["body"]) == (second["status"], second["body"]), each
    assert [each["first"]["status"] for each in alike] == [200, 200, 200, 403, 403, 401, 403]
    assert (other["first"]["status"], other["second"]["status"]) == (404, 404)
    assert other["second"]["body"] == '{"error":"not_found"}'


def test_every_key_that_is_named_is_there():
    schema = json_schema()
    named = set(KEY.findall((ROOT / PAGE).read_text()))

    assert len(named) > 50
    assert {key for key in named if not is_there(schema, key.split("."))} == set()


def is_there(schema, names):
    """Whether a path of names leads to a setting."""
    place = schema
    for name in names:
        place = within(schema, place)
        inner = place.get("properties", {})
        more = place.get("additionalProperties")
        if name not in inner and not isinstance(more, dict):
            return False
        place = inner.get(name, more)
    return True


def within(schema, place):
    """What a reference, a list or an alternative is about."""
    while True:
        if "$ref" in place:
            place = schema["$defs"][place["$ref"].rpartition("/")[2]]
        elif "items" in place:
            place = place["items"]
        elif "anyOf" in place:
            place = next(one for one in place["anyOf"] if one.get("type") != "null")
        else:
            return place
