import pytest

from pyproxy.errors.refusal import MethodNotAllowed
from pyproxy.routing.choice import Choice, Entry, Match


@pytest.mark.parametrize(
    ("prefix", "path", "rest"),
    [
        pytest.param(b"", b"/v1/models", b"/v1/models", id="the root removes nothing"),
        pytest.param(b"", b"/", b"/", id="the root alone"),
        pytest.param(b"/openai", b"/openai/v1/models", b"/v1/models", id="one segment"),
        pytest.param(b"/openai", b"/openai", b"/", id="nothing left"),
        pytest.param(b"/openai", b"/openai/", b"/", id="a slash left"),
        pytest.param(b"/a/b", b"/a/b/c%2Fd/%65", b"/c%2Fd/%65", id="what is left stays encoded"),
        pytest.param(b"/openai", b"/%6fpenai/v1/x", b"/v1/x", id="spelled with an escape"),
        pytest.param(b"/openai", b"/%6fpenai", b"/", id="spelled with an escape and nothing left"),
        pytest.param(b"/a/b", b"/%61/b/", b"/", id="spelled with an escape and a slash left"),
    ],
)
def test_the_rest_is_the_path_without_the_prefix(prefix, path, rest):
    assert Match("route", prefix).rest(path) == rest


def test_an_entry_is_made_from_settings():
    entry = Entry.of("/v1/", ["API.Example.com", "*.Example.org", "*"], ["GET"], "value")

    assert entry.prefix == b"/v1"
    assert entry.host_keys == (b"api.example.com", b".example.org", b"")
    assert entry.methods == (b"GET", b"HEAD")
    assert entry.value == "value"


def test_a_host_in_another_script_is_compared_in_its_wire_form():
    assert Entry.of("/", ["bücher.example"], [], None).host_keys == (b"xn--bcher-kva.example",)


def test_no_hosts_and_no_methods_are_any():
    entry = Entry.of("/", [], [], None)

    assert entry.host_keys == (b"",)
    assert entry.methods == ()


def test_the_first_entry_that_takes_a_method_has_it():
    choice = Choice.among(
        [
            Entry.of("/", [], ["POST"], "first"),
            Entry.of("/", [], ["POST", "GET"], "second"),
            Entry.of("/", [], [], "third"),
            Entry.of("/", [], ["DELETE"], "never reached"),
        ],
    )

    assert choice.of(b"POST").value == "first"
    assert choice.of(b"GET").value == "second"
    assert choice.of(b"HEAD").value == "second"
    assert choice.of(b"DELETE").value == "third"


def test_a_refused_method_is_told_what_is_allowed():
    choice = Choice.among([Entry.of("/", [], ["POST"], 1), Entry.of("/", [], ["GET"], 2)])

    with pytest.raises(MethodNotAllowed) as refused:
        choice.of(b"DELETE")

    assert refused.value.fields == ((b"Allow", b"GET, HEAD, POST"),)


def test_methods_are_told_apart_by_case():
    choice = Choice.among([Entry.of("/", [], ["GET"], 1)])

    with pytest.raises(MethodNotAllowed):
        choice.of(b"get")
