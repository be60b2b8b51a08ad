"""docs/request.md says what becomes of a request, and its picture says the same."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pyproxy.errors.refusal import Refusal
from tests.functional.scripted import KEY, OTHER_KEY

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "request.md").read_text(encoding="utf-8")
PICTURE = (DOCS / "pictures" / "request.svg").read_text(encoding="utf-8")
CODE = re.compile(r"(\d{3})\s`(\w+)`")
STEPS = re.findall(r"^\| (\d+) \|.*$", TEXT, re.MULTILINE)
ROWS = [line.split("|")[2:] for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line)]

ROUTE = """
path = "/api"
methods = ["POST"]
allow_from = ["127.0.0.3"]
max_body = "1KiB"
users = ["alice"]
deny_paths = ["/v1/closed"]
models = ["good"]
rate_limits = ["once"]
provider = "openai"
"""
ONCE = '[rate_limits.once]\nrate = "1r/h"\nper = "user"'
STRANGER, NEIGHBOUR, GUEST = "127.0.0.2", "127.0.0.4", "127.0.0.3"


def refusals():
    """Status and code of every refusal that there is."""
    found, classes = set(), [Refusal]
    while classes:
        each = classes.pop()
        classes += each.__subclasses__()
        if "code" in vars(each):
            found.add((str(each.status), each.code))
    return found


def test_every_refusal_is_named_with_its_status_and_no_other():
    assert set(CODE.findall(TEXT)) == refusals()


def test_the_picture_has_the_codes_of_the_table_step_by_step():
    picture = ET.fromstring(PICTURE)  # noqa: S314 - our own
    space = {"svg": "http://www.w3.org/2000/svg"}
    drawn = [
        set(re.findall(r"[a-z]+(?:_[a-z]+)+|banned", "".join(step.itertext())))
        for step in picture.findall(".//svg:g[@class='step']", space)
    ]

    assert drawn == [{code for _, code in CODE.findall(row[1])} for row in ROWS]
    assert picture.find("svg:title", space) is not None
    assert picture.find("svg:desc", space) is not None


def test_steps_are_counted():
    assert [int(step) for step in STEPS] == list(range(1, len(ROWS) + 1))


MISTAKES = [
    ("417", "expectation_failed", {"expect": "miracles"}),
    ("403", "banned", {"source": STRANGER}),
    ("404", "not_found", {"path": "/elsewhere/closed"}),
    ("405", "method_not_allowed", {"method": "PUT"}),
    ("403", "ip_not_allowed", {"source": NEIGHBOUR}),
    ("413", "body_too_large", {"body": b'{"model": "bad", "text": "' + b"x" * 2000 + b'"}'}),
    ("400", "ambiguous_credentials", {"second": "another-key-of-nobody"}),
    ("401", "invalid_token", {"key": "a-key-of-nobody-at-all"}),
    ("403", "user_not_allowed", {"key": OTHER_KEY}),
    ("403", "path_denied", {"path": "/api/closed"}),
    ("403", "model_not_allowed", {"body": b'{"model": "bad"}'}),
    ("503", "credential_missing", {}),
]
"""Each answer, and the mistake that brings it, in the order of the page; the first counts."""


def test_mistakes_are_in_the_order_of_the_page():
    order = [code for row in ROWS for code in CODE.findall(row[1])]
    place = order.index(("417", "expectation_failed"))
    for status, code, _ in MISTAKES:
        assert (status, code) in order[place:]
        place = order.index((status, code), place)


@pytest.fixture
async def gateway(start, upstream):
    """One with every check there is; the stranger is banned."""
    auth = '[auth.ban]\nafter = 2\nwithin = "1h"\nlasting = "1h"'
    gateway = await start(upstream, is_tls=False, route=ROUTE, more=ONCE, auth=auth)
    for _ in range(2):
        wrong = {"key": "some-key-of-nobody-else", "source": STRANGER}
        assert (await gateway.ask("GET", "/verify", **wrong)).status == 401
    return gateway


async def asked(gateway, mistakes):
    """The answer to a request with all of these mistakes; of two of a kind the first is made."""
    right = {"method": "POST", "path": "/api/v1/chat/completions", "key": KEY, "source": GUEST}
    made = {"body": b'{"model": "good"}'} | right
    for mistake in reversed(mistakes):
        made |= mistake
    lines = ["Content-Type: application/json"]
    lines += [f"Expect: {made.pop('expect')}"] if "expect" in made else []
    lines += [f"x-api-key: {made.pop('second')}"] if "second" in made else []
    method, path = made.pop("method"), made.pop("path")
    return await gateway.ask(method, path, *lines, **made)


async def test_the_first_check_that_says_no_is_the_answer(gateway, upstream):
    for at, (status, code, _) in enumerate(MISTAKES):
        answer = await asked(gateway, [mistake for _, _, mistake in MISTAKES[at:]])

        assert (str(answer.status), code) == (status, code)
        assert code in json.dumps(answer.json)
    spent = await asked(gateway, [])

    assert (spent.status, spent.json["error"]["code"]) == (429, "rate_limited")
    assert upstream.received == b""
