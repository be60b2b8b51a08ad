import shlex
from pathlib import Path

import pytest

from pyproxy.cli.demonstration import Demonstration, DemonstrationThread
from pyproxy.cli.development import Development
from pyproxy.cli.serve import curl_line, introduction
from pyproxy.config.load import load


@pytest.fixture
def loaded(here):
    return load(None, {"API_KEY": "a-plain-key-of-somebody"}, here)


def development(key="pyp_x", ca=Path("certs/ca.crt"), demonstration=None, made=()):
    return Development(Path("certs/dev.toml"), key, ca, demonstration, list(made))


def test_curl_line_is_the_documented_one(loaded):
    line = curl_line(development(), loaded)

    assert line.startswith(
        "curl --cacert certs/ca.crt https://localhost:5000/v1/chat/completions "
        '-H "Authorization: Bearer pyp_x" -d \'{"model"'
    )
    assert len(shlex.split(line)) == 8


def test_certificate_of_ones_own_needs_no_authority(loaded):
    assert curl_line(development(ca=None), loaded).startswith("curl https://localhost:5000/")


def test_introduction_says_what_was_made(loaded):
    thread = DemonstrationThread(Demonstration()).start()
    try:
        lines = introduction(development(demonstration=thread, made=["a file"]), loaded)
    finally:
        thread.stop()

    assert lines[0] == "made a file"
    assert f"http://127.0.0.1:{thread.port}" in lines[1]
    assert curl_line(development(), loaded) in lines


def test_introduction_without_a_key_has_no_curl_line(loaded):
    assert introduction(development(key=""), loaded) == []
