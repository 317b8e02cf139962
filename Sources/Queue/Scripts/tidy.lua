-- tidy: gives back places of concurrency keys that no known id has, a page at a time. A worker of a release that knows no
-- keys leaves such places behind.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> cursor of the page; 0 begins
-- Returns   { cursor of the next page, 0 at the end; how many places were given back }
-- Errors    GCGEN another generation: nothing was done
local T, call = KEYS[1], redis.call
local gen = call('HGET', T .. ':m', 'gen')
if gen ~= ARGV[1] then return redis.error_reply('GCGEN generation is ' .. tostring(gen or 'missing')) end
local page = call('HSCAN', T .. ':kh', ARGV[2], 'COUNT', 500)
local strays = {}
for i = 1, #page[2], 2 do
  if call('HEXISTS', T .. ':b', page[2][i]) == 0 then strays[#strays + 1] = page[2][i] end
end
places.free(strays)
places.advance()
return { page[1], #strays }
