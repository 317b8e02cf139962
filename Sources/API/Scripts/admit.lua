-- admit: exact sliding window: at most N admissions in any window, over any number of API processes.
--
-- KEYS[1] -> list of admission times in microseconds, newest first: <namespace>:{rl:<principal>}:<tier>
-- ARGV[1] -> N, at least 1
-- ARGV[2] -> the window in microseconds
-- ARGV[3] -> '0' only looks: nothing is written down
-- Returns   {1 admitted or 0 refused, admissions left, moment in microseconds at which the oldest one leaves, now}
-- A refused call is not written down. Times never go backwards, even if the server's clock does.
local key, limit, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local newest = tonumber(redis.call('LINDEX', key, 0) or '0')
if newest > now then now = newest end
local oldest = tonumber(redis.call('LINDEX', key, -1) or '0')
while oldest > 0 and oldest <= now - window do
  redis.call('RPOP', key)
  oldest = tonumber(redis.call('LINDEX', key, -1) or '0')
end
local used = redis.call('LLEN', key)
if used >= limit then
  return {0, 0, oldest + window, now}
end
if ARGV[3] == '0' then
  if oldest == 0 then oldest = now end
  return {1, limit - used, oldest + window, now}
end
redis.call('LPUSH', key, string.format('%.0f', now))
redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1000)
if oldest == 0 then oldest = now end
return {1, limit - used - 1, oldest + window, now}
