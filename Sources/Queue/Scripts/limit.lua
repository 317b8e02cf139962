-- limit: a queue's own cap and rate, and caps, weights and rates of tenants in it. Parked tenants are looked at anew.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation, or '*' while a rebuild holds the lock
-- ARGV[2..4] -> the queue's cap (0 = none), ms between starts (0 = no rate), starts at once
-- ARGV[5] -> n
-- ARGV[6..] -> n times: tenant, then 'cap,weight,ms between starts,starts at once', or '' for no limit any more
-- Returns   n
-- Errors    GCGEN another generation: nothing was done
local T, gen, n = KEYS[1], ARGV[1], tonumber(ARGV[5])
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'vt', 'cap', 'every', 'burst')
if gen ~= '*' and head[1] ~= gen then
  return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing'))
end
if (head[3] or '0') ~= ARGV[2] or (head[4] or '0') ~= ARGV[3] or (head[5] or '1') ~= ARGV[4] then
  call('HSET', T .. ':m', 'cap', ARGV[2], 'every', ARGV[3], 'burst', ARGV[4])
  call('HDEL', T .. ':m', 'tat')
  call('ZADD', T .. ':wake', 0, '0')
end
for i = 1, n do
  local tenant, limit = ARGV[4 + 2 * i], ARGV[5 + 2 * i]
  if (call('HGET', T .. ':tc', tenant) or '') ~= limit then
    if limit == '' then call('HDEL', T .. ':tc', tenant) else call('HSET', T .. ':tc', tenant, limit) end
    call('HDEL', T .. ':tat', tenant)
    call('ZREM', T .. ':thr', tenant)
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
