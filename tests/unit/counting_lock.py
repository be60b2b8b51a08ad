"""A lock between processes, as tests of what they share have it."""


class CountingLock:
    """Counts how often it was needed."""

    def __init__(self):
        self.times = 0
        self.is_held = False

    def acquire(self, number):
        assert (number, self.is_held) == (0, False)
        self.times += 1
        self.is_held = True

    def release(self, number):
        assert (number, self.is_held) == (0, True)
        self.is_held = False
