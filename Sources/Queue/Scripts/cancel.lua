-- cancel: running jobs that their workers shall stop. The ledger's flag is the promise, this the hurry.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV    -> session, id, session, id …
-- Returns   how many ids were written down
--
-- A worker hears of it in its next cycle. Idle workers sit in BZPOPMIN and are served in the order they came, one member
-- each: one member per open session wakes them all once.
local T, call = KEYS[1], redis.call
for i = 1, #ARGV, 2 do
  local key = T .. ':cx:' .. ARGV[i]
  call('SADD', key, ARGV[i + 1])
  call('EXPIRE', key, 3600)
end
for member = 0, math.min(call('SCARD', T .. ':w'), 256) - 1 do call('ZADD', T .. ':wake', 0, member) end
return #ARGV / 2
