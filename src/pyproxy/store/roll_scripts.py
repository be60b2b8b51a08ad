"""What Redis does in one step with a list: who is on it until when, and who was taken off."""

from typing import Final

from pyproxy.store.roll_page import LATEST
from pyproxy.store.scripts import Script

# For so long a name that was taken off cannot come back by a copy that did not hear of it.
LIFTED_S: Final = 86_400.0

_BEGIN: Final = f"""
local LATEST = {LATEST:.0f}
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local function number(n) return string.format('%.17g', n) end
local function told(verb, first, second, name)
  local version = redis.call('INCR', KEYS[4])
  redis.call('PUBLISH', ARGV[1], verb .. ' ' .. first .. ' ' .. second .. ' '
    .. version .. ' ' .. name)
  return version
end
"""

_PUT: Final = (
    _BEGIN
    + """
local name, ends, since, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lifted = tonumber(redis.call('ZSCORE', KEYS[3], name) or '-1')
if lifted >= since then return {'lifted', number(lifted)} end
local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)
if #over > 0 then
  redis.call('ZREM', KEYS[1], unpack(over))
  redis.call('HDEL', KEYS[2], unpack(over))
end
local known = tonumber(redis.call('ZSCORE', KEYS[1], name) or '-1')
if known < 0 and redis.call('ZCARD', KEYS[1]) >= most then return {'full', '0'} end
local before = tonumber(redis.call('HGET', KEYS[2], name) or '-1') or -1
if known >= ends and before >= since then return {'known', '0'} end
ends, since = math.min(math.max(known, ends), LATEST), math.max(before, since)
redis.call('ZADD', KEYS[1], number(ends), name)
redis.call('HSET', KEYS[2], name, number(since))
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
local forgotten = math.min(math.ceil(tonumber(last)) + 1, LATEST)
redis.call('EXPIREAT', KEYS[1], forgotten)
redis.call('EXPIREAT', KEYS[2], forgotten)
return {'put', tostring(told('put', number(ends), number(since), name))}
"""
)

_LIFT: Final = (
    _BEGIN
    + f"""
local name, at = ARGV[2], tonumber(ARGV[3])
if (tonumber(redis.call('HGET', KEYS[2], name) or '-1') or -1) > at then return {{'newer', '0'}} end
if tonumber(redis.call('ZSCORE', KEYS[3], name) or '-1') >= at then return {{'known', '0'}} end
redis.call('ZREM', KEYS[1], name)
redis.call('HDEL', KEYS[2], name)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - {LIFTED_S:.0f})
redis.call('ZADD', KEYS[3], number(at), name)
redis.call('EXPIRE', KEYS[3], {LIFTED_S:.0f})
return {{'lifted', tostring(told('lift', number(at), '0', name))}}
"""
)

_READ: Final = (
    _BEGIN
    + """
local names = redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf', 'WITHSCORES',
  'LIMIT', ARGV[1], ARGV[2])
local since = {}
for i = 1, #names, 2 do since[#since + 1] = redis.call('HGET', KEYS[2], names[i]) or '0' end
local lifted = redis.call('ZRANGE', KEYS[3], ARGV[1], ARGV[1] + ARGV[2] - 1, 'WITHSCORES')
return {number(now), redis.call('GET', KEYS[4]) or '0', names, since, lifted}
"""
)

PUT, LIFT, READ = Script(_PUT), Script(_LIFT), Script(_READ)
