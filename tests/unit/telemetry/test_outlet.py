import os
import shutil
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from pyproxy.telemetry.outlet import FileOutlet, StreamOutlet


@pytest.fixture
def path(tmp_path):
    return tmp_path / "audit.log"


@pytest.fixture
def outlet(path):
    outlet = FileOutlet(path)
    yield outlet
    outlet.close()


def test_a_file_is_made_for_the_owner_alone(outlet, path):
    assert outlet.write(b"one\n") == 4
    assert path.read_bytes() == b"one\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_added_to(outlet, path):
    path.write_bytes(b"before\n")
    outlet.write(b"after\n")

    assert path.read_bytes() == b"before\nafter\n"


def test_a_file_that_is_renamed_is_followed_by_a_new_one(outlet, path, tmp_path):
    outlet.write(b"one\n")
    path.rename(tmp_path / "audit.log.1")
    outlet.write(b"two\n")

    assert path.read_bytes() == b"two\n"
    assert (tmp_path / "audit.log.1").read_bytes() == b"one\n"


def test_another_file_in_its_place_is_written_to(outlet, path, tmp_path):
    outlet.write(b"one\n")
    (tmp_path / "new").write_bytes(b"")
    (tmp_path / "new").rename(path)
    outlet.write(b"two\n")

    assert path.read_bytes() == b"two\n"


def test_while_the_new_file_cannot_be_opened_the_old_is_kept(outlet, path, tmp_path):
    outlet.write(b"one\n")
    path.rename(tmp_path / "audit.log.1")
    path.mkdir()

    assert outlet.write(b"two\n") == 4
    assert (tmp_path / "audit.log.1").read_bytes() == b"one\ntwo\n"
    assert outlet.problem == "Is a directory"


def test_a_file_that_was_removed_takes_nothing_while_no_other_can_be_opened(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    outlet = FileOutlet(folder / "audit.log")
    outlet.write(b"one\n")
    shutil.rmtree(folder)

    assert outlet.write(b"two\n") == 0
    assert outlet.problem == "No such file or directory"

    folder.mkdir()

    assert outlet.write(b"three\n") == 6
    assert outlet.problem == ""
    assert (folder / "audit.log").read_bytes() == b"three\n"
    outlet.close()


def test_reopening_lets_go_of_a_file_that_was_moved_without_a_line_to_write(outlet, path, tmp_path):
    outlet.write(b"one\n")
    path.rename(tmp_path / "audit.log.1")
    outlet.reopen()

    assert path.read_bytes() == b""
    outlet.reopen()
    outlet.write(b"two\n")
    assert path.read_bytes() == b"two\n"


def test_a_file_that_was_emptied_in_its_place_is_written_from_its_beginning(outlet, path):
    outlet.write(b"one\n")
    os.truncate(path, 0)  # what logrotate calls copytruncate
    outlet.write(b"two\n")

    assert path.read_bytes() == b"two\n"


def test_a_file_that_cannot_be_opened_takes_nothing(tmp_path):
    outlet = FileOutlet(tmp_path / "missing" / "audit.log")

    assert outlet.write(b"one\n") == 0
    assert outlet.try_open() == "No such file or directory"


def test_a_file_that_can_be_opened_has_nothing_against_it(outlet, path):
    assert outlet.try_open() == ""
    assert path.exists()


def test_a_full_disk_takes_nothing():
    outlet = FileOutlet(Path("/dev/full"))

    assert outlet.write(b"one\n") == 0
    assert outlet.problem == "No space left on device"
    outlet.close()


def test_a_pipe_that_nobody_reads_does_not_hold_anything_up(path):
    os.mkfifo(path)

    assert FileOutlet(path).write(b"one\n") == 0


def test_a_closed_outlet_can_be_closed_again(outlet):
    outlet.write(b"one\n")
    outlet.close()
    outlet.close()


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        with suppress(OSError):
            os.close(descriptor)


def test_a_stream_is_written_to_even_after_others_closed_it(pipe):
    reader, writer = pipe
    outlet = StreamOutlet(writer)
    os.close(writer)

    assert outlet.write(b"one\n") == 4
    assert os.read(reader, 100) == b"one\n"
    outlet.close()


def test_a_stream_whose_reader_left_takes_nothing(pipe):
    reader, writer = pipe
    outlet = StreamOutlet(writer)
    os.close(reader)

    assert outlet.write(b"one\n") == 0
    outlet.close()


@pytest.mark.parametrize("descriptor", [None, 1_000_000], ids=["none", "not open"])
def test_a_stream_that_was_closed_at_the_start_takes_nothing(descriptor):
    outlet = StreamOutlet(descriptor)

    assert outlet.write(b"one\n") == 0
    outlet.close()


def test_a_full_pipe_takes_what_fits_and_then_no_more(pipe):
    _, writer = pipe
    os.set_blocking(writer, False)
    outlet = StreamOutlet(writer)

    written = outlet.write(b"x" * 1_000_000)

    assert 0 < written < 1_000_000
    outlet.close()


def test_a_pipe_that_is_read_in_time_takes_all(pipe):
    reader, writer = pipe
    os.set_blocking(writer, False)
    outlet = StreamOutlet(writer)
    read = []

    def drain():
        while sum(map(len, read)) < 1_000_000:
            read.append(os.read(reader, 65536))

    thread = threading.Thread(target=drain)
    thread.start()
    written = outlet.write(b"x" * 1_000_000)
    thread.join()

    assert written == 1_000_000
    outlet.close()


def test_lines_of_several_processes_do_not_mix_in_a_pipe(pipe):
    reading, writing = pipe
    kinds = "abcd"
    received = []
    reader = threading.Thread(
        target=lambda: received.extend(iter(lambda: os.read(reading, 65536), b""))
    )
    reader.start()
    lines = {kind: kind.encode() * 1000 + b"\n" for kind in kinds}

    def write(kind):
        outlet = StreamOutlet(writing)
        outlet.write(lines[kind] * 300)
        outlet.close()

    writers = [threading.Thread(target=write, args=(kind,)) for kind in kinds]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    os.close(writing)
    reader.join()

    found = b"".join(received).splitlines(keepends=True)
    assert sorted(found) == sorted(line for line in lines.values() for _ in range(300))


def test_a_line_that_is_longer_than_a_pipe_takes_at_once_is_written_whole(pipe):
    reading, writing = pipe
    text = b"short\n" + b"x" * 10_000 + b"\n" + b"y" * 100

    assert StreamOutlet(writing).write(text) == len(text)
    assert os.read(reading, 65536) == text
