import pytest

from pyproxy.telemetry.record import Record, path_of


@pytest.mark.parametrize(
    ("target", "path"),
    [
        pytest.param(b"/v1/models", "/v1/models", id="no query"),
        pytest.param(b"/v1/models?key=AIzaSecret", "/v1/models", id="key in the query"),
        pytest.param(b"/v1/models?a?key=AIzaSecret", "/v1/models", id="two question marks"),
        pytest.param(b"/caf\xe9", "/caf\xe9", id="not ASCII"),
    ],
)
def test_a_path_is_written_without_its_query(target, path):
    assert path_of(target) == path


def test_an_empty_record_names_nobody():
    assert Record() == Record("", "", "", "", "", "", 0, 0, 0, 0.0, -1.0, "", False, "")
