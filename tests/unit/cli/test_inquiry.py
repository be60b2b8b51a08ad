import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from pyproxy.cli.inquiry import ask, unreached


def test_answer_is_status_field_and_json(answering):
    fields = [(b"X-Should-Retry", b"false")]
    port = answering(status=404, fields=fields, body=b'{"error":"not_found"}')

    answer = ask(urlsplit(f"http://127.0.0.1:{port}"), "/x", 5.0)

    assert (answer.status, answer.should_retry) == (404, "false")
    assert answer.content == {"error": "not_found"}


def test_redirection_is_an_answer_and_takes_no_key_along(answering, unused_port):
    there = f"http://127.0.0.1:{unused_port}/".encode()
    port = answering(status=302, fields=[(b"Location", there)])

    answer = ask(urlsplit(f"http://127.0.0.1:{port}"), "/x", 5.0, {"authorization": "Bearer a"})

    assert answer.status == 302


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 9999], ids=["nothing", "cut off", "deep"])
def test_what_is_no_json_is_none(answering, body):
    port = answering(body=body)

    assert ask(urlsplit(f"http://127.0.0.1:{port}"), "/", 5.0).content is None


def test_field_that_cannot_be_sent_is_an_error(answering):
    port = answering()

    with pytest.raises(ValueError, match="header"):
        ask(urlsplit(f"http://127.0.0.1:{port}"), "/", 5.0, {"x": "a\nb"})


def test_bad_request_is_not_taken_for_tls(answering):
    found = unreached(urlsplit(f"http://127.0.0.1:{answering(status=400)}"), 5.0)

    assert found == "its health endpoint answers 400"


@pytest.fixture
def of_both_kinds(certificates):
    """A port that speaks TLS, and says so to who does not, as nginx does."""
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with listening.accept()[0] as plain:
                plain.recv(4096)
                plain.sendall(answer)
            with suppress(OSError), listening.accept()[0] as plain:
                certificates[1].wrap_socket(plain, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_bad_request_of_a_tls_server_is_seen_through(of_both_kinds):
    found = unreached(urlsplit(f"http://127.0.0.1:{of_both_kinds}"), 5.0)

    assert found == "it speaks TLS: write https://"


def test_what_speaks_neither_is_no_gateway():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for _ in range(2):
                with listening.accept()[0] as plain:
                    plain.recv(4096)
                    plain.sendall(b"220 mail.test ESMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        found = unreached(urlsplit(f"https://127.0.0.1:{listening.getsockname()[1]}"), 5.0)
        thread.join()

    assert found.startswith("cannot be reached: ")
    assert "write http" not in found
