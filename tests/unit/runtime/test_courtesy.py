import os
import threading
from concurrent.futures import ThreadPoolExecutor

from pyproxy.runtime.courtesy import stand_back


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_the_thread_stands_back_and_no_other_does():
    before = niceness()
    with ThreadPoolExecutor(1, initializer=stand_back) as threads:
        there = threads.submit(niceness).result()

    assert there == max(before, 10)
    assert niceness() == before


def test_where_that_is_forbidden_the_thread_works_on(monkeypatch):
    def forbid(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)
    with ThreadPoolExecutor(1, initializer=stand_back) as threads:
        assert threads.submit(lambda: "done").result() == "done"
