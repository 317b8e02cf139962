-- bucket: what take and giveback share. They stand behind it: no script of its own.
--
-- One hash holds two buckets as they were at its moment: r requests left, t tokens left (below 0 after a call that took more
-- than there was), at ms since 1970, q the moment until which callers were told to wait, l the limits, '<rpm>,<tpm>'.
-- No hash is two full buckets, so it expires once it would say nothing else.
local bucket = {}

-- Requests come evenly: what may start at once is taken off what comes back, and no minute sees more than its limit.
-- A minute's tokens may be taken at once, as providers let them be: a single call can need most of them.
local function sizes(rpm, tpm)
  local slack = math.floor(rpm / 20)
  return { rpm > 0 and slack + 1 or 0, (rpm - slack) / 60000 }, { tpm, tpm / 60000 }
end

-- The buckets as they are now. A limit of 0 is no bucket: it never asks anybody to wait.
function bucket.read(key, rpm, tpm, clock)
  local held = redis.call('HMGET', key, 'r', 't', 'at', 'q', 'l')
  local now = tonumber(clock)
  if not now then
    local time = redis.call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  local at = tonumber(held[3] or now)
  if now < at then now = at end
  local requests, tokens = sizes(rpm, tpm)
  local function level(size, text)
    return math.min(size[1], tonumber(text or size[1]) + (now - at) * size[2])
  end
  return {
    key = key, now = now, limits = rpm .. ',' .. tpm, known = held[5],
    requests = requests, tokens = tokens, r = level(requests, held[1]), t = level(tokens, held[2]),
    q = tonumber(held[4] or '0'),
  }
end

function bucket.write(b)
  local empty = 0
  for _, side in ipairs({ { b.requests, b.r }, { b.tokens, b.t } }) do
    if side[1][2] > 0 then empty = math.max(empty, (side[1][1] - side[2]) / side[1][2]) end
  end
  redis.call('HSET', b.key, 'r', string.format('%.9f', b.r), 't', string.format('%.6f', b.t),
    'at', string.format('%.0f', b.now), 'q', string.format('%.0f', b.q), 'l', b.limits)
  redis.call('PEXPIRE', b.key, math.ceil(math.max(empty, b.q - b.now, 0)) + 1000)
end

-- What is left, in whole numbers; nothing where there is no bucket.
function bucket.left(b)
  local function whole(size, level) return size[1] > 0 and math.floor(level + 0.000001) or false end
  return whole(b.requests, b.r), whole(b.tokens, b.t)
end
