-- One window of one key: look, refuse, or add to its count, in one atomic step.
--
-- KEYS[1]  the window: an integer that Redis forgets when the window ends
-- ARGV     most (refuse from this count on), the window's length in ms, how much to add (0: only look)
--
-- Returns 0, or for a refusal the ms until the window ends.

local most, length, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = tonumber(redis.call("GET", KEYS[1]) or "0")
local left = redis.call("PTTL", KEYS[1])

if count >= most then
  return math.max(left, 1)
end
if cost > 0 then
  redis.call("INCRBY", KEYS[1], cost)
  -- A window begins with its first count. Later ones do not prolong it, or patient guessing would never end it.
  if left < 0 then
    redis.call("PEXPIRE", KEYS[1], length)
  end
end
return 0
