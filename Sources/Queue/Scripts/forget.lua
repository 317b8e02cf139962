-- forget: waiting jobs that were cancelled or dropped. Their ids stay in the lists and are skipped when they come up.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV    -> ids
-- Returns   how many were known
for from = 1, #ARGV, 1000 do
  local page = { unpack(ARGV, from, math.min(from + 999, #ARGV)) }
  places.free(page)
  redis.call('HDEL', KEYS[1] .. ':b', unpack(page))
  redis.call('ZREM', KEYS[1] .. ':sch', unpack(page))
end
places.advance()
return #ARGV
