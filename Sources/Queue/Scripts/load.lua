-- load: how much waits in a queue, and how fast it is drained, for whoever must decide whether more may come in.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> tenant
-- Returns   { ids that wait, the tenant's that are ready, tenants with ready work, jobs drained in 1,000 s }
-- Errors    GCGEN another generation
local T, call = KEYS[1], redis.call
local head = call('HMGET', T .. ':m', 'gen', 'active', 'span', 'out', 'before')
if head[1] ~= ARGV[1] then return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing')) end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Those that stand in the line of a key are ready but for its cap.
local ready, tenants = tonumber(call('HGET', T .. ':kn', ARGV[2]) or '0'), 0
for class = 0, 3 do
  ready = ready + call('LLEN', T .. ':r:' .. class .. ':' .. ARGV[2])
  tenants = math.max(tenants, call('ZCARD', T .. ':ring:' .. class))
end

-- Drained in the last 30 s: what this span has seen, and the share of the one before that is not older.
local span, out, before = tonumber(head[3] or '-2'), tonumber(head[4] or '0'), tonumber(head[5] or '0')
local age = math.floor(now / 30000) - span
if age == 1 then out, before = 0, out elseif age ~= 0 then out, before = 0, 0 end
local part = now % 30000 / 30000
local seconds = before > 0 and 30 or math.max(1, part * 30)
local rate = (out + before * (1 - part)) / seconds
return { math.max(0, call('HLEN', T .. ':b') - tonumber(head[2] or '0')), ready, tenants, math.floor(rate * 1000) }
