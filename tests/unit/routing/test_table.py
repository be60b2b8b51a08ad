from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pyproxy.errors.refusal import BadRequest, MethodNotAllowed, NotFound
from pyproxy.routing.choice import Entry
from pyproxy.routing.table import Table

ROUTES = Table.build(
    [
        Entry.of("/", [], [], "root"),
        Entry.of("/openai", [], [], "openai"),
        Entry.of("/openai/v1/files", [], ["POST"], "files"),
        Entry.of("/openai", [], [], "shadowed"),
        Entry.of("/hosted", ["api.example.com"], [], "exact"),
        Entry.of("/hosted", ["*.example.com"], [], "wild"),
        Entry.of("/hosted", ["*.eu.example.com"], [], "wilder, and later"),
        Entry.of("/hosted", ["other.example.com"], ["PUT"], "never: the wild one is first"),
    ],
)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        pytest.param(b"/", "root", id="root"),
        pytest.param(b"/x/y/z", "root", id="anything below the root"),
        pytest.param(b"/openai", "openai", id="the prefix itself"),
        pytest.param(b"/openai/", "openai", id="the prefix and a slash"),
        pytest.param(b"/openai/v1/models", "openai", id="below the prefix"),
        pytest.param(b"/openai/v1/files", "files", id="the longest wins"),
        pytest.param(b"/openai/v1/files/1/content", "files", id="below the longest"),
        pytest.param(b"/openai/v1/filesystem", "openai", id="segments are whole"),
        pytest.param(b"/openaix", "root", id="segments are whole at the first, too"),
        pytest.param(b"/%6fpenai/x", "openai", id="an escaped letter is the letter"),
        pytest.param(b"/openai/v1/%66iles", "files", id="an escape in the last segment"),
        pytest.param(b"/x%2Fy", "root", id="an encoded slash that changes nothing"),
        pytest.param(b"/X;y=1/Z.", "root", id="parameters and case that change nothing"),
        pytest.param(b"/openai/threads/Th_AbC;v=1", "openai", id="parameters below a route"),
        pytest.param(b"/openai/models/gpt-4.1", "openai", id="a dot within"),
        pytest.param(b"/openai/https%253A%252F%252Fx", "openai", id="a URL, encoded twice"),
        pytest.param(b"/openai/x%252F..%252Fy", "openai", id="dots encoded twice"),
        pytest.param(b"/openai/a/%252e%252e/%252E/b", "openai", id="climbing within a route"),
        pytest.param(b"/x/%252e%252e/y", "root", id="climbing within the root"),
        pytest.param(b"*", "root", id="asterisk form"),
        pytest.param(b"/" + b"a/" * 8000, "root", id="eight thousand segments"),
    ],
)
def test_the_longest_path_takes_the_request(path, route):
    assert ROUTES.match(b"gateway.example", path, b"POST").value == route


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/openai%2Fv1", id="below a route"),
        pytest.param(b"/openai/v1%2ffiles", id="a deeper route"),
        pytest.param(b"/%2Fopenai/x", id="an empty segment more"),
        pytest.param(b"/x%2f%2E%2E/../openai%2f", id="climbing"),
    ],
)
def test_an_encoded_slash_that_hides_a_route_is_refused(path):
    table = Table.build(
        [
            Entry.of("/", [], [], "root"),
            Entry.of("/openai", [], [], "openai"),
            Entry.of("/openai/v1/files", [], [], "files"),
            Entry.of("//openai", [], [], "odd"),
            Entry.of("/x/../../openai", [], [], "odder"),
        ],
    )

    with pytest.raises(BadRequest):
        table.match(b"gateway.example", path, b"GET")


PROTECTED = Table.build(
    [
        Entry.of("/", [], [], "open"),
        Entry.of("/admin/v2", [], [], "admin"),
        Entry.of("/Mixed", [], [], "mixed"),
        Entry.of("/mixed", [], [], "plain"),
        Entry.of("/hosted", ["api.example.com"], [], "hosted"),
    ],
)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/admin;x=1/v2/u", id="parameters"),
        pytest.param(b"/admin/v2;x", id="parameters at the end"),
        pytest.param(b"/admin/v2%3bx", id="escaped parameters"),
        pytest.param(b"/admin/v2%253bx", id="parameters escaped twice"),
        pytest.param(b"/Admin/v2", id="case"),
        pytest.param(b"/%2561dmin/v2", id="escaped twice"),
        pytest.param(b"/admin%252fv2", id="slash escaped twice"),
        pytest.param(b"/x/%252e%252e/admin/v2", id="dots escaped twice"),
        pytest.param(b"/admin/./v2", id="dots that nobody resolved"),
        pytest.param(b"/admin//v2", id="empty segment"),
        pytest.param(b"/admin%5Cv2", id="backslash"),
        pytest.param(b"/admin./v2", id="dot at the end"),
        pytest.param(b"/admin%20/v2", id="space at the end"),
        pytest.param(b"/admin/v2%3Fx", id="escaped question mark"),
        pytest.param(b"/admin/v2%23x", id="escaped hash"),
        pytest.param(b"/%EF%BD%81dmin/v2", id="full-width letter"),
        pytest.param(b"/admin%EF%BC%8Fv2", id="full-width slash"),
        pytest.param(b"/%25u0061dmin/v2", id="Microsoft's escape"),
        pytest.param(b"/admin/%ffv2", id="octets that may be left out"),
        pytest.param(b"/admin%2500/v2", id="NUL"),
        pytest.param(b"/x" + b"%" + b"25" * 20 + b"2e", id="escapes without end"),
    ],
)
def test_a_path_that_may_be_another_routes_is_refused(path):
    with pytest.raises(BadRequest):
        PROTECTED.match(b"", path, b"GET")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/openai/%252e%252e/x", id="out of the route"),
        pytest.param(b"/openai/a/%252e%252e/%252e%252e", id="to the root"),
        pytest.param(b"/openai/a%252f%252f%252e%252e/%252e%252e/x", id="unless empty ones count"),
        pytest.param(b"/openai/a%255cb/%252e%252e/%252e%252e", id="unless backslashes part"),
        pytest.param(b"/openai/v1/x/%252e%252e/files", id="into a deeper route"),
        pytest.param(b"/openai/v1/x/%252e%252e%253bx/files", id="with parameters"),
        pytest.param(b"/openai/a/%252e%252e%2520/b", id="dots and spaces"),
        pytest.param(b"/openai/a/%252e%252e%252f%25252e/b", id="not all decoded yet"),
        pytest.param(b"/openai/a/../b", id="dots that nobody resolved"),
    ],
)
def test_dots_encoded_twice_do_not_leave_a_route(path):
    with pytest.raises(BadRequest):
        ROUTES.match(b"", path, b"POST")


def test_dots_encoded_twice_do_not_leave_for_where_nothing_is():
    table = Table.build([Entry.of("/only", [], [], "only")])

    assert table.match(b"", b"/only/a%252F..%252Fb", b"GET").value == "only"
    with pytest.raises(BadRequest):
        table.match(b"", b"/only/%252e%252e/x", b"GET")


def test_routes_may_differ_in_nothing_but_case():
    assert PROTECTED.match(b"", b"/Mixed/x", b"GET").value == "mixed"
    assert PROTECTED.match(b"", b"/mixed/x", b"GET").value == "plain"
    with pytest.raises(BadRequest):
        PROTECTED.match(b"", b"/MIXED/x", b"GET")


def test_another_hosts_route_is_no_rival():
    assert PROTECTED.match(b"www.example.com", b"/Hosted", b"GET").value == "open"
    with pytest.raises(BadRequest):
        PROTECTED.match(b"api.example.com", b"/Hosted", b"GET")


def test_what_no_route_takes_is_not_found_however_it_may_be_read():
    table = Table.build([Entry.of("/admin", [], [], "admin")])

    with pytest.raises(NotFound):
        table.match(b"", b"/Admin;x", b"GET")


def test_where_one_route_takes_all_nothing_is_refused():
    table = Table.build([Entry.of("/", [], [], "all")])

    assert table.match(b"", b"/x/%252e%252e/Y;z", b"GET").value == "all"


@pytest.mark.parametrize(
    ("host", "route"),
    [
        pytest.param(b"api.example.com", "exact", id="exact"),
        pytest.param(b"API.Example.COM:5000", "exact", id="case and port"),
        pytest.param(b"api.example.com.", "exact", id="the dot of the root"),
        pytest.param(b"www.example.com", "wild", id="one label"),
        pytest.param(b"a.b.example.com", "wild", id="several labels"),
        pytest.param(b"x.eu.example.com", "wild", id="the file's order among wildcards"),
        pytest.param(b"other.example.com", "wild", id="the file's order before exactness"),
        pytest.param(b"example.com", "root", id="a wildcard is not the name itself"),
        pytest.param(b"badexample.com", "root", id="labels are whole"),
        pytest.param(b"[::1]:5000", "root", id="IPv6"),
        pytest.param(b"", "root", id="none"),
    ],
)
def test_hosts_are_told_apart(host, route):
    assert ROUTES.match(host, b"/hosted/x", b"GET").value == route


def test_a_malformed_host_is_refused():
    with pytest.raises(BadRequest):
        ROUTES.match(b"a b", b"/", b"GET")


def test_no_route_is_not_found():
    table = Table.build([Entry.of("/openai", [], [], "openai")])

    with pytest.raises(NotFound):
        table.match(b"gateway.example", b"/anthropic/v1", b"GET")


def test_a_host_that_no_route_names_is_not_found():
    table = Table.build([Entry.of("/", ["api.example.com"], [], "api")])

    with pytest.raises(NotFound):
        table.match(b"gateway.example", b"/v1", b"GET")


def test_an_empty_table_finds_nothing():
    with pytest.raises(NotFound):
        Table.build([]).match(b"gateway.example", b"/", b"GET")


def test_a_method_does_not_slip_through_to_a_shorter_path():
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTES.match(b"gateway.example", b"/openai/v1/files", b"DELETE")

    assert refused.value.fields == ((b"Allow", b"POST"),)


def test_look_ups_do_not_grow_with_the_routes():
    class Counting(dict):
        asked = 0

        def get(self, key, default=None):
            Counting.asked += 1
            return super().get(key, default)

    table = Table.build([Entry.of(f"/r{n}/x", [], [], n) for n in range(1000)])
    counted = replace(table, nodes=Counting(table.nodes))

    assert counted.match(b"", b"/r999/x/y/z", b"GET").value == 999
    assert Counting.asked == 1


@given(
    routes=st.lists(st.sampled_from(["/", "/a", "/a/b", "/b", "/a/b/c", "/ab"]), unique=True),
    path=st.lists(st.sampled_from(["a", "b", "c", "ab", "%61"]), max_size=5),
)
def test_the_table_agrees_with_looking_at_every_route(routes, path):
    table = Table.build([Entry.of(route, [], [], route) for route in routes])
    text = "/" + "/".join(path)
    plain = text.replace("%61", "a")
    fitting = [r for r in routes if r in {"/", plain} or plain.startswith(r + "/")]

    try:
        found = table.match(b"", text.encode(), b"GET").value
    except NotFound:
        found = None

    assert found == max(fitting, key=len, default=None)
