"""The arithmetic of one bucket: how many at once, and how often after that.

It is nginx's ``limit_req`` with ``nodelay``, as a generic cell rate algorithm
(GCRA, ITU-T I.371): the whole bucket is one number, the time at which it will
be full again. With a rate of r and a burst of b, from idle, b + 1 requests pass
at once and then one each 1/r seconds. nginx counts the same as an ``excess``
that falls by r a second and must not pass b; excess = (full_at - now) * r.
"""

# What a float may be off after many additions, so that the last request of a burst
# is not refused for a rounding error. Seconds of a year of uptime are exact to 4e-9.
MAX_SLACK_S = 1e-6
SLACK_SHARE = 0.01  # of an interval, at most: even the fastest limit errs by 1 % at most

FULL = float("-inf")  # a bucket that nothing is known of


def slack(interval_s: float) -> float:
    """Seconds that a wait may be short of its end and still count as over."""
    return min(MAX_SLACK_S, interval_s * SLACK_SHARE)


def take(
    full_at: float, now: float, interval_s: float, capacity_s: float, cost: float
) -> tuple[float, float]:
    """Spend ``cost`` tokens, or say how long to wait for them.

    A refusal spends nothing. A clock that went backwards makes the bucket look
    emptier than empty; it then counts as empty, so that nobody waits longer than
    for a whole bucket.

    Args:
        full_at: When the bucket will be full, monotonic seconds; `FULL` for a new one.
        now: Monotonic seconds.
        interval_s: Between two tokens, 1/rate.
        capacity_s: What the bucket holds, in seconds of refilling: (burst + 1) * interval.
        cost: Tokens wanted, at most burst + 1.

    Returns:
        ``(full_at, wait_s)``: the bucket afterwards, and ``0.0`` if the tokens
        were spent, else the seconds until they could be.
    """
    start = max(now, min(full_at, now + capacity_s))
    after = start + cost * interval_s
    wait_s = after - now - capacity_s
    if wait_s > slack(interval_s):
        return start, wait_s
    return after, 0.0


def give_back(full_at: float, interval_s: float, cost: float) -> float:
    """Undo a `take`: the time at which the bucket will be full with ``cost`` tokens more.

    It never holds more than its capacity, since a time that has passed says no
    more than that it is full.
    """
    return full_at - cost * interval_s
