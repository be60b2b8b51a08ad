import pytest

from pyproxy.providers.azure_openai import AZURE_OPENAI
from tests.unit.providers.closed import is_closed


def test_every_customer_has_a_host_of_their_own():
    assert AZURE_OPENAI.origin == ""


def test_the_key_stands_alone_in_its_field():
    assert AZURE_OPENAI.credential.header == "api-key"
    assert AZURE_OPENAI.credential.value("k", "AZURE_OPENAI_API_KEY", "r.openai.azure.com") == "k"


@pytest.mark.parametrize(
    "path",
    [
        b"/openai/v1/realtime/client_secrets",
        b"/openai/realtimeapi/sessions",
        b"/openai/deployments/d/realtime/calls",
        b"/realtime/client_secrets",
    ],
)
def test_what_hands_out_credentials_is_closed_below_any_prefix(path):
    assert is_closed(AZURE_OPENAI, path)
