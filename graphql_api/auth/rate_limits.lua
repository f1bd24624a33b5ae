#!lua
-- Checks the count of one time window and adds to it, in one atomic step.
--
-- KEYS[1]  the window: an integer that expires when the window ends
-- ARGV     the limit, the length of the window in ms, and how much to add (0: only check)
--
-- Returns 0, or, if the count has reached the limit, the milliseconds until the window ends.

local most, length, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = tonumber(redis.call("GET", KEYS[1]) or "0")
local left = redis.call("PTTL", KEYS[1])

if count >= most then
  return math.max(left, 1)
end
if cost > 0 then
  redis.call("INCRBY", KEYS[1], cost)
  -- A window starts with its first count. Later counts do not extend it, or it might never end.
  if left < 0 then
    redis.call("PEXPIRE", KEYS[1], length)
  end
end
return 0
