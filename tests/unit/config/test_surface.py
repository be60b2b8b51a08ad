import pytest
from pydantic import ValidationError

from pyproxy.config.surface import CorsSettings, EndpointSettings, HeaderSettings


def test_an_endpoint_and_a_header_can_be_turned_off():
    assert EndpointSettings(token="").token == ""
    assert HeaderSettings(hsts="").hsts == ""


@pytest.mark.parametrize(
    ("section", "given"),
    [
        pytest.param(EndpointSettings, {"token": "token"}, id="path without a slash"),
        pytest.param(HeaderSettings, {"hsts": "a\r\nb: c"}, id="header injection"),
        pytest.param(CorsSettings, {"origins": ["https://a/b"]}, id="origin with a path"),
    ],
)
def test_what_clients_see_is_checked(section, given):
    with pytest.raises(ValidationError):
        section.model_validate(given)
