"""What a process leaves behind that is killed at any moment."""

import sys
from itertools import count


class Killed(BaseException):
    """Where a process would have ended."""


def kill_points(make, act):
    """Do something to something new again and again, killed one step later each time.

    Args:
        make: Gives what it is done to.
        act: Does it.

    Yields:
        What was left, for each step of the interpreter; at last what is whole.
    """
    for steps in count():
        subject = make()
        is_whole = _run(steps, act, subject)
        yield subject
        if is_whole:
            return


def _run(steps, act, subject):
    """Whether it got through; only steps of the gateway count, not what its caller does."""
    left = steps

    def trace(frame, event, _):
        nonlocal left
        if not frame.f_globals["__name__"].startswith("pyproxy."):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left < 0:
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act(subject)
    except Killed:
        return False
    finally:
        sys.settrace(before)
    return True
