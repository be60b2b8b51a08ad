"""No spelling of a path gets around a route, its users or its denied paths.

Upstreams differ in what they do with a path: this plays one that decodes once, one that
decodes twice, and cuts parameters, folds slashes and resolves dots as the careless do.
"""

import re

from hypothesis import assume, given, strategies as st

from tests.fuzz.configuration import ALICE, BOB
from tests.fuzz.examples import examples

PARTS = st.sampled_from(
    [
        "/", "/", "//", "guarded", "Guarded", "admin", "ADMIN", "open", "a", "x.y", ".", "..",
        "...",
        ";", ";a=b", "%2e", "%2E%2e", "%2f", "%5c", "\\", "%252e", "%252e%252e", "%252f", "%255c",
        "%61dmin", "%2561dmin", "gu%61rded", "%67uarded", "%2567uarded", "%00", "%", "%2", "%zz",
        "%c0%ae", "%c0%af", "%e0%80%af", "%25", "%2525", "%3b", "%253b", "%23", "%3f", "%09", "%20",
        "~", "%7e", "@", ":", "*", "!", "%ff", "%0d%0a", "%250d%250a", "%c3%a9",
    ]
)  # fmt: skip
PATHS = st.lists(PARTS, max_size=9).map(lambda parts: "/" + "".join(parts))
NEAR = st.tuples(
    st.sampled_from(["/guarded/", "/open/", "/guarded", "/%67uarded/", "/"]),
    st.lists(PARTS, max_size=6).map("".join),
).map("".join)


def decoded(path):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), path)


def resolved(path):
    """As a careless server finds its file: ``None`` if it climbs out of its root."""
    names = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        name = segment.partition(b";")[0]
        if name == b"..":
            if not names:
                return None
            names.pop()
        elif name not in {b"", b"."}:
            names.append(name)
    return names


def ask(house, path, key):
    client = house.client()
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n"
    client.send(request.encode())
    asked = [(end.port, message.start[1]) for end, message in house.asked]
    status = house.records[0]["status"]
    house.reset()
    return status, asked


def readings(target):
    """The path as it came, decoded once, and decoded twice."""
    once = decoded(target)
    return target, once, decoded(once)


@examples(500)
@given(st.one_of(PATHS, NEAR), st.sampled_from([ALICE, BOB]))
def test_no_spelling_gets_around_a_route(house, path, key):
    status, asked = ask(house, path, key)
    if not asked:
        assert status in {400, 403, 404}
        return
    [(port, target)] = asked
    assert status == 200
    assert_stays(port, target.partition(b"?")[0], key)
    if port == 9000:
        assert target == path.encode(), "a path was rewritten"


def assert_stays(port, target, key):
    for path in readings(target)[:2]:
        names = resolved(path)
        assert names is not None
        assert not {b".", b".."} & {name.partition(b";")[0] for name in path.split(b"/")}
        assert b"\\" not in path
        assert b"\0" not in path
    for path in readings(target):
        names = [name.lower() for name in resolved(path) or []]
        if port == 9001:
            assert key == ALICE, "somebody else got into a guarded route"
            assert names[:1] == [b"base"], "out of the upstream's base"
            assert names[1:2] != [b"admin"], "a denied path, spelled otherwise"
        else:
            assert names[:1] != [b"guarded"], "a guarded path through another route"


@examples(300)
@given(NEAR, st.lists(st.integers(0, 40), min_size=1, max_size=3))
def test_escaping_a_letter_more_changes_nothing(house, path, places):
    status, asked = ask(house, path, ALICE)
    assume("%" not in path)
    spelled = list(path)
    for place in places:
        at = place % len(path)
        if path[at].isalnum():
            spelled[at] = f"%{ord(path[at]):02X}"
    other_status, other = ask(house, "".join(spelled), ALICE)

    assert other_status == status
    assert [(port, decoded(target)) for port, target in other] == [
        (port, decoded(target)) for port, target in asked
    ]
