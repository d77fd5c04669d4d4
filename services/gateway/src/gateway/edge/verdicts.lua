-- A short memory of the gateway's verdicts, in each of Envoy's worker threads.
--
-- A GET by a caller whom the gateway let pass less than a second ago passes without being asked about again, as long as
-- the lease that came with that verdict lasts. The lease's requests are counted in the caller's window already; what is
-- not spent goes back with a later question. Whatever goes wrong in here, the gateway is asked.

local AUDIENCES = {--[[AUDIENCES]]}
local LIFE_MS = --[[LIFE_MS]]
local MAX_KEPT, MAX_KEY, MAX_RETURNED = 4096, 2048, 16
local SPACE, AUTHZ = "bidwright.verdicts", "envoy.filters.http.ext_authz"
local IDENTITY, LEASE, UNSPENT = "x-bidwright-identity", "x-bidwright-lease", "x-bidwright-unspent"
local VERDICT, LIMIT, POLICY = "x-bidwright-verdict", "x-bidwright-ratelimit", "x-bidwright-ratelimit-policy"

-- Two generations: what is not stored anew is gone after two turns, without a walk through all of it on each request.
local young, old, kept, turned_at = {}, {}, 0, 0
local asking = {}    -- keys whose verdict is on its way, so that a burst takes one lease and not one each
local unspent = {}   -- window -> requests to give back

local function give_back(verdict, now)
  if verdict.requests > 0 and now < verdict.window_ends then
    unspent[verdict.window] = (unspent[verdict.window] or 0) + verdict.requests
  end
  verdict.requests = 0
end

local function turn(now)
  local since = now - turned_at
  if since >= 0 and since < LIFE_MS then return end
  for _, verdict in pairs(old) do give_back(verdict, now) end
  old, young, kept, asking, turned_at = young, {}, 0, {}, now
  -- After a pause the younger ones are over as well.
  if since >= 2 * LIFE_MS or since < 0 then
    for _, verdict in pairs(old) do give_back(verdict, now) end
    old = {}
  end
end

local function ask(headers)
  local window, requests = next(unspent)
  if window == nil then return end
  local parts = {}
  while window ~= nil and #parts < MAX_RETURNED do
    parts[#parts + 1] = string.format("%s:%d", window, requests)
    unspent[window] = nil
    window, requests = next(unspent)
  end
  headers:replace(UNSPENT, table.concat(parts, ","))
end

-- Absent and empty are two things to the gateway, so they are in a key.
local function marked(value) return value and "=" .. value or "-" end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = headers:get(":path")
  local audience = AUDIENCES[path:match("^/api/([^/?]+)") or ""]
  if audience == nil then return end
  local method = headers:get(":method")
  local now = handle:timestamp()
  turn(now)
  if method ~= "GET" and method ~= "HEAD" then return ask(headers) end
  -- An event stream may name its org in the query; an escaped letter could hide one.
  local plain = path:match("^[^?]*")
  if plain:find("%", 1, true) or plain:sub(-7) == "/events" then return ask(headers) end

  local key = audience .. "\n" .. marked(headers:get("authorization")) .. "\n" .. marked(headers:get("cookie"))
    .. "\n" .. marked(headers:get("x-org-id"))
  local verdict = young[key] or old[key]
  if verdict and verdict.requests > 0 and now >= verdict.asked_at and now < verdict.ends then
    verdict.requests = verdict.requests - 1
    verdict.left = verdict.left - 1
    headers:replace(IDENTITY, verdict.identity)
    headers:replace(POLICY, verdict.policy)
    -- The last, as this is the word by which the gateway is not asked.
    headers:replace(LIMIT, string.format('"api";r=%d;t=%d', verdict.left, math.ceil((verdict.window_ends - now) / 1000)))
    return
  end
  if verdict and now >= verdict.ends then give_back(verdict, now) end
  ask(headers)
  if asking[key] == nil and kept < MAX_KEPT and #key <= MAX_KEY then
    asking[key] = true
    headers:replace(LEASE, "1")
    handle:streamInfo():dynamicMetadata():set(SPACE, "asked", {key = key, at = now})
  end
end

function envoy_on_response(handle)
  local metadata = handle:streamInfo():dynamicMetadata()
  local ours = metadata:get(SPACE)
  if ours == nil then return end
  local key, asked_at = ours.asked.key, ours.asked.at
  asking[key] = nil
  local said = metadata:get(AUTHZ)
  if said == nil or said[VERDICT] == nil then return end
  local window, requests, limit, left, resets_in = said[VERDICT]:match("^(%S+) (%d+) (%d+) (%d+) (%d+)$")
  local now, window_ends = handle:timestamp(), asked_at + tonumber(resets_in)
  local verdict = {
    identity = said[IDENTITY],
    window = window,
    window_ends = window_ends,
    requests = tonumber(requests),
    left = tonumber(left),
    policy = string.format('"api";q=%s;w=60', limit),
    asked_at = asked_at,
    ends = math.min(asked_at + LIFE_MS, window_ends),
  }
  local before = young[key] or old[key]
  if before then give_back(before, now) end
  if now >= verdict.ends then return give_back(verdict, now) end
  if young[key] == nil then kept = kept + 1 end
  young[key], old[key] = verdict, nil
end
