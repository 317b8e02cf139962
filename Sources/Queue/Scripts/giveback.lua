-- giveback: what a call did not need of what it took; and what the provider says is left, which only ever lowers.
--
-- KEYS[1] -> the buckets: <namespace>:{rate}:<name>
-- ARGV[1], ARGV[2] -> limits: requests and tokens a minute; 0 = none
-- ARGV[3], ARGV[4] -> requests and tokens that come back; tokens below 0 were needed on top
-- ARGV[5], ARGV[6] -> requests and tokens left, by the provider's word; '' where it says nothing
-- ARGV[7] -> now in ms since 1970, or '' for the server's clock
-- ARGV[8] -> ms since the provider said so: its buckets have filled meanwhile
-- Returns   { requests left, tokens left }; nil without such a limit
local b = bucket.read(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[7])
local function settle(size, level, back, said)
  level = math.min(size[1], level + tonumber(back))
  return tonumber(said) and math.min(level, tonumber(said) + tonumber(ARGV[8]) * size[2]) or level
end
if b.requests[1] > 0 then b.r = settle(b.requests, b.r, ARGV[3], ARGV[5]) end
if b.tokens[1] > 0 then b.t = settle(b.tokens, b.t, ARGV[4], ARGV[6]) end
-- Which limits the list of all buckets has, only take knows.
b.limits = b.known or ''
bucket.write(b)
return { bucket.left(b) }
