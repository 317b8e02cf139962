-- depth: what Redis holds of a queue, for the inspection commands.
--
-- KEYS[1] -> T, the queue's prefix
-- Returns   { generation or '', known ids, delayed ids, active, tenants on rings, parked tenants, open sessions }
local T, call = KEYS[1], redis.call
local head = call('HMGET', T .. ':m', 'gen', 'active')
local ringed = 0
for class = 0, 3 do ringed = ringed + call('ZCARD', T .. ':ring:' .. class) end
return { head[1] or '', call('HLEN', T .. ':b'), call('ZCARD', T .. ':sch'), tonumber(head[2] or '0'), ringed,
  call('HLEN', T .. ':bk'), call('SCARD', T .. ':w') }
