-- The failures of an attempt's keys, and the attempts that still run, in one atomic step.
--
-- KEYS  for each limit: how many attempts have failed, an integer that Redis forgets when its window ends;
--       and those that run, a sorted set of their ids by the instant (ms) at which each is given up
-- ARGV  what happens (look, begin, fail, succeed, give_up), the attempt's id, its lease in ms, and for each limit:
--       most, the window's length in ms, and 1 if a success clears its failures
--
-- Returns {0, 0}, or for a refusal the number of the limit that refuses, and the ms to come back after.

local happens, attempt, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local BUSY = 1000

local function each_limit(visit)
  for i = 1, #KEYS / 2 do
    local at = 3 * i
    visit(i, KEYS[2 * i - 1], KEYS[2 * i], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3] == "1")
  end
end

local function now()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

if happens == "look" or happens == "begin" then
  local refused, wait = 0, 0
  each_limit(function(i, failed, running, most)
    local count = tonumber(redis.call("GET", failed) or "0")
    local left = 0
    if count >= most then
      left = math.max(redis.call("PTTL", failed), 1)
    elseif happens == "begin" then
      redis.call("ZREMRANGEBYSCORE", running, "-inf", now())
      if count + redis.call("ZCARD", running) >= most then
        left = BUSY
      end
    end
    if left > wait then
      refused, wait = i, left
    end
  end)
  if refused == 0 and happens == "begin" then
    each_limit(function(_, _, running)
      redis.call("ZADD", running, now() + lease, attempt)
      redis.call("PEXPIRE", running, lease)
    end)
  end
  return { refused, wait }
end

each_limit(function(_, failed, running, _, length, clears)
  redis.call("ZREM", running, attempt)
  if happens == "fail" then
    -- A window begins with its first failure. Later ones do not prolong it, or patient guessing would never end it.
    if redis.call("INCR", failed) == 1 then
      redis.call("PEXPIRE", failed, length)
    end
  elseif happens == "succeed" and clears then
    redis.call("DEL", failed)
  end
end)
return { 0, 0 }
