"""The Lua that makes a decision one round trip.

Keys are made inside the scripts, from what the first lookup finds: fine for one Valkey (with replicas or not), not for
a sharded cluster. A forgotten fact leaves a tombstone (`gone`) for a few seconds, so that someone who read PostgreSQL
before the change cannot put the old fact back after it.
"""

from __future__ import annotations

from typing import Final

from gateway.decision.limits import SINGLE_WRITE_KEY

_COUNT: Final = (
    """
local function take(key, limit)
  local n = tonumber(redis.call('GET', key) or '0')
  local left_ms = redis.call('PTTL', key)
  if n >= limit and left_ms > 0 then return {0, 0, left_ms, limit} end
  if left_ms <= 0 then
    redis.call('SET', key, 1, 'PX', 60000)
    return {1, limit - 1, 60000, limit}
  end
  return {1, limit - redis.call('INCR', key), left_ms, limit}
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

DECIDE: Final = (
    _COUNT
    + """
-- KEYS: the credential. ARGV: now, the org asked for or '', then the numbers.
local c = redis.call('HMGET', KEYS[1], 'user', 'home', 'session', 'scopes', 'email', 'name', 'ends')
if not c[1] then return {'unknown'} end
if tonumber(c[7]) <= tonumber(ARGV[1]) then return {'unknown'} end
local org = ARGV[2]
if org == '' then org = c[2] end
if c[3] == '' and org ~= c[2] then return {'forbidden'} end
local role = redis.call('HGET', 'bw:m:' .. c[1] .. ':' .. org, 'role')
local o = redis.call('HMGET', 'bw:o:' .. org, 'tier', 'name')
if not role or not o[1] then return {'unknown'} end
return {'known', c, {org, role, o[1], o[2]}, count(c[1], org, o[1], 3)}
"""
)

REMEMBER: Final = (
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

TAKE: Final = (
    _COUNT
    + """
return take(KEYS[1], tonumber(ARGV[1]))
"""
)
