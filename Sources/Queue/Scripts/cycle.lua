-- cycle: a worker hands in what it settled and gets the next ids, fairly over tenants, in one round trip.
--
-- KEYS[1] -> T, the queue's prefix
-- ARGV[1] -> generation
-- ARGV[2] -> session
-- ARGV[3] -> want: free slots; 0 only settles
-- ARGV[4] -> class order, for example 0123
-- ARGV[5] -> d, then d ids that are finished
-- next    -> t, then t times: tenant, how many of the finished ids are its, ms that all its settled ids ran
-- next    -> x, then x times: id, tenant, class, op, due
--            op r: again at `due` (ms since 1970) · z: handed back unrun, to the front
-- Fairness is by worker time: a claim is charged what the tenant's jobs took lately, a settlement corrects it.
-- Returns   { ms until the next delayed job or the next throttled tenant, or -1, how many settled ids were not ours, 1 if more is ready,
--             { ids to cancel }, { id, record, id, record … } }
-- Errors    GCGEN another generation · GCFENCED the session is not open: nothing was done
local T, gen, session = KEYS[1], ARGV[1], ARGV[2]
local want, order = tonumber(ARGV[3]), ARGV[4]
local call = redis.call
local head = call('HMGET', T .. ':m', 'gen', 'vt', 'active', 'cap', 'every', 'burst', 'tat', 'paused', 'span', 'out', 'before')
if head[1] ~= gen then return redis.error_reply('GCGEN generation is ' .. tostring(head[1] or 'missing')) end
if call('SISMEMBER', T .. ':w', session) == 0 then
  return redis.error_reply('GCFENCED session ' .. session .. ' is not open')
end
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local vt, active, cap = tonumber(head[2] or '0'), tonumber(head[3] or '0'), tonumber(head[4] or '0')
local mine, records = T .. ':in:' .. session, T .. ':b'

-- Puts a tenant with ready work back on its rings.
local function admit(tenant, class)
  local own = math.max(vt, tonumber(call('HGET', T .. ':tv', tenant) or '0'))
  for c = 0, 3 do
    if (not class or class == c) and call('EXISTS', T .. ':r:' .. c .. ':' .. tenant) == 1 then
      call('ZADD', T .. ':ring:' .. c, 'NX', own, tenant)
    end
  end
end

-- Starts that a rate still allows (GCRA): one each `every` ms, up to `burst` at once. tat is when the next is due.
local function allowed(tat, every, burst)
  return math.floor((burst * every - math.max(0, tat - now)) / every + 0.000001)
end

-- 1. Settle.
local change, changed, stale, returned = {}, false, 0, {}
local function release(tenant, count)
  change[tenant] = (change[tenant] or 0) - count
  active = active - count
  changed = true
end

local at = 5
local d = tonumber(ARGV[at])
local first, last = at + 1, at + d
at = last + 1
local t = tonumber(ARGV[at])
local tenants = at + 1
at = at + 1 + 3 * t
local x = tonumber(ARGV[at])
local others = at + 1

local keyed = d + x > 0 and call('EXISTS', T .. ':kh') == 1
if d > 0 then
  local held, ours = call('SMISMEMBER', mine, unpack(ARGV, first, last)), 0
  for i = 1, d do ours = ours + held[i] end
  if ours == d then
    if keyed then places.free({ unpack(ARGV, first, last) }) end
    call('SREM', mine, unpack(ARGV, first, last))
    call('HDEL', records, unpack(ARGV, first, last))
    for i = tenants, tenants + 3 * t - 1, 3 do
      if ARGV[i + 1] ~= '0' then release(ARGV[i], tonumber(ARGV[i + 1])) end
    end
  else
    -- Some were taken from us, or this repeats a call whose reply was lost.
    for i = 1, d do
      local id = ARGV[first + i - 1]
      if held[i] == 1 and call('SREM', mine, id) == 1 then
        local tenant = places.read(call('HGET', records, id) or '')
        if keyed then places.free({ id }) end
        call('HDEL', records, id)
        if tenant then release(tenant, 1) end
      else
        stale = stale + 1
      end
    end
  end
end
for i = others, others + 5 * x - 1, 5 do
  local id, tenant, class, op = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  if call('SREM', mine, id) == 0 then
    stale = stale + 1
  else
    release(tenant, 1)
    if op == 'r' then
      if keyed then places.free({ id }) end
      call('ZADD', T .. ':sch', ARGV[i + 4], id)
    else
      call('LPUSH', T .. ':r:' .. class .. ':' .. tenant, id)
      returned[#returned + 1] = tenant
    end
  end
end

-- 2. What the settled jobs took is set against what their claims were charged.
for i = tenants, tenants + 3 * t - 1, 3 do
  local tenant, took = ARGV[i], tonumber(ARGV[i + 2])
  local count = -(change[tenant] or 0)
  if count > 0 then
    local before = tonumber(call('HGET', T .. ':te', tenant) or '1')
    local average = math.max(1, took / count)
    if math.abs(average - before) > 0.1 * before then
      local limit = call('HGET', T .. ':tc', tenant)
      local delta = count * (average - before) / tonumber(limit and string.match(limit, '^%d+,([%d.]+)') or '1')
      local ringed = false
      for c = 0, 3 do
        if call('ZSCORE', T .. ':ring:' .. c, tenant) then
          call('ZINCRBY', T .. ':ring:' .. c, delta, tenant)
          ringed = true
        end
      end
      if not ringed then
        local own = math.max(vt, tonumber(call('HGET', T .. ':tv', tenant) or '0'))
        call('HSET', T .. ':tv', tenant, own + delta)
      end
      local after = before + 0.3 * (average - before)
      if after > 1.05 then call('HSET', T .. ':te', tenant, after) else call('HDEL', T .. ':te', tenant) end
    end
  end
end

-- 3. A tenant below its cap again leaves the parking place.
if changed then
  local parked = call('EXISTS', T .. ':bk') == 1
  for tenant, delta in pairs(change) do
    local running = call('HINCRBY', T .. ':ta', tenant, delta)
    if running <= 0 then call('HDEL', T .. ':ta', tenant) end
    if parked and call('HGET', T .. ':bk', tenant) == 'c' then
      call('HDEL', T .. ':bk', tenant)
      admit(tenant)
    end
  end
  for _, tenant in ipairs(returned) do
    if call('HEXISTS', T .. ':bk', tenant) == 0 then admit(tenant) end
  end
  if keyed then places.advance() end
end

-- 4. Promote what has come due, a bounded page of it, and let throttled tenants back.
for _, tenant in ipairs(call('ZRANGE', T .. ':thr', '-inf', now, 'BYSCORE', 'LIMIT', 0, 128)) do
  call('ZREM', T .. ':thr', tenant)
  if call('HDEL', T .. ':bk', tenant) == 1 then admit(tenant) end
end
local due = call('ZRANGE', T .. ':sch', '-inf', now, 'BYSCORE', 'LIMIT', 0, 128)
if #due > 0 then
  call('ZREM', T .. ':sch', unpack(due))
  local found, seen = call('HMGET', records, unpack(due)), {}
  for i, id in ipairs(due) do
    if found[i] then
      local tenant, class, key, own = places.read(found[i])
      if not key or places.take(id, tenant, class, key, own) then
        call('RPUSH', T .. ':r:' .. class .. ':' .. tenant, id)
        if not seen[found[i]] then
          seen[found[i]] = true
          if call('HEXISTS', T .. ':bk', tenant) == 0 then admit(tenant, tonumber(class)) end
        end
      end
    end
  end
end

-- 5. Claim: the tenant with the lowest virtual time goes first, and its time advances by worker time / weight.
local claims, open = {}, want > 0 or changed
local reopen = nil
if cap > 0 then want = math.min(want, cap - active) end
local every, burst, tat = tonumber(head[5] or '0'), tonumber(head[6] or '1'), tonumber(head[7] or '0')
if every > 0 then
  local most = allowed(tat, every, burst)
  if most < want then want = most end
  if most < 1 then
    open = false
    reopen = tat - (burst - 1) * every
  end
end
if head[8] then want, open, reopen = 0, false, nil end
if want > 0 then
  local limits = call('EXISTS', T .. ':tc') == 1
  local picked, owner, running, visits = {}, {}, {}, 0
  for o = 1, #order do
    local class = string.sub(order, o, o)
    local ring = T .. ':ring:' .. class
    while #picked < want and visits < 1024 do
      local turn = call('ZPOPMIN', ring, want - #picked)
      local count = #turn / 2
      if count == 0 then break end
      visits = visits + count
      local back = {}
      for i = 1, count do
        local tenant, own = turn[2 * i - 1], tonumber(turn[2 * i])
        local room = want - #picked
        local take = math.ceil(room / (count - i + 1))
        local weight, full, shut, pace, size, due = 1, false, nil, nil, nil, nil
        if limits and take > 0 then
          local limit = call('HGET', T .. ':tc', tenant)
          if limit then
            local most, share, gap, most_at_once = string.match(limit, '^(%d+),([%d.]+),([%d.]+),(%d+)$')
            weight = tonumber(share)
            pace, size = tonumber(gap), tonumber(most_at_once)
            if pace > 0 then
              due = tonumber(call('HGET', T .. ':tat', tenant) or '0')
              local starts = allowed(due, pace, size)
              if starts < take then take = starts end
              if starts < 1 then shut = due - (size - 1) * pace end
            end
            if tonumber(most) > 0 then
              running[tenant] = running[tenant] or tonumber(call('HGET', T .. ':ta', tenant) or '0')
              take = math.min(take, tonumber(most) - running[tenant])
              full = take < 1
            end
          end
        end
        if shut then
          -- Throttled: off the rings until a start is due again.
          call('HSET', T .. ':bk', tenant, 'r')
          call('ZADD', T .. ':thr', math.ceil(shut), tenant)
          if own > vt then call('HSET', T .. ':tv', tenant, own) end
        elseif full then
          -- At its cap: off the ring until a settle lets it back, so nobody polls it meanwhile.
          call('HSET', T .. ':bk', tenant, 'c')
          if own > vt then call('HSET', T .. ':tv', tenant, own) end
        elseif take < 1 then
          back[#back + 1] = own
          back[#back + 1] = tenant
        else
          local got = call('LPOP', T .. ':r:' .. class .. ':' .. tenant, take) or {}
          for _, id in ipairs(got) do
            picked[#picked + 1] = id
            owner[#picked] = tenant
          end
          if running[tenant] then running[tenant] = running[tenant] + #got end
          if #got > 0 then
            if own > vt then vt = own end
            own = vt + #got * tonumber(call('HGET', T .. ':te', tenant) or '1') / weight
            if pace and pace > 0 then call('HSET', T .. ':tat', tenant, math.max(due, now) + #got * pace) end
          end
          if #got == take then
            back[#back + 1] = own
            back[#back + 1] = tenant
          elseif own > vt then
            call('HSET', T .. ':tv', tenant, own)
          end
        end
      end
      if #back > 0 then call('ZADD', ring, unpack(back)) end
    end
  end
  if #picked > 0 then
    local found, held, counts, taken = call('HMGET', records, unpack(picked)), {}, {}, {}
    for i = 1, #picked do
      -- No record: cancelled or dropped while it waited. Twice in the lists: counted once.
      if found[i] and not taken[picked[i]] then
        taken[picked[i]] = true
        held[#held + 1] = picked[i]
        claims[#claims + 1] = picked[i]
        claims[#claims + 1] = found[i]
        counts[owner[i]] = (counts[owner[i]] or 0) + 1
      end
    end
    if #held > 0 then
      call('SADD', mine, unpack(held))
      active = active + #held
      changed = true
      for tenant, count in pairs(counts) do call('HINCRBY', T .. ':ta', tenant, count) end
    end
    call('HSET', T .. ':m', 'vt', vt)
    if every > 0 then call('HSET', T .. ':m', 'tat', math.max(tat, now) + #held * every) end
  end
end
if changed then call('HSET', T .. ':m', 'active', active) end
if d > stale then
  -- What was drained in this span of 30 s and in the one before: `load` makes a rate of it.
  local span, out, before = math.floor(now / 30000), d - math.min(d, stale), tonumber(head[11] or '0')
  if tonumber(head[9] or '-2') == span then
    out = out + tonumber(head[10])
  else
    before = tonumber(head[9] or '-2') == span - 1 and tonumber(head[10]) or 0
  end
  call('HSET', T .. ':m', 'span', span, 'out', out, 'before', before)
end

-- 6. Chain wake: whoever leaves ready work behind wakes one more worker.
local rings = T .. ':ring:'
local more = 0
if head[8] or (cap > 0 and active >= cap) then open = false end
if open and call('EXISTS', rings .. '0', rings .. '1', rings .. '2', rings .. '3') > 0 then
  more = 1
  call('ZADD', T .. ':wake', 0, '0')
end

local wait = -1
local function look(moment)
  if moment then wait = math.max(0, math.ceil(moment - now)) end
end
look(tonumber(call('ZRANGE', T .. ':sch', 0, 0, 'WITHSCORES')[2]))
local throttled = tonumber(call('ZRANGE', T .. ':thr', 0, 0, 'WITHSCORES')[2])
for _, moment in ipairs({ throttled or false, reopen or false }) do
  if moment and (wait < 0 or moment - now < wait) then look(moment) end
end
return { wait, stale, more, call('SPOP', T .. ':cx:' .. session, 100), claims }
