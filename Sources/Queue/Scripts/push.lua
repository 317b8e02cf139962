-- push: makes jobs known to Redis. Idempotent by id, so enqueue, sweep and rebuild all use it.
--
-- KEYS[1] -> T, the queue's prefix with its hash tag: {gc:crew}
-- ARGV[1] -> generation, or '*' while a rebuild holds the lock
-- ARGV[2] -> n
-- ARGV[3..] -> n times: id, record (see places), due (ms since 1970, 0 = now)
-- Returns   how many ids were new
-- Errors    GCGEN another generation: nothing was done
local T, gen, n = KEYS[1], ARGV[1], tonumber(ARGV[2])
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'vt')
if gen ~= '*' and head[1] ~= gen then
  return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing'))
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local ids = {}
for i = 1, n do ids[i] = ARGV[3 * i] end
local known = call('EXISTS', T .. ':b') == 1 and call('HMGET', T .. ':b', unpack(ids)) or {}

local records, groups, order, later, fresh, seen = {}, {}, {}, {}, 0, {}
for i = 1, n do
  if not known[i] and not seen[ids[i]] then
    seen[ids[i]] = true
    local id, record, due = ids[i], ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2])
    fresh = fresh + 1
    records[#records + 1] = id
    records[#records + 1] = record
    if due > now then
      later[#later + 1] = due
      later[#later + 1] = id
    else
      local group = groups[record]
      if not group then
        group = {}
        groups[record] = group
        order[#order + 1] = record
      end
      group[#group + 1] = id
    end
  end
end
if fresh == 0 then return 0 end
call('HSET', T .. ':b', unpack(records))
if #later > 0 then call('ZADD', T .. ':sch', unpack(later)) end

local clockVT = tonumber(head[2] or '0')
for _, record in ipairs(order) do
  local group = groups[record]
  local tenant, class, key, own = places.read(record)
  if key then
    local all = group
    group = {}
    for _, id in ipairs(all) do
      if places.take(id, tenant, class, key, own) then group[#group + 1] = id end
    end
  end
  local length = #group == 0 and -1 or call('RPUSH', T .. ':r:' .. class .. ':' .. tenant, unpack(group))
  -- Empty before: the tenant joins the ring now, unless it is parked at its cap.
  if length == #group and call('HEXISTS', T .. ':bk', tenant) == 0 then
    local own = tonumber(call('HGET', T .. ':tv', tenant) or '0')
    call('ZADD', T .. ':ring:' .. class, 'NX', math.max(own, clockVT), tenant)
  end
end
if #order > 0 or #later > 0 then call('ZADD', T .. ':wake', 0, '0') end
return fresh
