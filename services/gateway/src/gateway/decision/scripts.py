"""The Lua that makes a decision one round trip.

Keys are made inside the scripts, from what the first lookup finds: fine for one Valkey (with replicas or not), not for
a sharded cluster. A forgotten fact leaves a tombstone (`gone`) for a few seconds, so that someone who read PostgreSQL
before the change cannot put the old fact back after it.
"""

from __future__ import annotations

from typing import Final

from gateway.decision.limits import SINGLE_WRITE_KEY
from gateway.decision.multiplexed import Script

_COUNT: Final = (
    """
local function take(key, limit)
  local n = redis.call('INCR', key)
  local left_ms = redis.call('PTTL', key)
  if left_ms <= 0 then
    redis.call('SET', key, 1, 'PX', 60000)
    n, left_ms = 1, 60000
  elseif n > limit then
    redis.call('DECR', key)
    return {0, 0, left_ms, limit}
  end
  return {1, limit - n, left_ms, limit}
end

local tiers = {free = 0, pro = 1, enterprise = 2}

-- ARGV from i: api limit of each tier, ai limit of each tier, whether ai counts, whether the single-write guard is on
local function count(user, org, tier, i)
  local at = i + (tiers[tier] or 0)
  local place = user .. ':' .. org
  local api = take('bw:r:api:' .. place, tonumber(ARGV[at]))
  local ai = {-1, 0, 0, 0}
  local limit = tonumber(ARGV[at + 3])
  if api[1] == 1 and ARGV[i + 6] == '1' and limit > 0 then
    ai = take('bw:r:ai:' .. place, limit)
    if ai[1] == 1 and ARGV[i + 7] == '1' then
      local guard = '"""
    + SINGLE_WRITE_KEY
    + """' .. user
      if not redis.call('SET', guard, '1', 'NX', 'EX', 60) then
        ai = {0, 0, redis.call('PTTL', guard), limit}
      end
    end
  end
  return {api[1], api[2], api[3], api[4], ai[1], ai[2], ai[3], ai[4]}
end
"""
)

# Requests that the edge may let pass by itself are counted here up front, while more than half of the window's budget
# is left; it gives back what it did not spend. What is left near the end of the budget is counted one by one.
_LEASE: Final = """
local function lease(key, api)
  if api[1] == 0 or api[4] < 64 or api[2] * 2 <= api[4] then return 0, 0 end
  local n = math.min(1000, math.floor(api[4] / 16))
  redis.call('INCRBY', key, n)
  return n, redis.call('PEXPIRETIME', key)
end
"""

DECIDE: Final = Script(
    _COUNT
    + _LEASE
    + """
-- KEYS: the credential. ARGV: now, the org asked for or '', whether a lease is wanted, then the numbers.
local c = redis.call('HMGET', KEYS[1], 'user', 'home', 'session', 'scopes', 'email', 'name', 'ends')
if not c[1] then return {'unknown'} end
if tonumber(c[7]) <= tonumber(ARGV[1]) then return {'unknown'} end
local org = ARGV[2]
if org == '' then org = c[2] end
if c[3] == '' and org ~= c[2] then return {'forbidden'} end
local role = redis.call('HGET', 'bw:m:' .. c[1] .. ':' .. org, 'role')
local o = redis.call('HMGET', 'bw:o:' .. org, 'tier', 'name')
if not role or not o[1] then return {'unknown'} end
local n = count(c[1], org, o[1], 4)
local leased, ends = 0, 0
if ARGV[3] == '1' then leased, ends = lease('bw:r:api:' .. c[1] .. ':' .. org, n) end
return {'known', c[1], c[2], c[3], c[4], c[5], c[6], c[7], org, role, o[1], o[2],
  n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], leased, ends}
"""
)

REMEMBER: Final = Script(
    _COUNT
    + """
-- KEYS: credential, membership, org. ARGV: lifetime in ms, then caller (7), place (4), then the numbers.
local function keep(key, ...)
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, ...)
    redis.call('PEXPIRE', key, ARGV[1])
  end
end
keep(KEYS[1], 'user', ARGV[2], 'home', ARGV[3], 'session', ARGV[4], 'scopes', ARGV[5], 'email', ARGV[6],
  'name', ARGV[7], 'ends', ARGV[8])
keep(KEYS[2], 'role', ARGV[10])
keep(KEYS[3], 'tier', ARGV[11], 'name', ARGV[12])
return count(ARGV[2], ARGV[9], ARGV[11], 13)
"""
)

TAKE: Final = Script(
    _COUNT
    + """
return take(KEYS[1], tonumber(ARGV[1]))
"""
)

# KEYS: a window. ARGV: how many come back, and the window's end: a later window must not get them.
GIVE_BACK: Final = Script(
    """
if redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('DECRBY', KEYS[1], ARGV[1]) < 0 then redis.call('SET', KEYS[1], 0, 'KEEPTTL') end
return 1
"""
)

BURY: Final = Script(
    """
-- ARGV: the tombstone's life in ms.
for _, key in ipairs(KEYS) do
  redis.call('DEL', key)
  redis.call('HSET', key, 'gone', '1')
  redis.call('PEXPIRE', key, ARGV[1])
end
return #KEYS
"""
)
