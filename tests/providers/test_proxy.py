"""With an egress proxy on the way it learns where requests go, and nothing of what is in them."""

import openai
import pytest

from tests.providers import openai_play
from tests.providers.ledger import Kind, Role
from tests.providers.proxy import proxying
from tests.providers.ways import VARIABLES, credentials

OWNER = "an egress proxy"


@pytest.fixture(scope="module")
def beyond(start, plays, ledger):
    """The way through a gateway whose way out is a proxy that wants a password, and the proxy."""
    password = ledger.make(Role.PROXY, OWNER)
    keys = {VARIABLES[name]: play.key for name, play in plays.items()}
    with (
        proxying() as proxy,
        ledger.watching(Kind.PROXY, OWNER, lambda: bytes(proxy.received)),
        start({**keys, "HTTPS_PROXY": f"http://user:{password}@127.0.0.1:{proxy.port}"}) as way,
    ):
        yield way, proxy


@pytest.mark.parametrize("name", VARIABLES)
def test_every_provider_is_reached_through_it(beyond, plays, name):
    way, proxy = beyond
    way.ask(name, "GET", "/v1/models", {"Authorization": f"Bearer {way.key(name)}"})

    asked = plays[name].asked[-1]
    assert proxy.asked[-1] == f"localhost:{plays[name].port}"
    assert credentials(asked) == [plays[name].credential]
    assert not asked.values("proxy-authorization")


def test_its_password_is_for_it_alone(beyond, ledger):
    way, proxy = beyond
    way.ask("openai", "GET", "/v1/models", {"Authorization": f"Bearer {way.key('openai')}"})

    assert b"\r\nProxy-Authorization: Basic " in proxy.received
    assert (Kind.PROXY, OWNER) in ledger.seen()
    assert not ledger.leaks()


def test_sdk_does_not_notice(beyond):
    way, _ = beyond
    http = openai.DefaultHttpxClient(verify=way.tls)
    url, key = f"{way.url('openai')}/v1", way.key("openai")
    with openai.OpenAI(base_url=url, api_key=key, http_client=http) as client:
        answer = client.responses.create(model="gpt-5", input="Hello")

    assert answer.output_text == openai_play.TEXT
