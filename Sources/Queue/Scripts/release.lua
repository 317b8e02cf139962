-- release: a session is over; a page of what it held goes back to the front, and its places are free again.
--
-- Ids with a key keep its place: they are ready, or found to have ended at their next claim.
-- Postgres decided that the session is over. An id whose job has ended meanwhile is found out by its next claim.
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> session
-- ARGV[3] -> page: ids at most
-- Returns   how many ids are left
-- Errors    GCGEN another generation: nothing was done
local T, session = KEYS[1], ARGV[2]
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'vt')
if head[1] ~= ARGV[1] then return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing')) end
-- Out of the open ones first, so that a worker that wakes up late is refused; ':x' remembers until all pages are done.
call('SMOVE', T .. ':w', T .. ':x', session)
local held = T .. ':in:' .. session
local ids = call('SPOP', held, tonumber(ARGV[3]))
if #ids == 0 then
  call('SREM', T .. ':x', session)
  return 0
end
local records, vt, tenants = call('HMGET', T .. ':b', unpack(ids)), tonumber(head[2] or '0'), {}
for i, id in ipairs(ids) do
  if records[i] then
    local tenant, class = places.read(records[i])
    call('LPUSH', T .. ':r:' .. class .. ':' .. tenant, id)
    tenants[tenant] = (tenants[tenant] or 0) + 1
  end
end
for tenant, count in pairs(tenants) do
  if call('HINCRBY', T .. ':ta', tenant, -count) <= 0 then call('HDEL', T .. ':ta', tenant) end
  local throttled = call('HGET', T .. ':bk', tenant) == 'r'
  if not throttled then call('HDEL', T .. ':bk', tenant) end
  local own = math.max(vt, tonumber(call('HGET', T .. ':tv', tenant) or '0'))
  for class = 0, 3 do
    if not throttled and call('EXISTS', T .. ':r:' .. class .. ':' .. tenant) == 1 then
      call('ZADD', T .. ':ring:' .. class, 'NX', own, tenant)
    end
  end
end
local total = 0
for _, count in pairs(tenants) do total = total + count end
call('HINCRBY', T .. ':m', 'active', -total)
call('ZADD', T .. ':wake', 0, '0')
local left = call('SCARD', held)
if left == 0 then call('SREM', T .. ':x', session) end
return left
