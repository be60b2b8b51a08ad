"""What Redis does in one step: the scripts, and the keys they work on."""

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

# Longer names, which a token's issuer chooses, are kept as digests.
_LONGEST_NAME: Final = 200

# Microseconds since a day in 2023: fits a double to 1/64 microsecond for centuries.
CLOCK: Final = "local t = redis.call('TIME')"
_NOW: Final = "local now = (t[1] - 1700000000) * 1000000 + t[2]"

# The arithmetic of limits/bucket.py in microseconds: a key holds when its bucket is full
# again. Beyond what was asked for it spends as much of ``more`` as there is, for a lease.
_TAKE: Final = """
local function keep(key, ahead)
  local lasting = math.max(1, math.ceil(ahead / 1000))
  redis.call('SET', key, string.format('%.17g', now + ahead), 'PX', lasting)
end
local function take(key, interval, capacity, slack, cost, more)
  local full_at = tonumber(redis.call('GET', key) or '0')
  local ahead = math.min(math.max(full_at - now, 0), capacity)
  local after = ahead + cost * interval
  if after - capacity > slack then
    if full_at - now > capacity then keep(key, capacity) end
    return {-1, math.ceil(after - capacity), math.ceil(ahead)}
  end
  local extra = math.max(0, math.min(more, math.floor((capacity + slack - after) / interval)))
  after = after + extra * interval
  keep(key, after)
  return {extra, 0, math.floor(after)}
end
local answers, width = {}, #ARGV / #KEYS
for i, key in ipairs(KEYS) do
  local at = width * (i - 1)
  answers[i] = take(key, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]),
    tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]))
end
return answers
"""

_GIVE_BACK: Final = """
local answers, width = {}, #ARGV / #KEYS
for i, key in ipairs(KEYS) do
  local at = width * (i - 1)
  local full_at = tonumber(redis.call('GET', key) or '0')
  local ahead = full_at - now - tonumber(ARGV[at + 1]) * tonumber(ARGV[at + 2])
  answers[i] = 0
  if ahead > 0 then
    redis.call('SET', key, string.format('%.17g', now + ahead), 'PX', math.ceil(ahead / 1000))
  elseif full_at > 0 then
    redis.call('DEL', key)
  end
end
return answers
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the digest by which a server knows it (``EVALSHA``).

    Attributes:
        text: Lua.
        folds: It does for each of its keys the same, and answers with a list: several
            runs of it are one run with all their keys and values.
        digest: SHA-1 of the text, in hexadecimal.
    """

    text: str
    folds: bool = False
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Work out the digest; a name among scripts, not a protection."""
        made = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "digest", made)


def with_clock(body: str, clock: str = CLOCK, *, folds: bool = False) -> Script:
    """A script that knows the time, ``now``.

    Args:
        body: Lua.
        clock: Lua that sets ``t`` to seconds and microseconds; the server's unless a test
            steps through time.
        folds: See `Script`.
    """
    return Script(f"{clock}\n{_NOW}{body}", folds)


@dataclass(frozen=True, slots=True)
class BucketScripts:
    """The two steps of a bucket.

    Attributes:
        take: Answers ``{extra or -1, wait in us, us until full}`` for each key.
        give_back: Answers nothing of interest.
    """

    take: Script
    give_back: Script

    @classmethod
    def timed_by(cls, clock: str = CLOCK) -> Self:
        """Those that read this clock."""
        return cls(with_clock(_TAKE, clock, folds=True), with_clock(_GIVE_BACK, clock, folds=True))


def key_of(prefix: str, name: str) -> bytes:
    """The key of a thing in Redis; its name in braces, so that a cluster spreads by it.

    Args:
        prefix: What keys begin with.
        name: Any text, lone surrogates of a token's claims included.
    """
    text = name.encode("utf-8", "surrogatepass")
    if len(text) > _LONGEST_NAME:
        text = b"sha256:" + hashlib.sha256(text).hexdigest().encode()
    return b"%b:{%b}" % (prefix.encode(), text)
