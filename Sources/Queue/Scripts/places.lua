-- places: what those scripts share that make ids ready or see them end. Its text stands before theirs.
--
-- A job may carry a key of which its tenant may have only so many at once in this queue. Its id takes one of the key's
-- places before it joins the tenant's ready list, and keeps it until the job has ended or waits for a later moment. While
-- all places are taken, it stands in the key's line. So whatever is ready may run: claims know nothing of keys, and a
-- tenant with a thousand keys is one tenant on the rings.
--
-- A record is `tenant \31 class`, or with a key `tenant \30 cap of its own \30 key \31 class`. A label is `tenant \30 key`.
-- T:kh                 hash  id → label, of ids that have a place
-- T:ka                 hash  label → places taken
-- T:k:<class>:<label>  list  ids in line
-- T:kn                 hash  label → ids in line; tenant → ids in all its lines
-- T:kc                 hash  key → cap, '' → cap of every other key. A job's own cap is what holds without; 0 is no cap
local places = {}
do
  local T, call, freed = KEYS[1], redis.call, {}
  local holders, taken, lines, caps = T .. ':kh', T .. ':ka', T .. ':kn', T .. ':kc'

  -- Tenant and class, and of a job with a key also the key and the cap of its own.
  function places.read(record)
    local owner, class = string.match(record, '^([^\31]*)\31(%d)$')
    if not owner or not string.find(owner, '\30', 1, true) then return owner, class end
    local tenant, own, key = string.match(owner, '^([^\30]*)\30(%d+)\30(.+)$')
    return tenant, class, key, own
  end

  local function count(key, field, delta)
    if call('HINCRBY', key, field, delta) <= 0 then call('HDEL', key, field) end
  end

  local function isFull(label, key, own)
    local told = call('HMGET', caps, key, '')
    local most = tonumber(told[1] or told[2] or own)
    return most > 0 and tonumber(call('HGET', taken, label) or '0') >= most
  end

  -- Gives the id a place whatever the cap says: it runs already, or there is room.
  function places.book(id, tenant, key)
    local label = tenant .. '\30' .. key
    if call('HSETNX', holders, id, label) == 1 then count(taken, label, 1) end
  end

  -- True: the id has a place and is to be made ready. False: it stands in line.
  function places.take(id, tenant, class, key, own)
    local label = tenant .. '\30' .. key
    if call('HEXISTS', holders, id) == 0 and isFull(label, key, own) then
      call('RPUSH', T .. ':k:' .. class .. ':' .. label, id)
      count(lines, label, 1)
      count(lines, tenant, 1)
      return false
    end
    places.book(id, tenant, key)
    return true
  end

  -- Takes back the places that these ids have; `advance` brings up who waits for them.
  function places.free(ids)
    if #ids == 0 or call('EXISTS', holders) == 0 then return end
    local labels = call('HMGET', holders, unpack(ids))
    for i, id in ipairs(ids) do
      if labels[i] and call('HDEL', holders, id) == 1 then
        count(taken, labels[i], -1)
        freed[labels[i]] = true
      end
    end
  end

  -- Moves one class of a line up. Ids without a record were cancelled or dropped.
  local function move(label, tenant, key, class)
    local line, ready, gone, full = T .. ':k:' .. class .. ':' .. label, 0, 0, false
    for _ = 1, 10000 do
      local id = call('LINDEX', line, 0)
      if not id then break end
      local record = call('HGET', T .. ':b', id)
      if record and call('HEXISTS', holders, id) == 0 then
        local _, _, _, own = places.read(record)
        full = isFull(label, key, own)
        if full then break end
        places.book(id, tenant, key)
        call('RPUSH', T .. ':r:' .. class .. ':' .. tenant, id)
        ready = ready + 1
      end
      call('LPOP', line)
      gone = gone + 1
    end
    if gone > 0 then
      count(lines, label, -gone)
      count(lines, tenant, -gone)
    end
    if ready > 0 and call('HEXISTS', T .. ':bk', tenant) == 0 then
      local vt = tonumber(call('HGET', T .. ':m', 'vt') or '0')
      local own = tonumber(call('HGET', T .. ':tv', tenant) or '0')
      call('ZADD', T .. ':ring:' .. class, 'NX', math.max(vt, own), tenant)
      call('ZADD', T .. ':wake', 0, '0')
    end
    return full
  end

  -- Brings up the lines of keys that have room again; `labels` are those that were freed unless others are named.
  function places.advance(labels)
    for label in pairs(labels or freed) do
      if call('HEXISTS', lines, label) == 1 then
        local tenant, key = string.match(label, '^([^\30]*)\30(.+)$')
        for class = 0, 3 do
          if move(label, tenant, key, class) then break end
        end
      end
    end
    freed = {}
  end
end

