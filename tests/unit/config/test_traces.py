import pytest
from pydantic import ValidationError

from pyproxy.config.traces import TracesSettings


def test_none_are_made_unless_somebody_takes_them():
    assert TracesSettings().endpoint == ""


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:4318/v1/traces", "https://otel.example", "http://[::1]:4318/", ""],
)
def test_a_good_endpoint_is_taken(url):
    assert TracesSettings(endpoint=url).endpoint == url


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"endpoint": "127.0.0.1:4318"}, id="no scheme"),
        pytest.param({"endpoint": "grpc://a:4317"}, id="gRPC"),
        pytest.param({"endpoint": "http://user:pw@a/"}, id="a password in the URL"),
        pytest.param({"endpoint": "http://a/\n"}, id="newline"),
        pytest.param({"endpoint": "http://a:99999/"}, id="a port too high"),
        pytest.param({"endpoint": "http://a:x/"}, id="a port of letters"),
        pytest.param({"endpoint": "http://a:0/"}, id="port 0"),
        pytest.param({"endpoint": "http://[::1/"}, id="half an address"),
        pytest.param({"sample": 1.5}, id="more than all"),
        pytest.param({"sample": -0.1}, id="less than none"),
        pytest.param({"service_name": ""}, id="no name"),
        pytest.param({"headers": {"a b": "x"}}, id="no header name"),
    ],
)
def test_a_bad_value_is_refused(values):
    with pytest.raises(ValidationError):
        TracesSettings.model_validate(values)
