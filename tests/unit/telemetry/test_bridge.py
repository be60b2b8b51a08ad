import asyncio
import json
import logging

import pytest

from pyproxy.telemetry.bridge import Bridge, exception_handler, install
from pyproxy.telemetry.log import Log


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines):
    return Log(lambda line: lines.append(json.loads(line)), lambda: 0.0, level="debug")


def record(name="aiohttp.server", level=logging.WARNING, msg="hello %s", args=("you",), exc=None):
    info = (type(exc), exc, None) if exc is not None else None
    return logging.LogRecord(name, level, "file.py", 1, msg, args, info)


def test_a_librarys_message_is_a_line_of_ours(log, lines):
    Bridge(log).emit(record())

    assert lines[0]["event"] == "library.aiohttp.server"
    assert lines[0]["level"] == "warning"
    assert lines[0]["message"] == "hello you"


@pytest.mark.parametrize(
    ("number", "level"),
    [
        pytest.param(logging.CRITICAL, "error", id="critical"),
        pytest.param(logging.ERROR, "error", id="error"),
        pytest.param(logging.INFO, "info", id="info"),
        pytest.param(5, "debug", id="less than debug"),
    ],
)
def test_levels_are_translated(log, lines, number, level):
    Bridge(log).emit(record(level=number))

    assert lines[0]["level"] == level


def test_an_exception_is_told_without_its_text(log, lines):
    Bridge(log).emit(record(exc=ValueError("pyp_secret")))

    assert lines[0]["traceback"] == "ValueError"


def test_no_exception_after_all_is_no_traceback(log, lines):
    entry = record()
    entry.exc_info = (None, None, None)
    Bridge(log).emit(entry)

    assert "traceback" not in lines[0]


def test_a_mistake_in_a_librarys_call_is_not_ours(log, lines):
    Bridge(log).emit(record(msg="%d", args=("x",)))

    assert lines[0]["message"] == "%d"


def test_what_the_loop_was_called_with_is_not_told(log, lines):
    Bridge(log).emit(record("asyncio", msg="Executing %s took", args=(b"pyp_secret",)))

    assert lines[0]["message"] == "Executing %s took"


@pytest.mark.parametrize(
    ("level", "root_level"),
    [
        pytest.param("debug", logging.DEBUG, id="debug"),
        pytest.param("info", logging.WARNING, id="info"),
    ],
)
def test_the_bridge_takes_over_the_root_logger(lines, level, root_level):
    root = logging.getLogger()
    before, level_before = root.handlers[:], root.level
    try:
        bridge = install(Log(lines.append, lambda: 0.0, level=level))

        assert root.handlers == [bridge]
        assert root.level == root_level
    finally:
        root.handlers[:] = before
        root.setLevel(level_before)


async def test_a_failure_in_the_loop_is_told_without_its_objects(log, lines):
    handle = exception_handler(log)
    context = {
        "message": "Fatal error: protocol.data_received() call failed.",
        "exception": ValueError("pyp_secret"),
        "transport": "pyp_secret",
    }

    handle(asyncio.get_running_loop(), context)

    assert lines[0]["event"] == "loop.failure"
    assert lines[0]["message"] == "Fatal error: protocol.data_received() call failed."
    assert lines[0]["traceback"] == "ValueError"
    assert "pyp_secret" not in json.dumps(lines)


async def test_a_complaint_of_the_loop_without_an_exception_is_told(log, lines):
    exception_handler(log)(asyncio.get_running_loop(), {"message": "Task was destroyed."})

    assert lines[0]["message"] == "Task was destroyed."
    assert "traceback" not in lines[0]
