import threading
from pathlib import Path

import pytest

from pyproxy.telemetry.outlet import FileOutlet
from pyproxy.telemetry.sink import LineSink


class Outlet:
    """Takes as many bytes as it has room for, and tells when it was asked."""

    def __init__(self, room=1_000_000):
        self.room = room
        self.taken = b""
        self.calls = 0
        self.asked = threading.Event()
        self.is_closed = False
        self.problem = ""
        self.refused = 0
        self.reopened = threading.Event()

    def write(self, data):
        part = data[: self.room]
        self.room -= len(part)
        self.taken += part
        self.calls += 1
        self.asked.set()
        return len(part)

    def reopen(self):
        self.reopened.set()

    def close(self):
        self.is_closed = True


class Stuck(Outlet):
    """Blocks in its first write until it is let go."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def write(self, data):
        self.asked.set()
        self.go.wait()
        return super().write(data)


def sink_of(outlet, **options):
    return LineSink(outlet, "lost {}".format, **{"gather_s": 0.0, "retry_s": 0.001, **options})


def test_lines_are_written_in_order_and_the_outlet_is_closed():
    outlet = Outlet()
    sink = sink_of(outlet)
    for n in range(1000):
        sink.put(f"line {n}")
    sink.close()

    assert outlet.taken == b"".join(b"line %d\n" % n for n in range(1000))
    assert outlet.is_closed


def test_a_line_is_written_without_waiting_for_the_end():
    outlet = Outlet()
    sink = sink_of(outlet)
    sink.put("hello")

    assert outlet.asked.wait(5.0)
    sink.close()


def test_lines_that_come_together_leave_together():
    outlet = Outlet()
    sink = sink_of(outlet, gather_s=60.0)
    for n in range(1000):
        sink.put(f"line {n}")
    sink.close()

    assert outlet.calls == 1


def test_nothing_to_write_is_nothing_written():
    outlet = Outlet()
    sink_of(outlet).close()

    assert outlet.calls == 0


def test_what_did_not_go_out_is_tried_again_from_where_it_stopped():
    outlet = Outlet(room=3)
    sink = sink_of(outlet)
    sink.put("hello")
    outlet.asked.wait(5.0)
    sink.put("world")
    outlet.room = 100
    sink.close()

    assert outlet.taken == b"hello\nworld\n"


def test_at_the_bound_lines_are_dropped_counted_and_owned_up_to():
    outlet = Stuck()
    sink = sink_of(outlet, max_pending_bytes=1000)
    sink.put("first")
    outlet.asked.wait(5.0)
    for n in range(100):
        sink.put(f"line {n}")
    outlet.go.set()
    sink.close()

    lines = outlet.taken.decode().splitlines()
    kept = len(lines) - 2
    assert lines[:3] == ["first", "line 0", "line 1"]
    assert 10 <= kept <= 20
    assert lines[-1] == f"lost {100 - kept}"


def test_empty_lines_are_bounded_too():
    outlet = Stuck()
    sink = sink_of(outlet, max_pending_bytes=1000)
    sink.put("first")
    outlet.asked.wait(5.0)
    for _ in range(100_000):
        sink.put("")

    assert len(sink._lines) < 20

    outlet.go.set()
    sink.close()


def test_what_waits_to_be_tried_again_counts_towards_the_bound():
    outlet = Outlet(room=0)
    sink = sink_of(outlet, max_pending_bytes=1000)
    sink.put("x" * 2000)
    outlet.asked.wait(5.0)
    outlet.asked.clear()
    outlet.asked.wait(5.0)
    sink.put("dropped")
    outlet.room = 100_000
    sink.close()

    assert outlet.taken == b"x" * 2000 + b"\nlost 1\n"


def test_an_outlet_that_hangs_does_not_hold_up_the_end():
    outlet = Stuck()
    sink = sink_of(outlet)
    sink.put("hello")
    outlet.asked.wait(5.0)
    sink.close(timeout_s=0.01)

    assert not outlet.is_closed

    outlet.go.set()
    sink.close()

    assert outlet.is_closed


def test_text_that_has_no_encoding_is_written_all_the_same():
    outlet = Outlet()
    sink = sink_of(outlet)
    sink.put("caf\xe9 \udc80")
    sink.close()

    assert outlet.taken == b"caf\xc3\xa9 \\udc80\n"


def test_many_threads_may_write():
    outlet = Outlet()
    sink = sink_of(outlet)

    def write(name):
        for n in range(500):
            sink.put(f"{name} {n}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()

    lines = outlet.taken.decode().splitlines()
    assert [line for line in lines if line.startswith("a")] == [f"a {n}" for n in range(500)]
    assert len(lines) == 2000


@pytest.mark.parametrize("device", ["/dev/full", "/nonexistent/x.log"])
def test_a_real_file_that_takes_nothing_harms_nobody(device):
    sink = LineSink(FileOutlet(Path(device)), gather_s=0.0, retry_s=0.001)
    sink.put("hello")
    sink.close()

    assert not sink._thread.is_alive()


def test_the_loss_has_words_of_its_own_if_none_are_given():
    outlet = Stuck()
    sink = LineSink(outlet, max_pending_bytes=1, gather_s=0.0)
    sink.put("first")
    outlet.asked.wait(5.0)
    sink.put("kept")
    sink.put("dropped")
    outlet.go.set()
    sink.close()

    assert outlet.taken == b"first\nkept\nlog lines lost: 1\n"


def test_what_was_dropped_is_counted_for_good_also_when_it_was_told():
    outlet = Outlet()
    sink = sink_of(outlet, max_pending_bytes=0)
    for _ in range(3):
        sink.put("x")
    sink.close()

    assert outlet.taken == b"lost 3\n"
    assert sink.lost_total == 3


def test_dropped_lines_stay_counted_after_they_were_owned_up_to():
    outlet = Stuck()
    sink = sink_of(outlet, max_pending_bytes=1)
    sink.put("first")
    outlet.asked.wait(5.0)
    for _ in range(4):
        sink.put("line")

    assert sink.lost_total == 3

    outlet.go.set()

    assert sink.close() == 0
    assert outlet.taken == b"first\nline\nlost 3\n"
    assert sink.lost_total == 3


def test_lines_that_are_left_at_the_end_are_lost_and_counted():
    outlet = Outlet(room=8)
    sink = sink_of(outlet, retry_s=60.0)
    for _ in range(3):
        sink.put("hello")

    assert sink.close() == 2
    assert sink.lost_total == 2
    assert outlet.taken == b"hello\nhe"


def test_lines_in_an_outlet_that_hangs_count_as_lost():
    outlet = Stuck()
    sink = sink_of(outlet)
    sink.put("hello")
    outlet.asked.wait(5.0)
    sink.put("world")

    assert sink.close(timeout_s=0.01) == 2

    outlet.go.set()


def test_lines_that_an_outlet_refuses_for_good_are_owned_up_to():
    outlet = Outlet()
    outlet.refused = 2
    sink = sink_of(outlet)
    sink.put("hello")
    outlet.asked.wait(5.0)
    sink.put("world")
    sink.close()

    assert outlet.taken == b"hello\nworld\nlost 2\n"
    assert sink.lost_total == 2


def test_trouble_is_told_once_and_its_end_too():
    told, is_told = [], threading.Semaphore(0)
    outlet = Outlet(room=0)
    outlet.problem = "No space left on device"

    def tell(problem):
        told.append(problem)
        is_told.release()

    sink = sink_of(outlet, tell=tell)
    for _ in range(5):
        outlet.asked.clear()
        sink.put("hello")
        outlet.asked.wait(5.0)
    assert is_told.acquire(timeout=5.0)
    outlet.problem, outlet.room = "", 100
    assert is_told.acquire(timeout=5.0)
    sink.close()

    assert told == ["No space left on device", ""]
    assert outlet.taken == b"hello\n" * 5


def test_an_outlet_is_reopened_without_a_line_to_write():
    outlet = Outlet()
    sink = sink_of(outlet)
    sink.reopen()

    assert outlet.reopened.wait(5.0)
    assert outlet.calls == 0
    sink.close()
