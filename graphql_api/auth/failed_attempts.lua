#!lua
-- Checks or changes the number of failed and of running attempts, in one atomic step.
--
-- KEYS  for each limit: the number of failed attempts, an integer that expires when its window ends; and the running
--       attempts, a sorted set of their ids by the time (ms) when each no longer counts
-- ARGV  the step (check, begin, fail, succeed, give_up), the id of the attempt, its lease in ms, and for each limit:
--       the maximum number of failures, the length of the window in ms, and 1 if a success clears the failures
--
-- Returns {0, 0}, or, if a limit is exceeded, its number (from 1) and the milliseconds to wait.

local step, attempt, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
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

if step == "check" or step == "begin" then
  local refused, wait = 0, 0
  each_limit(function(i, failed, running, most)
    local count = tonumber(redis.call("GET", failed) or "0")
    local left = 0
    if count >= most then
      left = math.max(redis.call("PTTL", failed), 1)
    elseif step == "begin" then
      redis.call("ZREMRANGEBYSCORE", running, "-inf", now())
      if count + redis.call("ZCARD", running) >= most then
        left = BUSY
      end
    end
    if left > wait then
      refused, wait = i, left
    end
  end)
  if refused == 0 and step == "begin" then
    each_limit(function(_, _, running)
      redis.call("ZADD", running, now() + lease, attempt)
      redis.call("PEXPIRE", running, lease)
    end)
  end
  return { refused, wait }
end

each_limit(function(_, failed, running, _, length, clears)
  redis.call("ZREM", running, attempt)
  if step == "fail" then
    -- A window starts with its first failure. Later failures do not extend it, or it might never end.
    if redis.call("INCR", failed) == 1 then
      redis.call("PEXPIRE", failed, length)
    end
  elseif step == "succeed" and clears then
    redis.call("DEL", failed)
  end
end)
return { 0, 0 }
