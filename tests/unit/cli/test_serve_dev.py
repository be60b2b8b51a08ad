import shlex
import socket
import sys
from pathlib import Path

import pytest

from pyproxy.cli.demonstration import Demonstration, DemonstrationThread
from pyproxy.cli.development import Development
from pyproxy.cli.serve_dev import curl_line, introduction, program, status_page
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

    assert lines[:2] == ["configuration certs/dev.toml", "made a file"]
    assert f"http://127.0.0.1:{thread.port}" in lines[2]
    assert "Try it:" in lines
    assert curl_line(development(), loaded) in lines


def test_introduction_without_a_key_has_no_curl_line(loaded):
    assert not any("curl" in line for line in introduction(development(key=""), loaded))


def test_introduction_without_a_demonstration_says_who_must_run(loaded):
    lines = introduction(development(), loaded)

    assert "no demonstration upstream: route copilot leads to http://127.0.0.1:4141" in lines
    assert "Try it, once that upstream runs (502 until then):" in lines


def test_introduction_says_how_more_keys_are_made(loaded):
    made = Development(Path("certs/dev.toml"), "pyp_x", None, None, [], "-c certs/dev.toml")

    text = "\n".join(introduction(made, loaded))

    assert "pyproxy keys new NAME -c certs/dev.toml' makes others" in text


def test_introduction_says_where_the_status_page_is(loaded):
    lines = introduction(development(), loaded, "http://127.0.0.1:9100/")

    assert lines[-4:-2] == [curl_line(development(), loaded), ""]
    assert lines[-2:] == ["What it is doing: http://127.0.0.1:9100/", ""]
    assert not any("doing" in line for line in introduction(development(), loaded))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_status_page_is_where_the_admin_listener_will_be(host):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert status_page(f"{host}:{port}") == f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("admin", ["", "unix:admin.sock", "127.0.0.1:0"])
def test_status_page_without_a_known_url_is_not_spoken_of(admin):
    assert status_page(admin) == ""


def test_status_page_is_not_spoken_of_where_another_program_listens():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert status_page(f"127.0.0.1:{listening.getsockname()[1]}") == ""


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        pytest.param(".venv/bin/pyproxy", ".venv/bin/pyproxy", id="by its path"),
        pytest.param("a folder/pyproxy", "'a folder/pyproxy'", id="path with a space"),
        pytest.param("/x/pyproxy/cli/main.py", "pyproxy", id="as a module"),
    ],
)
def test_program_is_called_as_it_was(monkeypatch, called, shown):
    monkeypatch.setattr(sys, "argv", [called])

    assert program() == shown


def test_program_on_the_path_is_called_by_name(monkeypatch, here):
    (here / "pyproxy").write_text("#!/bin/sh\n")
    (here / "pyproxy").chmod(0o755)
    monkeypatch.setenv("PATH", str(here))
    monkeypatch.setattr(sys, "argv", [str(here / "pyproxy")])

    assert program() == "pyproxy"
