-- open: a worker session may claim from now on.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> session
-- Returns   1
-- Errors    GCGEN another generation: nothing was done
local T = KEYS[1]
local gen = redis.call('HGET', T .. ':m', 'gen')
if gen ~= ARGV[1] then return redis.error_reply('GCGEN generation is ' .. tostring(gen or 'missing')) end
redis.call('SADD', T .. ':w', ARGV[2])
return 1
