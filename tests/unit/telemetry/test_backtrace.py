import pytest

from pyproxy.telemetry.backtrace import MAX_CHAIN, MAX_FRAMES, describe, trace


def caught(function):
    try:
        function()
    except Exception as exc:  # noqa: BLE001
        return exc
    raise AssertionError


def choke_on_a_request():
    raise ValueError(b"Authorization: Bearer pyp_secret")


def choke_and_choke_again():
    try:
        choke_on_a_request()
    except ValueError as exc:
        raise KeyError("pyp_secret") from exc


def choke_while_choking():
    try:
        choke_on_a_request()
    finally:
        {}["pyp_secret"]


def fall(depth):
    if not depth:
        choke_on_a_request()
    fall(depth - 1)


@pytest.mark.parametrize(
    "function", [choke_on_a_request, choke_and_choke_again, choke_while_choking]
)
def test_a_trace_holds_no_data(function):
    assert "pyp_secret" not in trace(caught(function))


def test_a_trace_says_where_and_what():
    text = trace(caught(choke_on_a_request))

    assert "test_backtrace.py" in text
    assert "in choke_on_a_request" in text
    assert text.endswith("ValueError")


@pytest.mark.parametrize("function", [choke_and_choke_again, choke_while_choking])
def test_causes_are_told(function):
    first, second = trace(caught(function)).split("\nfollows from\n")

    assert first.endswith("KeyError")
    assert second.endswith("ValueError")


def test_deep_calls_are_cut_at_the_outer_end():
    text = trace(caught(lambda: fall(100)))

    assert text.count("\n") == MAX_FRAMES
    assert "in choke_on_a_request" in text


def test_causes_in_a_circle_end():
    exc = caught(choke_and_choke_again)
    exc.__cause__.__cause__ = exc

    assert trace(exc).count("follows from") == MAX_CHAIN - 1


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        pytest.param(KeyError("pyp_secret"), "KeyError", id="type alone"),
        pytest.param(
            ConnectionRefusedError(111, "Connection refused"),
            "ConnectionRefusedError: Connection refused",
            id="the system's words",
        ),
        pytest.param(OSError("pyp_secret"), "OSError", id="not the system's words"),
    ],
)
def test_an_exception_is_told_without_its_text(exc, expected):
    assert describe(exc) == expected
