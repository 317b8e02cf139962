-- adopt: during a rebuild, jobs that a live session is running are booked as held again.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> session
-- ARGV[2] -> n
-- ARGV[3..] -> n times: id, record (see places)
-- Returns   how many ids are now held
local T, session, n = KEYS[1], ARGV[1], tonumber(ARGV[2])
local call = redis.call
call('SADD', T .. ':w', session)
for i = 1, n do
  local id, record = ARGV[1 + 2 * i], ARGV[2 + 2 * i]
  call('HSET', T .. ':b', id, record)
  if call('SADD', T .. ':in:' .. session, id) == 1 then
    local tenant, _, key = places.read(record)
    if key then places.book(id, tenant, key) end
    call('HINCRBY', T .. ':ta', tenant, 1)
    call('HINCRBY', T .. ':m', 'active', 1)
  end
end
return call('SCARD', T .. ':in:' .. session)
