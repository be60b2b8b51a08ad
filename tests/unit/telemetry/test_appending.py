import fcntl
import os
import resource
from contextlib import contextmanager

import pytest

from pyproxy.telemetry import appending
from pyproxy.telemetry.appending import append


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.log"


@pytest.fixture
def descriptor(path):
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    yield opened
    os.close(opened)


@contextmanager
def room_for(size):
    """No file of this process may become longer meanwhile: a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def writer(descriptor, meanwhile=lambda: None):
    """Writes as an outlet does: until it fails, and says why."""

    def write(data):
        written = 0
        try:
            while written < len(data):
                written += os.write(descriptor, data[written:])
        except OSError as exc:
            meanwhile()
            return written, exc.strerror
        return written, ""

    return write


def test_what_fits_is_written(descriptor, path):
    assert append(descriptor, b"one\ntwo\n", writer(descriptor)) == (8, "")
    assert path.read_bytes() == b"one\ntwo\n"


def test_of_a_line_that_does_not_fit_nothing_stays(descriptor, path):
    with room_for(10):
        written = append(descriptor, b"one\ntwo\nthree\n", writer(descriptor))

    assert written == (8, "File too large")
    assert path.read_bytes() == b"one\ntwo\n"


def test_of_a_single_line_that_does_not_fit_nothing_stays(descriptor, path):
    append(descriptor, b"one\n", writer(descriptor))
    with room_for(10):
        written = append(descriptor, b"two is long\n", writer(descriptor))

    assert written == (0, "File too large")
    assert path.read_bytes() == b"one\n"


def test_what_another_wrote_meanwhile_is_not_cut_off(descriptor, path):
    def another_writes():
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        with path.open("ab") as file:
            file.write(b"other\n")

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert before[1] == resource.RLIM_INFINITY
    with room_for(10):
        written, _ = append(descriptor, b"one\ntwo is long\n", writer(descriptor, another_writes))

    assert written == 10
    assert path.read_bytes() == b"one\ntwo isother\n"


def test_a_lock_that_somebody_keeps_holds_nothing_up_for_long(descriptor, path, monkeypatch):
    monkeypatch.setattr(appending, "_LOCK_TRIES", 2)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        assert append(descriptor, b"one\n", writer(descriptor)) == (4, "")
        with room_for(6):
            assert append(descriptor, b"two\n", writer(descriptor)) == (2, "File too large")


def test_the_lock_is_given_back(descriptor, path):
    append(descriptor, b"one\n", writer(descriptor))
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("kind", ["a pipe", "nothing"])
def test_what_is_no_file_is_written_to_as_it_is(kind):
    reading, writing = os.pipe()
    wanted = (4, "") if kind == "a pipe" else (0, "Bad file descriptor")
    target = writing if kind == "a pipe" else -1

    assert append(target, b"one\n", writer(target)) == wanted
    os.close(reading)
    os.close(writing)
