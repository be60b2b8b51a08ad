"""A loop's clock that stands still until a test moves it."""

import asyncio


class Timer:
    """One call at its time, unless cancelled."""

    def __init__(self, due, callback):
        self.due, self.callback = due, callback
        self.is_cancelled = False

    def cancel(self):
        self.is_cancelled = True


class Clock:
    """What a loop knows of time; the rest is the running loop's.

    Attributes:
        now: Monotonic seconds.
        started: Every timer there ever was.
        pending: Those whose time has not come, cancelled ones included, as a loop keeps them.
    """

    def __init__(self, now=100.0):
        self.now = now
        self.started = []
        self.pending = []

    def time(self):
        return self.now

    def call_at(self, when, callback):
        timer = Timer(when, callback)
        self.started.append(timer)
        self.pending.append(timer)
        return timer

    def call_later(self, delay, callback):
        return self.call_at(self.now + delay, callback)

    def call_soon(self, callback):
        asyncio.get_running_loop().call_soon(callback)

    def create_future(self):
        return asyncio.get_running_loop().create_future()

    @property
    def waiting(self):
        """Those that will be called."""
        return [timer for timer in self.pending if not timer.is_cancelled]

    def move_to(self, now):
        """Call back whatever is due on the way there, each at its time."""
        while due := [timer for timer in self.waiting if timer.due <= now]:
            first = min(due, key=lambda timer: timer.due)
            self.pending.remove(first)
            self.now = max(self.now, first.due)
            first.callback()
        self.now = now
        self.pending = [timer for timer in self.pending if timer.due > now]

    def sleep_through(self, now):
        """Call back whatever was due on the way there when it is over: the loop stood still."""
        self.now = now
        self.move_to(now)

    def advance(self, seconds):
        """Move on."""
        self.move_to(self.now + seconds)
