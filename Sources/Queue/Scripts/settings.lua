-- settings: whether a queue hands out jobs. Told again and again, so that a lost hint heals.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation, or '*' while a rebuild holds the lock
-- ARGV[2] -> 1 = paused, 0 = not
-- Returns   1 when this changed something
-- Errors    GCGEN another generation: nothing was done
local T, gen = KEYS[1], ARGV[1]
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'paused')
if gen ~= '*' and head[1] ~= gen then
  return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing'))
end
if (head[2] == '1') == (ARGV[2] == '1') then return 0 end
if ARGV[2] == '1' then
  call('HSET', T .. ':m', 'paused', '1')
else
  call('HDEL', T .. ':m', 'paused')
  -- Whoever wakes up first finds the work and wakes the next.
  call('ZADD', T .. ':wake', 0, '0')
end
return 1
