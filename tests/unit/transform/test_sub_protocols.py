import pytest

from pyproxy.transform.sub_protocols import sub_protocols_line
from pyproxy.wire.head import read_request_head


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        pytest.param([b"a, b"], b"Sec-WebSocket-Protocol: a, b\r\n", id="none is a credential"),
        pytest.param(
            [b"a,openai-insecure-api-key.K ,b"], b"Sec-WebSocket-Protocol: a, b\r\n", id="one is"
        ),
        pytest.param(
            [b"a", b"openai-insecure-api-key.K, ,b"],
            b"Sec-WebSocket-Protocol: a, b\r\n",
            id="two lines",
        ),
        pytest.param([b"openai-insecure-api-key.K"], b"", id="nothing is left"),
        pytest.param([], b"", id="nothing offered"),
    ],
)
def test_credentials_are_taken_off_what_a_client_offers(lines, line):
    fields = [b"Sec-WebSocket-Protocol: " + each for each in lines]
    head = read_request_head(b"\r\n".join([b"GET / HTTP/1.1", b"A: b", *fields, b"", b""]))

    assert sub_protocols_line(head) == line
