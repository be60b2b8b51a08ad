"""What Redis does in one step: the scripts, and the keys they work on."""

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

# Longer names, which a token's issuer chooses, are kept as digests.
_LONGEST_NAME: Final = 200

# Microseconds since a day in 2023: fits a double to 1/64 microsecond for centuries.
CLOCK: Final = "local t = redis.call('TIME')"
_NOW: Final = "local now = (t[1] - 1700000000) * 1000000 + t[2]"

# A lease of a bucket that fills up faster than this is held for this long instead; see `_TAKE`.
HELD_S: Final = 0.2
# What all such leases of the last moment may have of what a bucket admits at once.
MOST_HELD: Final = 0.1

# The arithmetic of limits/bucket.py in microseconds: a key holds when its bucket is full
# again. Beyond what was asked for it spends as much of ``more`` as there is, for a lease.
#
# Bucket and leases together must never have more than the bucket may. A lease of a bucket
# that needs long to fill shrinks as it fills (`lease.Portion`). One of a bucket that is
# nearly full would be gone in no time: so it is held for a while, and for as long the bucket
# is not filled beyond what is held outside. The key then holds, too, what was handed out in
# this span of HELD_S and in the one before; what was handed out earlier is void. A value that
# somebody else put there counts as none: one faulty key must not take the store down for all.
_SOUND: Final = """
local function sound(text)
  local number = tonumber(text or 0) or 0
  return number == number and number or 0
end
"""
_TAKE: Final = f"""{_SOUND}
local HELD, MOST_HELD = {HELD_S * 1e6:.0f}, {MOST_HELD}
local function read(key)
  local full_at, span, this, last = string.match(redis.call('GET', key) or '0',
    '^(%S+) ?(%S*) ?(%S*) ?(%S*)$')
  local present = math.floor(now / HELD)
  full_at, span, this, last = sound(full_at), sound(span), sound(this), sound(last)
  if span < present - 1 then this, last = 0, 0 elseif span < present then this, last = 0, this end
  return full_at, present, this, last
end
local function keep(key, ahead, span, this, last)
  local value, lasting = string.format('%.17g', now + ahead), math.ceil(ahead / 1000)
  if this + last > 0 then
    value = value .. string.format(' %.0f %.0f %.0f', span, this, last)
    lasting = math.max(lasting, 2 * HELD / 1000)
  end
  redis.call('SET', key, value, 'PX', math.max(1, lasting))
end
local function take(key, interval, capacity, slack, cost, more)
  local full_at, span, this, last = read(key)
  local outside = (this + last) * interval
  local ahead = math.min(math.max(full_at - now, outside, 0), capacity)
  local after = ahead + cost * interval
  if after - capacity > slack then
    if full_at - now > capacity then keep(key, capacity, span, this, last) end
    return {{-1, math.ceil(after - capacity), math.ceil(ahead), 0}}
  end
  local extra = math.max(0, math.min(more, math.floor((capacity + slack - after) / interval)))
  local held = 0
  if extra > 0 and after + extra * interval < 2 * HELD then
    local room = math.floor(MOST_HELD * capacity / interval) - this - last
    extra = math.max(0, math.min(extra, room))
    this, held = this + extra, HELD
  end
  after = after + extra * interval
  keep(key, after, span, this, last)
  if held == 0 then after = math.max(cost * interval, after - outside) end
  return {{extra, 0, math.floor(after), held}}
end
local answers, width = {{}}, #ARGV / #KEYS
for i, key in ipairs(KEYS) do
  local at = width * (i - 1)
  answers[i] = take(key, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]),
    tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]))
end
return answers
"""

_GIVE_BACK: Final = f"""{_SOUND}
local answers, width = {{}}, #ARGV / #KEYS
for i, key in ipairs(KEYS) do
  local at = width * (i - 1)
  local full_at, rest = string.match(redis.call('GET', key) or '0', '^(%S+)(.*)$')
  full_at, rest = sound(full_at), rest or ''
  local ahead = full_at - now - tonumber(ARGV[at + 1]) * tonumber(ARGV[at + 2])
  answers[i] = 0
  if ahead > 0 or (rest ~= '' and full_at > now) then
    local lasting = math.max(1, redis.call('PTTL', key))
    redis.call('SET', key, string.format('%.17g', now + math.max(0, ahead)) .. rest, 'PX', lasting)
  elseif full_at > 0 and rest == '' then
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
        take: Answers ``{extra or -1, wait in us, us until full, us that extra is held}``
            for each key.
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
