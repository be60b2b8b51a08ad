import pytest

from pyproxy.telemetry.record import Record, path_of


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(b"/v1/models", "/v1/models", id="no query"),
        pytest.param(b"/v1/models?key=AIzaSecret", "/v1/models", id="key in the query"),
        pytest.param(b"/v1/models?a?key=AIzaSecret", "/v1/models", id="two question marks"),
        pytest.param(b"/caf\xe9", "/caf\xe9", id="not ASCII"),
        pytest.param(b"/v1#key=secret", "/v1", id="fragment"),
        pytest.param(b"/v1/x%3Fkey=AIzaSecret", "/v1/x", id="escaped question mark"),
        pytest.param(b"/v1/x%3fkey=AIzaSecret", "/v1/x", id="escaped question mark, small"),
        pytest.param(b"/v1/x%25253Fkey=secret", "/v1/x", id="question mark escaped thrice"),
        pytest.param(b"/v1/x%26key=secret", "/v1/x", id="escaped ampersand"),
        pytest.param(b"/v1/x&key=secret", "/v1/x", id="ampersand"),
        pytest.param(b"/v1/x;key=secret/y", "/v1/x", id="parameters"),
        pytest.param(b"/v1/x%3bkey=secret", "/v1/x", id="escaped parameters"),
        pytest.param(b"/v1/x%23key=secret", "/v1/x", id="escaped hash"),
        pytest.param(b"/a%20b%2Fc%3D", "/a%20b%2Fc%3D", id="other escapes"),
        pytest.param(b"/openai/pyp_0123456789abcdef/v1", "/openai/***/v1", id="a key of ours"),
        pytest.param(b"/openai/sk-proj-0123456789ab", "/openai/***", id="a provider's key"),
        pytest.param(b"/a/eyJhbGciOiJFUzI1NiJ9.eyJz.c2ln/b", "/a/***/b", id="JWT"),
        pytest.param(b"/v1/task-list/sk-1", "/v1/task-list/sk-1", id="shorter than a key"),
        pytest.param(b"http://user:password@host/", "", id="no path"),
    ],
)
def test_a_path_is_written_without_its_query_and_without_credentials(target, path):
    assert path_of(target) == path


def test_an_empty_record_names_nobody():
    assert Record() == Record("", "", "", "", "", "", 0, 0, 0, 0.0, -1.0, "", False, "")
