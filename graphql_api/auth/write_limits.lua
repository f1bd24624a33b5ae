#!lua
-- Grants a process a part of the writes of one time window, in one atomic step.
--
-- KEYS[1]  the window: an integer that expires when the window ends
-- ARGV     the limit, the length of the window in ms, how many writes are needed, and how many are wanted
--
-- Returns how many are granted (0: fewer remain than are needed), how many of the window are granted to all processes,
-- and the milliseconds until the window ends.

local most, length, needed, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local used = tonumber(redis.call("GET", KEYS[1]) or "0")
local left = redis.call("PTTL", KEYS[1])
local granted = math.min(wanted, most - used)

if granted < needed then
  return {0, used, math.max(left, 1)}
end
redis.call("INCRBY", KEYS[1], granted)
-- A window starts with its first grant. Later grants do not extend it, or it might never end.
if left < 0 then
  redis.call("PEXPIRE", KEYS[1], length)
  left = length
end
return {granted, used + granted, left}
