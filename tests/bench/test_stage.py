import sys

import pytest

from bench.processes import cpu_seconds, proportional_mib, resident_mib
from bench.stage import NotStarted, Stage, free_port

LISTENER = "import signal, socket; s = socket.create_server(('127.0.0.1', {port})); signal.pause()"


def start(stage, name):
    port = free_port()
    stage.start(name, [sys.executable, "-c", LISTENER.format(port=port)], port, stage.load_cpu)


def is_alive(pid):
    return cpu_seconds([pid]) > 0 or resident_mib([pid]) > 0


def measure(stage, pids, interruption):
    with stage:
        start(stage, "first")
        start(stage, "second")
        pids += stage.pids(["first", "second"])
        assert all(map(is_alive, pids))
        raise interruption


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, ValueError])
def test_whatever_ends_a_measurement_ends_what_it_started(interruption):
    stage = Stage()
    pids = []
    with pytest.raises(interruption):
        measure(stage, pids, interruption)

    assert len(pids) == 2
    assert not any(map(is_alive, pids))
    assert not stage.folder.exists()


def test_one_ends_before_the_others():
    with Stage() as stage:
        start(stage, "first")
        start(stage, "second")
        (pid,) = stage.pids(["first"])
        stage.stop("first")

        assert not is_alive(pid)
        assert stage.runs("second")


def test_what_does_not_listen_is_said_with_its_last_words():
    command = [sys.executable, "-c", "raise SystemExit('no, I will not')"]
    with Stage() as stage, pytest.raises(NotStarted, match="no, I will not"):
        stage.start("mute", command, free_port(), stage.load_cpu)


def test_memory_that_is_shared_is_divided():
    with Stage() as stage:
        start(stage, "first")
        pids = stage.pids(["first"])

        assert 0 < proportional_mib(pids) <= resident_mib(pids)
