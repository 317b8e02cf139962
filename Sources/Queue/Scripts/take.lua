-- take: requests and tokens from the two buckets of a provider's key, both or none; or when there will be room.
--
-- KEYS[1] -> the buckets: <namespace>:{rate}:<name>
-- KEYS[2] -> hash of all buckets for whoever lists them: <namespace>:{rate}, name → '<rpm>,<tpm>'
-- ARGV[1] -> name
-- ARGV[2], ARGV[3] -> limits: requests and tokens a minute; 0 = none
-- ARGV[4], ARGV[5] -> wanted requests and tokens; 0 and 0 only look
-- ARGV[6] -> now in ms since 1970, or '' for the server's clock
-- Returns   { 1 taken or 0 refused, ms to wait, requests left, tokens left }; left is nil without such a limit
-- More than a quarter of a bucket is taken from one that holds a quarter, which then owes the rest.
local name, requests, tokens = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local b = bucket.read(KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6])
if requests == 0 and tokens == 0 then return { 1, 0, bucket.left(b) } end
if b.known ~= b.limits then
  redis.call('HSET', KEYS[2], name, b.limits)
  redis.call('PEXPIRE', KEYS[2], 604800000)
end

local function wait(size, level, wanted)
  -- A quarter of a bucket is enough to begin with, and the rest is owed: a large call must not wait long behind small ones.
  local short = math.min(wanted, math.max(size[1] / 4, math.min(size[1], 1))) - level
  -- A millionth of a millisecond is no wait: sums of fractions are not exact.
  return (size[2] > 0 and wanted > 0 and short > 0) and math.ceil(short / size[2] - 0.000001) or 0
end
local due = math.max(wait(b.requests, b.r, requests), wait(b.tokens, b.t, tokens))
if due == 0 then
  if b.requests[1] > 0 then b.r = b.r - requests end
  if b.tokens[1] > 0 then b.t = b.t - tokens end
  bucket.write(b)
  return { 1, 0, bucket.left(b) }
end

-- Those who wait come back one after the other, not all at once. Of a bound on tokens most is given back, so a quarter of
-- it sets their distance; and nobody is sent away for more than a minute.
local gap = 0
if b.requests[1] > 0 then gap = requests / b.requests[2] end
if b.tokens[1] > 0 then gap = math.max(gap, math.min(tokens, b.tokens[1]) / 4 / b.tokens[2]) end
b.q = math.min(math.max(b.now + due, b.q + gap), b.now + 60000)
bucket.write(b)
return { 0, math.ceil(b.q - b.now), bucket.left(b) }
