import os
import socket
from pathlib import Path

import pytest

from pyproxy.config.files import read_file, read_text_file
from pyproxy.errors.fault import ConfigurationError

MOST = 8


def fault_of(path, read=read_file):
    with pytest.raises(ConfigurationError) as raised:
        read(path, MOST)
    [fault] = raised.value.faults
    assert fault.path == str(path)
    return fault.problem


@pytest.mark.parametrize("content", [b"", b"\xff\0", b"12345678"], ids=["empty", "binary", "most"])
def test_a_file_is_read_whole(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "link").symlink_to("file")

    assert read_file(tmp_path / "file", MOST) == content
    assert read_file(str(tmp_path / "link"), MOST) == content


def test_a_file_of_the_kernel_is_read_whole():
    assert read_file("/proc/self/comm", 64).endswith(b"\n")  # its size is 0 by its own word


def test_text_is_utf8(tmp_path):
    (tmp_path / "text").write_bytes("é".encode())
    (tmp_path / "binary").write_bytes(b"\xff")

    assert read_text_file(tmp_path / "text", MOST) == "é"
    assert fault_of(tmp_path / "binary", read_text_file) == "is not UTF-8 text"


def test_what_is_longer_is_refused_unread(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2**40)

    assert fault_of(path) == "is longer than 8B: it is something else"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda _: None, "cannot be read: no such file or directory", id="missing"),
        pytest.param(os.mkfifo, "cannot be read: it is a named pipe, no file", id="pipe"),
        pytest.param(os.mkdir, "cannot be read: it is a folder, no file", id="folder"),
        pytest.param(
            lambda path: path.symlink_to("/dev/zero"),
            "cannot be read: it is a device, no file",
            id="device",
        ),
        pytest.param(
            lambda path: path.symlink_to(path),
            "cannot be read: too many levels of symbolic links",
            id="loop of links",
        ),
    ],
)
def test_what_is_no_file_is_not_waited_for(tmp_path, make, problem):
    path = tmp_path / "file"
    make(path)

    assert fault_of(path) == problem


def test_a_socket_is_no_file(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))

        assert fault_of(path) == "cannot be read: no such device or address"


def test_nothing_stays_open(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    before = {each.name for each in Path("/proc/self/fd").iterdir()}

    fault_of(tmp_path / "pipe")
    read_file(tmp_path / "file", MOST)

    assert {each.name for each in Path("/proc/self/fd").iterdir()} == before
