-- admit: sliding window: N admissions at most, over any number of API processes.
--
-- KEYS[1] -> list of cohorts, newest first, each '<moment in microseconds>:<admissions>': <namespace>:{rl:<principal>}:<tier>
-- ARGV[1] -> N, at least 1
-- ARGV[2] -> the window in microseconds
-- ARGV[3] -> how many requests ask, '0' only looks: nothing is written down
-- Returns   {how many are admitted, admissions left, moment in microseconds at which the oldest cohort leaves, now}
-- A cohort ends a twentieth of the window after its beginning, which is a whole second where the window has 20 s or more, and
-- leaves as a whole: docs/decisions/0005. What is refused is not written down. Cohorts never go backwards, even if the
-- server's clock does.
local key, limit, window, asked = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local grain = math.floor(window / 20)
local cohorts = redis.call('LRANGE', key, 0, -1)
local used, kept, newest, count, oldest = 0, 0, nil, 0, nil
for index, cohort in ipairs(cohorts) do
  local moment, admissions = string.match(cohort, '^(%d+):?(%d*)$')
  moment, admissions = tonumber(moment), tonumber(admissions) or 1
  if index == 1 then
    newest, count = moment, admissions
    if newest > now then now = newest end
  end
  if moment <= now - window then break end
  used, kept, oldest = used + admissions, index, moment
end
local began = now - now % math.min(grain, 1000000)
local isNew = not newest or now >= newest + grain
local leaves = (oldest or began) + window
if asked == 0 then return {0, math.max(0, limit - used), leaves, now} end
local admitted = math.max(0, math.min(asked, limit - used))
if admitted > 0 then
  if kept == 0 then redis.call('DEL', key)
  elseif kept < #cohorts then redis.call('LTRIM', key, 0, kept - 1) end
  if isNew or kept == 0 then
    redis.call('LPUSH', key, string.format('%.0f:%d', began, admitted))
  else
    redis.call('LSET', key, 0, string.format('%.0f:%d', newest, count + admitted))
  end
  redis.call('PEXPIRE', key, math.ceil(window / 1000) + 1000)
end
return {admitted, math.max(0, limit - used - admitted), leaves, now}
