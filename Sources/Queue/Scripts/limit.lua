-- limit: a tenant's cap and weight in a queue. A tenant parked at its cap is looked at anew.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation, or '*' while a rebuild holds the lock
-- ARGV[2] -> n
-- ARGV[3..] -> n times: tenant, cap (0 = none), weight
-- Returns   n
-- Errors    GCGEN another generation: nothing was done
local T, gen, n = KEYS[1], ARGV[1], tonumber(ARGV[2])
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'vt')
if gen ~= '*' and head[1] ~= gen then
  return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing'))
end
for i = 1, n do
  local tenant, limit = ARGV[3 * i], ARGV[3 * i + 1] .. ',' .. ARGV[3 * i + 2]
  if call('HGET', T .. ':tc', tenant) ~= limit then
    call('HSET', T .. ':tc', tenant, limit)
    if call('HDEL', T .. ':bk', tenant) == 1 then
      for class = 0, 3 do
        if call('EXISTS', T .. ':r:' .. class .. ':' .. tenant) == 1 then
          call('ZADD', T .. ':ring:' .. class, 'NX', tonumber(head[2] or '0'), tenant)
        end
      end
      call('ZADD', T .. ':wake', 0, '0')
    end
  end
end
return n
