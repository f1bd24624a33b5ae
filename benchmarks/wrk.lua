-- The requests are read from a file, because the generator shares its core with the database.
local requests, count, current = {}, 0, 0

function init(arguments)
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer " .. os.getenv("TOKEN") }
  for line in io.lines(os.getenv("REQUESTS")) do
    local method, path, body = line:match("^([^\t]*)\t([^\t]*)\t(.*)$")
    if body == "" then body = nil end
    count = count + 1
    requests[count] = wrk.format(method, path, headers, body)
  end
end

function request()
  current = current % count + 1
  return requests[current]
end

function done(summary, latency, rates)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(95), latency:percentile(99), latency.max,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
