-- held: what Redis thinks a session holds. A worker asks after any lost reply: ids it does not know were claimed for it.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> session
-- Returns   { id, record, id, record … }
-- Errors    GCGEN another generation · GCFENCED the session is not open
local T = KEYS[1]
local gen = redis.call('HGET', T .. ':m', 'gen')
if gen ~= ARGV[1] then return redis.error_reply('GCGEN generation is ' .. tostring(gen or 'missing')) end
if redis.call('SISMEMBER', T .. ':w', ARGV[2]) == 0 then
  return redis.error_reply('GCFENCED session ' .. ARGV[2] .. ' is not open')
end
local ids, out = redis.call('SMEMBERS', T .. ':in:' .. ARGV[2]), {}
for from = 1, #ids, 1000 do
  local page = { unpack(ids, from, math.min(from + 999, #ids)) }
  local records = redis.call('HMGET', T .. ':b', unpack(page))
  for i, id in ipairs(page) do
    out[#out + 1] = id
    out[#out + 1] = records[i] or ''
  end
end
return out
