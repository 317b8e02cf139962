-- keylimit: how many jobs of one key may run at once. Lines that have room by it move up.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation, or '*' while a rebuild holds the lock
-- ARGV[2] -> n
-- ARGV[3..] -> n times: key ('' for every key without a limit of its own), then its cap (0 = none), or '' for no limit any more
-- Returns   n
-- Errors    GCGEN another generation: nothing was done
local T, gen, n = KEYS[1], ARGV[1], tonumber(ARGV[2])
local call = redis.call
local held = call('HGET', T .. ':m', 'gen')
if gen ~= '*' and held ~= gen then
  return redis.error_reply('GCGEN generation is ' .. tostring(held or 'missing'))
end
for i = 1, n do
  local key, cap = ARGV[1 + 2 * i], ARGV[2 + 2 * i]
  if cap == '' then call('HDEL', T .. ':kc', key) else call('HSET', T .. ':kc', key, cap) end
end
local labels = {}
for _, name in ipairs(call('HKEYS', T .. ':kn')) do
  if string.find(name, '\30', 1, true) then labels[name] = true end
end
places.advance(labels)
return n
